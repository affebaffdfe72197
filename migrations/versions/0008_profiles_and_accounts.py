"""Where properties come from, the accounts of leads, and what leads and accounts are worth.

Why: a property that events bring remembers which event it comes from, so that the order in which
they arrive makes no difference; apart from the lead, because it changes far more often than the
property. An account carries what its list is sorted by, kept as its leads change. Scores name the
rules that were met and the config version that says what these were worth.

Revision ID: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"

PROPERTIES = """
    INSERT INTO metadata_properties (unit_id, kind, name)
    SELECT DISTINCT unit_id, 'lead', jsonb_object_keys(metadata) FROM leads
"""


def upgrade() -> None:
    op.create_index(
        "ix_leads_account",
        "leads",
        ["unit_id", "account_id", sa.literal_column("score DESC"), "lead_id"],
        postgresql_where=sa.text("account_id IS NOT NULL AND merged_into IS NULL"),
    )
    op.create_table(
        "lead_traces",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", Text(collation="C"), nullable=False),
        sa.Column("properties", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("link", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "lead_id", name=op.f("pk_lead_traces")),
        # Traces change with nearly every event: with some room, they change in place.
        postgresql_with={"fillfactor": 80},
    )
    op.create_table(
        "metadata_properties",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", Text(collation="C"), nullable=False),
        sa.CheckConstraint("kind IN ('lead', 'account')", name=op.f("ck_metadata_properties_kind")),
        sa.PrimaryKeyConstraint("unit_id", "kind", "name", name=op.f("pk_metadata_properties")),
    )
    op.execute(PROPERTIES)
    _create_accounts()
    _create_scores()
    _create_backfills()


def _create_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", Text(collation="C"), nullable=False),
        sa.Column("domain", Text(collation="C"), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("metadata", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("traces", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        _count("leads_count"),
        _count("top_score"),
        sa.Column("top_lead_id", sa.Text(), nullable=True, comment="who has the top score"),
        sa.Column("owner_name", sa.Text(), nullable=True, comment="of that lead"),
        _count("session_count"),
        sa.Column("last_event_at", sa.DateTime(timezone=True), nullable=True),
        _count("score", comment="in the primary account ruleset"),
        sa.PrimaryKeyConstraint("unit_id", "account_id", name=op.f("pk_accounts")),
    )
    op.create_index(
        "uq_accounts_domain",
        "accounts",
        ["unit_id", "domain"],
        unique=True,
        postgresql_where=sa.text("domain IS NOT NULL"),
    )
    op.create_index("ix_accounts_called", "accounts", ["unit_id", sa.literal_column("lower(name)")])
    for name, order in (
        ("top_score", "top_score DESC"),
        ("score", "score DESC"),
        ("last_event_at", "last_event_at DESC NULLS LAST"),
        ("created_at", "created_at DESC"),
        ("name", "name"),
    ):
        op.create_index(
            f"ix_accounts_{name}",
            "accounts",
            ["unit_id", sa.literal_column(order), "account_id"],
            postgresql_where=sa.text("leads_count > 0"),
        )
    op.create_table(
        "account_search",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", Text(collation="C"), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("grams", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "account_id", name=op.f("pk_account_search")),
    )
    op.create_index("ix_account_search_grams", "account_search", ["grams"], postgresql_using="gin")


def _create_scores() -> None:
    for table, subject in (("lead_profile_scores", "lead_id"), ("account_scores", "account_id")):
        op.create_table(
            table,
            sa.Column("unit_id", sa.Uuid(), nullable=False),
            sa.Column(subject, Text(collation="C"), nullable=False),
            sa.Column("ruleset_id", sa.Uuid(), nullable=False),
            sa.Column("score", sa.Integer(), nullable=False),
            sa.Column("matched", postgresql.ARRAY(sa.Uuid()), nullable=False),
            sa.Column("version", sa.Integer(), nullable=False),
            sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
            sa.PrimaryKeyConstraint("unit_id", subject, "ruleset_id", name=op.f(f"pk_{table}")),
        )
    op.create_table(
        "attribute_rescores",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ruleset_id", sa.Uuid(), nullable=False),
        sa.Column(
            "after", Text(collation="C"), nullable=False, comment="the last one that is done"
        ),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('links', 'profile', 'account', 'headline')",
            name=op.f("ck_attribute_rescores_kind"),
        ),
        sa.PrimaryKeyConstraint(
            "unit_id", "kind", "ruleset_id", name=op.f("pk_attribute_rescores")
        ),
    )


def _create_backfills() -> None:
    op.create_table(
        "backfills",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("backfill_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column(
            "after", Text(collation="C"), nullable=False, comment="the last one that is done"
        ),
        _count("total", comment="leads and accounts to go over"),
        _count("done"),
        sa.Column("counts", postgresql.JSONB(), nullable=False),
        _count("attempts", comment="starts since it last got on"),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "beat_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="the last sign of life of its worker; null while it has none",
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('accounts', 'event_accounts', 'profile_mappings')",
            name=op.f("ck_backfills_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'finished', 'failed', 'cancelled')",
            name=op.f("ck_backfills_state"),
        ),
        sa.PrimaryKeyConstraint("unit_id", "backfill_id", name=op.f("pk_backfills")),
    )
    op.create_index(
        "uq_backfills_unfinished",
        "backfills",
        ["unit_id", "kind"],
        unique=True,
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )


def _count(name: str, *, comment: str | None = None) -> sa.Column[int]:
    return sa.Column(
        name, sa.Integer(), server_default=sa.text("0"), nullable=False, comment=comment
    )
