"""What steers scoring beside rules, and what scoring by it needs to know of events and leads.

Why: surge, decay, filters, mappings and profile rules are each a small document that somebody
edits and that a config version snapshots; one table holds them all. Events remember how a filter
saw them; one that is suppressed and names nobody we know stays without a lead, with the identity
that it came with, until a rescore lets it count.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "config_items",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "kind", "item_id", name="pk_config_items"),
    )
    op.alter_column("events", "lead_id", nullable=True)
    op.add_column("events", sa.Column("fingerprint", sa.BigInteger()))
    op.add_column(
        "events",
        sa.Column("is_folded", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )
    op.add_column("events", sa.Column("unclaimed", postgresql.JSONB()))
    op.create_index(
        "ix_events_unclaimed",
        "events",
        ["unit_id", "receipt"],
        postgresql_where=sa.text("lead_id IS NULL"),
    )
    op.add_column(
        "leads", sa.Column("surge_place", sa.Integer(), nullable=False, server_default=sa.text("0"))
    )
    op.add_column("leads", sa.Column("last_decay_at", sa.DateTime(timezone=True)))
    op.add_column(
        "leads",
        sa.Column("base_version", sa.Integer(), nullable=False, server_default=sa.text("0")),
    )
