"""Files of leads, and the leads that members watch.

Why: a file of leads waits for somebody to say what its columns mean before it is read, and shares
everything else with a file of events: its pieces, its checkpoint, its refused rows. Who watches a
lead is noted under the lead as it was then, so that a merge and its undoing need not touch it.

Revision ID: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column(
        "imports",
        sa.Column("kind", sa.Text(), server_default="events", nullable=False),
    )
    op.add_column(
        "imports",
        sa.Column(
            "plan",
            postgresql.JSONB(),
            nullable=True,
            comment="what the columns of a file of leads mean",
        ),
    )
    op.add_column(
        "imports",
        sa.Column(
            "rows_created",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="accepted rows that made a new lead",
        ),
    )
    op.create_check_constraint(op.f("ck_imports_kind"), "imports", "kind IN ('events', 'leads')")
    op.drop_constraint(op.f("ck_imports_state"), "imports")
    op.create_check_constraint(
        op.f("ck_imports_state"),
        "imports",
        "state IN ('uploaded', 'queued', 'running', 'finished', 'failed')",
    )
    op.create_table(
        "lead_watches",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("org_member_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", Text(collation="C"), nullable=False),
        sa.Column("watch_id", sa.Uuid(), nullable=False),
        sa.Column("prediction", sa.Text(), nullable=True),
        sa.Column("prediction_notes", sa.Text(), nullable=True),
        sa.Column("score", sa.Integer(), nullable=False, comment="the lead's when it was watched"),
        sa.Column("watched_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_member_id"],
            ["members.org_member_id"],
            name=op.f("fk_lead_watches_org_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "unit_id", "org_member_id", "lead_id", name=op.f("pk_lead_watches")
        ),
    )
    op.create_index("ix_lead_watches_lead", "lead_watches", ["unit_id", "lead_id"])
    op.create_index(op.f("ix_lead_watches_org_member_id"), "lead_watches", ["org_member_id"])
