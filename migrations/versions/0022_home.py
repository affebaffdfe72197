"""What the home page is read from: channels of days, mixes of scores, and who has seen enough.

Why: which channels events come through is asked for with every look at the home page, so the counts
by day tell them apart. How many leads had which score is noted once a day, since it cannot be told
afterwards without looking at every lead. Whoever has put the first steps away is remembered.

Revision ID: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

COUNTED = """
    INSERT INTO event_days (unit_id, day, event_type, channel, events)
    SELECT unit_id, (occurred_at AT TIME ZONE 'UTC')::date, event_type, channel, count(*)
    FROM events WHERE suppression_reason IS NULL AND receipt > 0 GROUP BY 1, 2, 3, 4
"""


def upgrade() -> None:
    op.execute("DELETE FROM event_days")
    op.add_column("event_days", sa.Column("channel", sa.Text(), nullable=False))
    op.drop_constraint("pk_event_days", "event_days")
    op.create_primary_key(
        "pk_event_days", "event_days", ["unit_id", "day", "event_type", "channel"]
    )
    op.execute(COUNTED)
    op.create_table(
        "score_mixes",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("score", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("leads", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "day", "score", name=op.f("pk_score_mixes")),
    )
    op.create_table(
        "first_steps_hidden",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("org_member_id", sa.Uuid(), nullable=False),
        sa.Column("hidden_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_member_id"],
            ["members.org_member_id"],
            name=op.f("fk_first_steps_hidden_org_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("unit_id", "org_member_id", name=op.f("pk_first_steps_hidden")),
    )
    op.create_index(
        op.f("ix_first_steps_hidden_org_member_id"), "first_steps_hidden", ["org_member_id"]
    )
