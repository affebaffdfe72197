"""Segments and their rules.

Why: an audience is named once and asked for anywhere. Membership is nowhere stored: it is whatever
the rules say of a lead now.

Revision ID: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "segments",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "segment_id", name=op.f("pk_segments")),
        sa.UniqueConstraint("unit_id", "name", name=op.f("uq_segments_unit_id_name")),
    )
    op.create_table(
        "segment_rules",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rule_type", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False, comment="the property; empty for levels"),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(), nullable=True),
        sa.Column(
            "event_type",
            sa.Text(),
            nullable=False,
            comment="whose events are looked at, or nothing",
        ),
        sa.Column("group", sa.Integer(), nullable=False),
        sa.Column(
            "logic_op", sa.Text(), nullable=False, comment="joins it to what stands before it"
        ),
        sa.Column("order", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "rule_type IN ('lead_metadata', 'event_metadata', 'account_metadata',"
            " 'engagement_level', 'profile_level', 'account_level')",
            name=op.f("ck_segment_rules_rule_type"),
        ),
        sa.CheckConstraint("logic_op IN ('AND', 'OR')", name=op.f("ck_segment_rules_logic_op")),
        sa.ForeignKeyConstraint(
            ["unit_id", "segment_id"],
            ["segments.unit_id", "segments.segment_id"],
            name=op.f("fk_segment_rules_unit_id_segment_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("unit_id", "segment_id", "rule_id", name=op.f("pk_segment_rules")),
    )
