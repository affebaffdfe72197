"""What is needed to undo an import: who brought what, and how it was before.

Why: an import of the wrong file can only be taken back exactly if it is known which aliases it
brought, which visitors it made known, and what its rows changed of leads that there were already.
What was imported before this has left no such traces: those changes stay.

Revision ID: 0024
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import JSONB

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.add_column(
        "leads",
        sa.Column(
            "folded_by",
            sa.Text(),
            nullable=True,
            comment="whose event or row made the pipeline know it again: a source, as of events",
        ),
    )
    op.add_column(
        "lead_aliases",
        sa.Column(
            "source",
            sa.Text(),
            nullable=True,
            comment="who brought it, as of events; null for those from before this was kept",
        ),
    )
    op.create_table(
        "import_changes",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", Text(collation="C"), nullable=False),
        sa.Column("before", JSONB(), nullable=False),
        sa.Column("after", JSONB(), nullable=False),
        sa.Column("owner_before", sa.Uuid(), nullable=True),
        sa.Column("owner_after", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("unit_id", "import_id", "lead_id", name=op.f("pk_import_changes")),
    )
    op.create_index("ix_import_changes_lead", "import_changes", ["unit_id", "lead_id"])
    op.create_table(
        "import_undos",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "total",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="leads to go over",
        ),
        sa.Column("counts", JSONB(), nullable=False, comment="what is gone or put back so far"),
        sa.Column(
            "attempts",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="starts since it last got on",
        ),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column(
            "beat_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="the last sign of life of its worker; null while it has none",
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'finished', 'failed')",
            name=op.f("ck_import_undos_state"),
        ),
        sa.PrimaryKeyConstraint("unit_id", "import_id", name=op.f("pk_import_undos")),
    )
    op.create_index(
        "ix_import_undos_unfinished",
        "import_undos",
        ["asked_at"],
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_table(
        "import_undo_leads",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint(
            "unit_id", "import_id", "lead_id", name=op.f("pk_import_undo_leads")
        ),
    )
