"""The tables of the first release.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

# Core PostgreSQL has no trigram index without an extension, which hosted and embedded servers may
# lack. An array of trigrams under GIN does the same; each carries a piece of the unit's id, so that
# a search never wades through the leads of others.
SEARCH_GRAMS = """
    CREATE FUNCTION search_grams(unit uuid, content text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (
        SELECT coalesce(
            array_agg(DISTINCT substr(lower(content), i, 3) || right(unit::text, 6)), '{}'
        )
        FROM generate_series(1, length(content) - 2) AS i
    )
"""

# The inbox fills and empties all day: vacuum it by the dozen thousand rows, not by its share.
INBOX_VACUUM = """
    ALTER TABLE inbox SET (
        autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000
    )
"""


def upgrade() -> None:
    op.execute(SEARCH_GRAMS)
    op.create_table(
        "audit_log",
        sa.Column("audit_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "actor", sa.Text(), nullable=False, comment="e-mail address, client id, or command"
        ),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("ip", sa.Text(), nullable=True),
        sa.Column("latency_ms", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit_log")),
    )
    op.create_index(
        "ix_audit_log_org_id_created_at", "audit_log", ["org_id", "created_at"], unique=False
    )
    op.create_table(
        "config_versions",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("config", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False, comment="what changed, in words"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "version", name=op.f("pk_config_versions")),
    )
    op.create_table(
        "dead_letters",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("receipt", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("payload", postgresql.JSON(astext_type=Text()), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "receipt", name=op.f("pk_dead_letters")),
    )
    op.create_table(
        "event_types",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hidden", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "max_processing_scope", sa.Text(), server_default=sa.text("'activate'"), nullable=False
        ),
        sa.Column("event_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "max_processing_scope IN ('observe', 'decide', 'activate')",
            name=op.f("ck_event_types_scope"),
        ),
        sa.PrimaryKeyConstraint("unit_id", "name", name=op.f("pk_event_types")),
    )
    op.create_table(
        "events",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Text(collation="C"), nullable=False),
        sa.Column("receipt", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "version", sa.Integer(), nullable=False, comment="the config version it is scored under"
        ),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("suppression_reason", sa.Text(), nullable=True),
        sa.Column("original_lead_id", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "event_id", name=op.f("pk_events")),
    )
    op.create_index(
        "ix_events_latest",
        "events",
        ["unit_id", sa.literal_column("occurred_at DESC"), sa.literal_column("receipt DESC")],
        unique=False,
    )
    op.create_index(
        "ix_events_metadata",
        "events",
        ["metadata"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"metadata": "jsonb_path_ops"},
    )
    op.create_index(
        "ix_events_timeline",
        "events",
        [
            "unit_id",
            "lead_id",
            sa.literal_column("occurred_at DESC"),
            sa.literal_column("receipt DESC"),
        ],
        unique=False,
    )
    op.create_index(
        "uq_events_message_id",
        "events",
        ["unit_id", "message_id"],
        unique=True,
        postgresql_where=sa.text("message_id IS NOT NULL"),
    )
    op.create_table(
        "import_chunks",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "import_id", "number", name=op.f("pk_import_chunks")),
    )
    op.create_table(
        "import_errors",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("row_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "row",
            sa.Text(),
            nullable=False,
            comment="the row as it stood in the file, cut when long",
        ),
        sa.PrimaryKeyConstraint(
            "unit_id", "import_id", "row_number", name=op.f("pk_import_errors")
        ),
    )
    op.create_table(
        "imports",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("encoding", sa.Text(), nullable=False),
        sa.Column("delimiter", sa.Text(), nullable=False),
        sa.Column(
            "header",
            postgresql.JSONB(astext_type=Text()),
            nullable=False,
            comment="the column names as the file writes them",
        ),
        sa.Column(
            "size_bytes", sa.BigInteger(), nullable=False, comment="of the file as text, unpacked"
        ),
        sa.Column(
            "bytes_read",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="where the next row begins",
        ),
        sa.Column(
            "last_row",
            sa.Integer(),
            server_default=sa.text("1"),
            nullable=False,
            comment="number of the row before it; the header is 1",
        ),
        sa.Column("rows_read", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows_accepted", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows_failed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("skip_triggers", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "attempts",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="starts since a row was last read",
        ),
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
            "state IN ('queued', 'running', 'finished', 'failed')", name=op.f("ck_imports_state")
        ),
        sa.PrimaryKeyConstraint("unit_id", "import_id", name=op.f("pk_imports")),
    )
    op.create_index(
        "ix_imports_created_at",
        "imports",
        ["unit_id", sa.literal_column("created_at DESC")],
        unique=False,
    )
    op.create_table(
        "inbox",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("receipt", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("payload", postgresql.JSON(astext_type=Text()), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "receipt", name=op.f("pk_inbox")),
    )
    op.create_table(
        "lead_alias_conflicts",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Text(collation="C"), nullable=False),
        sa.Column("other_lead_id", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "unit_id", "lead_id", "other_lead_id", name=op.f("pk_lead_alias_conflicts")
        ),
    )
    op.create_table(
        "lead_aliases",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(collation="C"), nullable=False),
        sa.Column("raw_value", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.Text(collation="C"), nullable=False),
        sa.Column("alias_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('email', 'phone', 'external_id', 'cookie', 'social')",
            name=op.f("ck_lead_aliases_kind"),
        ),
        sa.PrimaryKeyConstraint("unit_id", "kind", "value", name=op.f("pk_lead_aliases")),
    )
    op.create_index("ix_lead_aliases_lead", "lead_aliases", ["unit_id", "lead_id"], unique=False)
    op.create_table(
        "lead_scores",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Text(collation="C"), nullable=False),
        sa.Column("ruleset_id", sa.Uuid(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "lead_id", "ruleset_id", name=op.f("pk_lead_scores")),
    )
    op.create_table(
        "lead_search",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Text(collation="C"), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("grams", postgresql.ARRAY(Text()), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "lead_id", name=op.f("pk_lead_search")),
    )
    op.create_index(
        "ix_lead_search_grams", "lead_search", ["grams"], unique=False, postgresql_using="gin"
    )
    op.create_table(
        "lead_sessions",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Text(collation="C"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "lead_id", "started_at", name=op.f("pk_lead_sessions")),
    )
    op.create_table(
        "lead_tallies",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("listed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", name=op.f("pk_lead_tallies")),
    )
    op.create_table(
        "leads",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("owner_name", sa.Text(), nullable=True),
        sa.Column(
            "name",
            sa.Text(),
            nullable=False,
            comment="what people call it: a name, an address or its id",
        ),
        sa.Column("detail", sa.Text(), nullable=True, comment="second line: company or best alias"),
        sa.Column(
            "metadata",
            postgresql.JSONB(astext_type=Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column(
            "has_own_id",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="the client chose the id, so it is no stranger",
        ),
        sa.Column("merged_into", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("score", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("ruleset_id", sa.Uuid(), nullable=True, comment="the ruleset behind `score`"),
        sa.Column("last_event_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_event_type", sa.Text(), nullable=True),
        sa.Column("last_receipt", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("event_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("session_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "lead_id", name=op.f("pk_leads")),
    )
    op.create_index(
        "ix_leads_created_at",
        "leads",
        ["unit_id", sa.literal_column("created_at DESC"), "lead_id"],
        unique=False,
        postgresql_where=sa.text("merged_into IS NULL"),
    )
    op.create_index(
        "ix_leads_last_event_at",
        "leads",
        ["unit_id", sa.literal_column("last_event_at DESC NULLS LAST"), "lead_id"],
        unique=False,
        postgresql_where=sa.text("merged_into IS NULL"),
    )
    op.create_index(
        "ix_leads_name",
        "leads",
        ["unit_id", sa.literal_column("name"), "lead_id"],
        unique=False,
        postgresql_where=sa.text("merged_into IS NULL"),
    )
    op.create_index(
        "ix_leads_score",
        "leads",
        ["unit_id", sa.literal_column("score DESC"), "lead_id"],
        unique=False,
        postgresql_where=sa.text("merged_into IS NULL"),
    )
    op.create_table(
        "levels",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("level_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("min_score", sa.Integer(), nullable=False),
        sa.Column("max_score", sa.Integer(), nullable=True),
        sa.Column("color", sa.Text(), nullable=False),
        sa.Column("order", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('engagement', 'profile', 'account')", name=op.f("ck_levels_kind")
        ),
        sa.PrimaryKeyConstraint("unit_id", "level_id", name=op.f("pk_levels")),
        sa.UniqueConstraint("unit_id", "kind", "name", name=op.f("uq_levels_unit_id_kind_name")),
    )
    op.create_table(
        "login_failures",
        sa.Column("subject", sa.Text(), nullable=False, comment="'email:...' or 'ip:...'"),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_login_failures")),
    )
    op.create_table(
        "org_scoring_settings",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column(
            "allow_negative_scores", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column("abm_enabled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_org_scoring_settings")),
    )
    op.create_table(
        "organizations",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_organizations")),
    )
    op.create_table(
        "rulesets",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("ruleset_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("score_column", sa.Text(), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "ruleset_id", name=op.f("pk_rulesets")),
        sa.UniqueConstraint("unit_id", "name", name=op.f("uq_rulesets_unit_id_name")),
    )
    op.create_index(
        "uq_rulesets_primary",
        "rulesets",
        ["unit_id"],
        unique=True,
        postgresql_where=sa.text("is_primary"),
    )
    op.create_table(
        "score_entries",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Text(collation="C"), nullable=False),
        sa.Column("ruleset_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("multiplier_percent", sa.SmallInteger(), nullable=False),
        sa.Column("before", sa.Integer(), nullable=False),
        sa.Column("delta", sa.Integer(), nullable=False),
        sa.Column("after", sa.Integer(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "unit_id", "lead_id", "ruleset_id", "seq", name=op.f("pk_score_entries")
        ),
    )
    op.create_table(
        "source_tallies",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("processed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("duplicates", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("failed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "source", name=op.f("pk_source_tallies")),
    )
    op.create_table(
        "stale_headlines",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", name=op.f("pk_stale_headlines")),
    )
    op.create_table(
        "unit_scoring_settings",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column(
            "session_timeout_minutes", sa.Integer(), server_default=sa.text("30"), nullable=False
        ),
        sa.PrimaryKeyConstraint("unit_id", name=op.f("pk_unit_scoring_settings")),
    )
    op.create_table(
        "members",
        sa.Column("org_member_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False, comment="lower case"),
        sa.Column(
            "password_hash",
            sa.Text(),
            nullable=True,
            comment="argon2; null until an invite is taken",
        ),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column(
            "session_epoch",
            sa.Integer(),
            nullable=False,
            comment="raised by a password change, which ends every older session",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role IN ('admin', 'member')", name=op.f("ck_members_role")),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organizations.org_id"], name=op.f("fk_members_org_id")
        ),
        sa.PrimaryKeyConstraint("org_member_id", name=op.f("pk_members")),
        sa.UniqueConstraint("email", name=op.f("uq_members_email")),
    )
    op.create_index(op.f("ix_members_org_id"), "members", ["org_id"], unique=False)
    op.create_table(
        "rules",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("ruleset_id", sa.Uuid(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("icon", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["unit_id", "ruleset_id"],
            ["rulesets.unit_id", "rulesets.ruleset_id"],
            name=op.f("fk_rules_unit_id_ruleset_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("unit_id", "rule_id", name=op.f("pk_rules")),
        sa.UniqueConstraint(
            "unit_id",
            "ruleset_id",
            "event_type",
            name=op.f("uq_rules_unit_id_ruleset_id_event_type"),
        ),
    )
    op.create_table(
        "units",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("external_ref", sa.Text(), nullable=True),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.org_id"], name=op.f("fk_units_org_id")),
        sa.PrimaryKeyConstraint("unit_id", name=op.f("pk_units")),
        sa.UniqueConstraint("org_id", "slug", name=op.f("uq_units_org_id_slug")),
    )
    op.create_index(
        "uq_units_default", "units", ["org_id"], unique=True, postgresql_where=sa.text("is_default")
    )
    op.create_table(
        "credentials",
        sa.Column("secret_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("trust_upstream_consent", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organizations.org_id"], name=op.f("fk_credentials_org_id")
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["units.unit_id"], name=op.f("fk_credentials_unit_id")
        ),
        sa.PrimaryKeyConstraint("secret_id", name=op.f("pk_credentials")),
        sa.UniqueConstraint("client_id", name=op.f("uq_credentials_client_id")),
    )
    op.create_index("ix_credentials_unit_id", "credentials", ["unit_id", "secret_id"], unique=False)
    op.create_table(
        "member_links",
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("org_member_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("purpose IN ('invite', 'reset')", name=op.f("ck_member_links_purpose")),
        sa.ForeignKeyConstraint(
            ["org_member_id"],
            ["members.org_member_id"],
            name=op.f("fk_member_links_org_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_member_links")),
    )
    op.create_index(
        op.f("ix_member_links_org_member_id"), "member_links", ["org_member_id"], unique=False
    )
    op.create_table(
        "memberships",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("org_member_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role IN ('Owner', 'Operator', 'Viewer')", name=op.f("ck_memberships_role")
        ),
        sa.ForeignKeyConstraint(
            ["org_member_id"],
            ["members.org_member_id"],
            name=op.f("fk_memberships_org_member_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["units.unit_id"], name=op.f("fk_memberships_unit_id")
        ),
        sa.PrimaryKeyConstraint("unit_id", "org_member_id", name=op.f("pk_memberships")),
    )
    op.create_index(
        op.f("ix_memberships_org_member_id"), "memberships", ["org_member_id"], unique=False
    )
    op.create_table(
        "refresh_tokens",
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("org_member_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_member_id"],
            ["members.org_member_id"],
            name=op.f("fk_refresh_tokens_org_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_refresh_tokens")),
    )
    op.create_index(
        op.f("ix_refresh_tokens_family_id"), "refresh_tokens", ["family_id"], unique=False
    )
    op.create_index(
        op.f("ix_refresh_tokens_org_member_id"), "refresh_tokens", ["org_member_id"], unique=False
    )
    op.execute(INBOX_VACUUM)
