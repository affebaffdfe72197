"""What a quick start has made in each unit.

Why: applied again, it changes only what it made itself and nobody has edited since, so it has to
remember how it left each thing.

Revision ID: 0025
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.create_table(
        "quick_starts",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("answers", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("made", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("applied_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("dismissed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("unit_id", name=op.f("pk_quick_starts")),
    )
