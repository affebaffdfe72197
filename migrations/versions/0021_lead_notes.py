"""Notes about leads, and quick answers about merges.

Why: members write down what no event says. The page of a lead also shows what was merged into it
and whom it may be merged with, which must not take a walk over all leads.

Revision ID: 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "lead_notes",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("note_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Text(collation="C"), nullable=False),
        sa.Column("original_lead_id", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "note_id", name=op.f("pk_lead_notes")),
    )
    op.create_index(
        "ix_lead_notes_lead",
        "lead_notes",
        ["unit_id", "lead_id", sa.text("created_at DESC"), sa.text("note_id DESC")],
    )
    op.create_index(
        "ix_leads_merged_into",
        "leads",
        ["unit_id", "merged_into"],
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_alias_conflicts_other", "lead_alias_conflicts", ["unit_id", "other_lead_id"]
    )
