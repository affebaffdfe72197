"""Leads that somebody put into a segment, or keeps out of it, whatever its rules say.

Why: whom to call this week is often a choice, not a rule. An action on many leads picks them too,
and remembers how each was before, so that it can be taken back.

Revision ID: 0026
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

_KINDS = "'assign_owner', 'watch', 'unwatch', 'rescore', 'delete'"


def upgrade() -> None:
    op.create_table(
        "segment_picks",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Text(collation="C"), nullable=False),
        sa.Column("is_in", sa.Boolean(), nullable=False, comment="false for one that is kept out"),
        sa.Column("picked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("picked_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["unit_id", "segment_id"],
            ["segments.unit_id", "segments.segment_id"],
            name=op.f("fk_segment_picks_unit_id_segment_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("unit_id", "segment_id", "lead_id", name=op.f("pk_segment_picks")),
    )
    op.create_index("ix_segment_picks_lead", "segment_picks", ["unit_id", "lead_id"])
    op.add_column(
        "bulk_actions",
        sa.Column(
            "segment_id", sa.Uuid(), nullable=True, comment="that leads are put into or kept out of"
        ),
    )
    op.add_column(
        "bulk_changes",
        sa.Column("was_in", sa.Boolean(), nullable=True, comment="how it was picked before, if so"),
    )
    op.drop_constraint(op.f("ck_bulk_actions_kind"), "bulk_actions")
    op.create_check_constraint(
        op.f("ck_bulk_actions_kind"),
        "bulk_actions",
        f"kind IN ({_KINDS}, 'add_to_segment', 'remove_from_segment')",
    )
