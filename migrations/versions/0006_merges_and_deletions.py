"""What it takes to undo a merge, to delete a lead for good, and to know what leads bought.

Why: an alias remembers whose it was, as an event does, so that leads that were merged can be taken
apart again. Deleting is a row that outlives the worker that was at it. Orders are no events: they
are shown beside them and never scored.

Revision ID: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"

CHANNELS = """
    INSERT INTO event_channels (unit_id, name) SELECT DISTINCT unit_id, channel FROM events
"""


def upgrade() -> None:
    op.add_column(
        "leads",
        sa.Column(
            "merged_by",
            sa.Text(),
            comment="who merged it; null when it was an anonymous visitor that the pipeline knew"
            " again",
        ),
    )
    op.add_column(
        "leads",
        sa.Column(
            "lost_events",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="events that a merge left out, and so deleted",
        ),
    )
    op.alter_column(
        "leads",
        "merged_into",
        comment="who stands for it; empty, which no id is, for one that is being deleted",
    )
    op.add_column("lead_aliases", sa.Column("original_lead_id", sa.Text()))
    op.create_table(
        "lead_merge_dismissals",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", Text(collation="C"), nullable=False),
        sa.Column("other_lead_id", Text(collation="C"), nullable=False),
        sa.Column("dismissed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dismissed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "unit_id", "lead_id", "other_lead_id", name=op.f("pk_lead_merge_dismissals")
        ),
    )
    _create_deletions()
    op.create_table(
        "event_channels",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "name", name=op.f("pk_event_channels")),
    )
    op.execute(CHANNELS)
    _create_orders()


def _create_deletions() -> None:
    op.create_table(
        "lead_deletions",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", Text(collation="C"), nullable=False),
        sa.Column("deletion_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("last_receipt", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("events_deleted", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        _beat_at(),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'in_progress', 'completed', 'failed')",
            name=op.f("ck_lead_deletions_state"),
        ),
        sa.PrimaryKeyConstraint("unit_id", "lead_id", name=op.f("pk_lead_deletions")),
    )
    op.create_index(
        "ix_lead_deletions_unfinished",
        "lead_deletions",
        ["requested_at"],
        postgresql_where=sa.text("state IN ('pending', 'in_progress')"),
    )
    op.create_table(
        "event_type_deletions",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("deletion_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("last_receipt", sa.BigInteger(), nullable=False),
        sa.Column("after_lead", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("events_deleted", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("entries_deleted", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        _beat_at(),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('in_progress', 'completed', 'failed')",
            name=op.f("ck_event_type_deletions_state"),
        ),
        sa.PrimaryKeyConstraint("unit_id", "event_type", name=op.f("pk_event_type_deletions")),
    )
    op.create_index(
        "ix_event_type_deletions_unfinished",
        "event_type_deletions",
        ["requested_at"],
        postgresql_where=sa.text("state = 'in_progress'"),
    )


def _beat_at() -> sa.Column[object]:
    return sa.Column(
        "beat_at",
        sa.DateTime(timezone=True),
        nullable=True,
        comment="the last sign of life of its worker; null while it has none",
    )


def _create_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", Text(collation="C"), nullable=False),
        sa.Column("lead_id", Text(collation="C"), nullable=False),
        sa.Column("original_lead_id", sa.Text(), nullable=True),
        sa.Column("amount", sa.Numeric(18, 4), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("items", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "order_id", name=op.f("pk_orders")),
    )
    op.create_index(
        "ix_orders_lead", "orders", ["unit_id", "lead_id", sa.literal_column("ordered_at DESC")]
    )
    op.create_index("ix_orders_latest", "orders", ["unit_id", sa.literal_column("ordered_at DESC")])
