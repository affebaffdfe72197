"""Sums of long ledgers, block by block, and an index of a lead's events that do not count.

Why: a lead with 200,000 events was explained by reading all of its ledger, a second for each look.
Full blocks of what is there already are summed here, so that no first look has to.
The index holds few events, and a lead's are no longer looked for among all of its events.

Revision ID: 0029
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0029"
down_revision = "0028"

FILL = """
    INSERT INTO ledger_sums
    SELECT s.unit_id, s.lead_id, s.ruleset_id, max(s.seq), min(s.seq),
           min(s.occurred_at), max(s.occurred_at),
           s.kind, s.rule_id, s.version, s.weight, s.multiplier_percent,
           sum(s.delta), count(*), array_agg(s.seq ORDER BY s.seq)
    FROM lead_scores l
    JOIN score_entries s ON s.unit_id = l.unit_id AND s.lead_id = l.lead_id
        AND s.ruleset_id = l.ruleset_id AND s.seq <= l.seq / 1000 * 1000
    WHERE l.seq >= 1000
    GROUP BY s.unit_id, s.lead_id, s.ruleset_id, (s.seq - 1) / 1000, s.kind, s.rule_id, s.version,
             s.weight, s.multiplier_percent, date_trunc('day', s.occurred_at, 'UTC')
"""


def upgrade() -> None:
    op.create_table(
        "ledger_sums",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", Text(collation="C"), nullable=False),
        sa.Column("ruleset_id", sa.Uuid(), nullable=False),
        sa.Column("last_seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_seq", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("multiplier_percent", sa.SmallInteger(), nullable=False),
        sa.Column("delta", sa.Integer(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("seqs", ARRAY(sa.Integer()), nullable=False),
        sa.PrimaryKeyConstraint(
            "unit_id", "lead_id", "ruleset_id", "last_seq", name=op.f("pk_ledger_sums")
        ),
    )
    op.execute(FILL)
    op.create_index(
        "ix_events_left_out",
        "events",
        ["unit_id", "lead_id", "occurred_at"],
        postgresql_where=sa.text("suppression_reason IS NOT NULL"),
    )
