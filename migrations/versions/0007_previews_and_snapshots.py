"""What a configuration would do, rescores that outlive their worker, and what scores once were.

Why: a preview goes over all leads of a unit and keeps what it found for a week; a rescore goes on
where it stopped. Snapshots keep what a score was at the time, which a rescore takes out of the
ledger.

Revision ID: 0007
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

STATES = "state IN ('queued', 'running', 'finished', 'failed', 'cancelled')"
UNFINISHED = sa.text("state IN ('queued', 'running')")


def upgrade() -> None:
    op.create_table(
        "scoring_previews",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("preview_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "subject", sa.Text(), nullable=False, comment="which configuration it is of, in words"
        ),
        sa.Column("config", postgresql.JSONB(), nullable=False),
        sa.Column(
            "version",
            sa.Integer(),
            nullable=False,
            comment="the one in force when it was asked for",
        ),
        sa.Column("thresholds", postgresql.JSONB(), nullable=False),
        *_checkpoint(),
        sa.Column("findings", postgresql.JSONB(), nullable=False),
        *_life(),
        sa.CheckConstraint(
            "kind IN ('engagement', 'profile')", name=op.f("ck_scoring_previews_kind")
        ),
        sa.CheckConstraint(STATES, name=op.f("ck_scoring_previews_state")),
        sa.PrimaryKeyConstraint("unit_id", "preview_id", name=op.f("pk_scoring_previews")),
    )
    op.create_index(
        "ix_scoring_previews_unfinished",
        "scoring_previews",
        ["created_at"],
        postgresql_where=UNFINISHED,
    )
    _create_preview_leads()
    op.create_table(
        "scoring_rescores",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("rescore_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "version",
            sa.Integer(),
            nullable=False,
            comment="the one that leads up to the checkpoint have",
        ),
        *_checkpoint(),
        sa.Column(
            "restarts",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="how often a new version made it begin again",
        ),
        sa.Column(
            "events_returned",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="events without a lead that went back to the inbox",
        ),
        *_life(),
        sa.CheckConstraint(STATES, name=op.f("ck_scoring_rescores_state")),
        sa.PrimaryKeyConstraint("unit_id", "rescore_id", name=op.f("pk_scoring_rescores")),
    )
    op.create_index(
        "uq_scoring_rescores_unfinished",
        "scoring_rescores",
        ["unit_id"],
        unique=True,
        postgresql_where=UNFINISHED,
    )
    _create_snapshots()


def _checkpoint() -> Iterator[sa.Column[object]]:
    yield sa.Column("leads_total", sa.Integer(), nullable=False)
    yield sa.Column("leads_done", sa.Integer(), server_default=sa.text("0"), nullable=False)
    yield sa.Column("after_lead", Text(collation="C"), server_default=sa.text("''"), nullable=False)


def _life() -> Iterator[sa.Column[object]]:
    yield sa.Column(
        "attempts",
        sa.Integer(),
        server_default=sa.text("0"),
        nullable=False,
        comment="starts since the checkpoint last moved",
    )
    yield sa.Column("error", sa.Text(), nullable=True)
    yield sa.Column("created_at", sa.DateTime(timezone=True), nullable=False)
    yield sa.Column("created_by", sa.Text(), nullable=False)
    yield sa.Column("started_at", sa.DateTime(timezone=True), nullable=True)
    yield sa.Column(
        "beat_at",
        sa.DateTime(timezone=True),
        nullable=True,
        comment="the last sign of life of its worker; null while it has none",
    )
    yield sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True)


def _create_preview_leads() -> None:
    op.create_table(
        "scoring_preview_leads",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("preview_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", Text(collation="C"), nullable=False),
        sa.Column(
            "is_new",
            sa.Boolean(),
            nullable=False,
            comment="it would come to be; its id is a stand-in",
        ),
        sa.Column("old_score", sa.Integer(), nullable=False),
        sa.Column("new_score", sa.Integer(), nullable=False),
        sa.Column("old_level", sa.Text(), nullable=False),
        sa.Column("new_level", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "unit_id", "preview_id", "lead_id", name=op.f("pk_scoring_preview_leads")
        ),
    )
    op.create_index(
        "ix_scoring_preview_leads_change",
        "scoring_preview_leads",
        [
            "unit_id",
            "preview_id",
            sa.literal_column("abs(new_score - old_score) DESC"),
            "lead_id",
        ],
    )


def _create_snapshots() -> None:
    op.create_table(
        "score_snapshots",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", Text(collation="C"), nullable=False),
        sa.Column("ruleset_id", sa.Uuid(), nullable=False),
        sa.Column("snapshot_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "unit_id", "lead_id", "ruleset_id", "snapshot_at", name=op.f("pk_score_snapshots")
        ),
    )
    op.create_index(
        "ix_score_snapshots_latest",
        "score_snapshots",
        ["unit_id", sa.literal_column("snapshot_at DESC")],
    )
