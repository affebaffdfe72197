"""What figures are read from: events by day and type, boosted ledger entries, Slack's latency.

Why: counting a million events one by one takes the better part of a second, so the pipeline keeps
what they add up to by day. The leads behind them are counted from the leads themselves as long as
nobody has decided about a type, and otherwise from the index by time, which needs three columns
more for it. Surge metrics look for the few entries that a multiplier raised. How long events take
to Slack is measured in workers, of which web processes know nothing.

Revision ID: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

COUNTED = """
    INSERT INTO event_days (unit_id, day, event_type, events)
    SELECT unit_id, (occurred_at AT TIME ZONE 'UTC')::date, event_type, count(*) FROM events
    WHERE suppression_reason IS NULL AND receipt > 0 GROUP BY 1, 2, 3
"""


DECIDED = """
    UPDATE event_types SET was_decided = true
    WHERE hidden OR max_processing_scope <> 'activate' OR EXISTS (
        SELECT FROM config_versions version
        WHERE version.unit_id = event_types.unit_id
          AND version.config #> '{policies,event_types}' ? event_types.name
    )
"""


def upgrade() -> None:
    op.create_table(
        "event_days",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "day", "event_type", name=op.f("pk_event_days")),
        # Today's rows change with every batch: with some room, they change in place.
        postgresql_with={"fillfactor": 70},
    )
    op.execute(COUNTED)
    op.add_column(
        "event_types",
        sa.Column(
            "was_decided",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="somebody once made a choice about it",
        ),
    )
    op.execute(DECIDED)
    op.drop_index("ix_events_latest", "events")
    op.create_index(
        "ix_events_latest",
        "events",
        ["unit_id", sa.literal_column("occurred_at DESC"), sa.literal_column("receipt DESC")],
        postgresql_include=["lead_id", "event_type", "suppression_reason"],
    )
    op.create_index(
        "ix_score_entries_boosted",
        "score_entries",
        ["unit_id", "occurred_at"],
        postgresql_where=sa.text("multiplier_percent > 100"),
    )
    op.create_table(
        "slack_latencies",
        sa.Column("at_most_seconds", sa.Double(), nullable=False),
        sa.Column("deliveries", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("at_most_seconds", name=op.f("pk_slack_latencies")),
    )
