"""What is asked for in the background keeps its state, and short texts have an index.

Why: sample data is loaded by a worker and watched meanwhile; whoever invites somebody learns when
the mail could not be delivered; and a search for one or two letters read all leads of a unit.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

# How words and lines begin, by one and two characters: what a text too short for a trigram is
# looked up by. A mark before tells them from trigrams.
SEARCH_STARTS = """
    CREATE FUNCTION search_starts(unit uuid, content text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (
        SELECT coalesce(
            array_agg(DISTINCT '^' || left(start, size) || right(unit::text, 6)), '{}'
        )
        FROM (
            SELECT unnest(string_to_array(lower(content), E'\\n'))
            UNION ALL
            SELECT unnest(regexp_split_to_array(lower(content), '[^[:alnum:]]+'))
        ) AS starts (start), generate_series(1, 2) AS size
        WHERE start <> ''
    )
"""

SEARCH_TERMS = """
    CREATE FUNCTION search_terms(unit uuid, content text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN search_grams(unit, content) || search_starts(unit, content)
"""

# The terms that a content must have for the text to be in it: for a short text, at a beginning.
SEARCH_WANTED = """
    CREATE FUNCTION search_wanted(unit uuid, wanted text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN length(wanted) < 3 THEN ARRAY['^' || lower(wanted) || right(unit::text, 6)]
        ELSE search_grams(unit, wanted)
    END
"""

# Sample data that was loaded before there was a record of it.
KNOWN_SAMPLES = """
    INSERT INTO sample_loads
        (unit_id, load_id, org_id, state, leads, events, rules, created_at, created_by, loaded_at)
    SELECT u.unit_id, gen_random_uuid(), u.org_id, 'loaded',
        (SELECT count(*) FROM leads l WHERE l.unit_id = u.unit_id AND l.source = 'seed'),
        coalesce(t.processed + t.duplicates + t.failed, 0)
            + (SELECT count(*) FROM inbox i WHERE i.unit_id = u.unit_id AND i.source = 'seed'),
        (SELECT count(*) FROM rules r WHERE r.unit_id = u.unit_id AND r.created_by = 'seed'),
        coalesce(t.updated_at, now()), 'seed', coalesce(t.updated_at, now())
    FROM units u LEFT JOIN source_tallies t ON t.unit_id = u.unit_id AND t.source = 'seed'
    WHERE t.unit_id IS NOT NULL
       OR EXISTS (SELECT FROM inbox i WHERE i.unit_id = u.unit_id AND i.source = 'seed')
"""


def upgrade() -> None:
    _index_short_texts()
    _make_sample_loads()
    _make_link_mails()


def _index_short_texts() -> None:
    for function in (SEARCH_STARTS, SEARCH_TERMS, SEARCH_WANTED):
        op.execute(function)
    # Building the index once is several times quicker than changing it a million times.
    op.drop_index("ix_lead_search_grams", table_name="lead_search")
    op.execute("UPDATE lead_search SET grams = grams || search_starts(unit_id, text)")
    op.create_index(
        "ix_lead_search_grams", "lead_search", ["grams"], unique=False, postgresql_using="gin"
    )


def _make_sample_loads() -> None:
    op.create_table(
        "sample_loads",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("load_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("leads", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("events", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rules", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="of the latest attempt",
        ),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'loaded', 'failed')", name=op.f("ck_sample_loads_state")
        ),
        sa.PrimaryKeyConstraint("unit_id", name=op.f("pk_sample_loads")),
    )
    op.execute(KNOWN_SAMPLES)


def _make_link_mails() -> None:
    op.create_table(
        "link_mails",
        sa.Column("org_member_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column(
            "session_epoch",
            sa.Integer(),
            nullable=False,
            comment=("the member's when it was asked for; a password chosen since makes it stale"),
        ),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "due_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="the next attempt; while one is under way, when it counts as lost",
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'sent', 'failed')", name=op.f("ck_link_mails_state")
        ),
        sa.ForeignKeyConstraint(
            ["org_member_id"],
            ["members.org_member_id"],
            name=op.f("fk_link_mails_org_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("org_member_id", name=op.f("pk_link_mails")),
    )
    op.create_index(
        "ix_link_mails_due_at",
        "link_mails",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(op.f("ix_link_mails_org_id"), "link_mails", ["org_id"], unique=False)
