"""How many leads have which score, last event and hour, and indexes that filtered lists can use.

Why: the total of a filtered list was counted, up to a million entries for each page; and a page of
what stands far down in the order of scores (new leads, say) read all rows above it, which took
seconds. The histograms are kept by triggers, once a statement: a dozen statements write leads, and
a count that one of them forgets is wrong for good. The indexes hold what such pages look at, so
that no rows are read for leads that are not shown.

Revision ID: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text

revision = "0013"
down_revision = "0012"

FACETS = """
    CREATE FUNCTION lead_facets(
        score integer, last_event_type text, created_at timestamptz, last_event_at timestamptz
    ) RETURNS TABLE (facet text, label text, bucket bigint) LANGUAGE sql STABLE AS $$
        SELECT * FROM (VALUES
            ('score', '', score::bigint),
            ('event_type', last_event_type, 0::bigint),
            ('created', '', floor(extract(epoch FROM created_at) / 3600)::bigint),
            ('active', '', floor(extract(epoch FROM last_event_at) / 3600)::bigint)
        ) AS facets (facet, label, bucket)
        WHERE label IS NOT NULL AND bucket IS NOT NULL
    $$
"""

# What changes nothing about a bucket sums up to nothing, and is not written.
TALLY = """
    CREATE FUNCTION tally_leads_{event}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO lead_histograms AS kept (unit_id, facet, label, bucket, leads)
        SELECT unit_id, facets.facet, facets.label, facets.bucket, sum(change)
        FROM ({changes}) AS changed,
             lead_facets(score, last_event_type, created_at, last_event_at) AS facets
        GROUP BY 1, 2, 3, 4 HAVING sum(change) <> 0
        ORDER BY 1, 2, 3, 4  -- so that two of these cannot block one another
        ON CONFLICT (unit_id, facet, label, bucket)
        DO UPDATE SET leads = kept.leads + excluded.leads;
        RETURN NULL;
    END
    $$
"""
CHANGES = """
    SELECT unit_id, score, last_event_type, created_at, last_event_at, {change} AS change
    FROM {rows} WHERE merged_into IS NULL
"""
TRIGGER = """
    CREATE TRIGGER tally_{event} AFTER {event} ON leads REFERENCING {tables}
    FOR EACH STATEMENT EXECUTE FUNCTION tally_leads_{event}()
"""
COME, GONE = ("new_rows", 1), ("old_rows", -1)
NEW, OLD = "NEW TABLE AS new_rows", "OLD TABLE AS old_rows"
EVENTS = (
    ("insert", NEW, (COME,)),
    ("update", f"{OLD} {NEW}", (COME, GONE)),
    ("delete", OLD, (GONE,)),
)

FILL = """
    INSERT INTO lead_histograms (unit_id, facet, label, bucket, leads)
    SELECT unit_id, facets.facet, facets.label, facets.bucket, count(*)
    FROM leads, lead_facets(score, last_event_type, created_at, last_event_at) AS facets
    WHERE merged_into IS NULL
    GROUP BY 1, 2, 3, 4
"""


def upgrade() -> None:
    op.create_table(
        "lead_histograms",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("facet", Text(collation="C"), nullable=False),
        sa.Column(
            "label", Text(collation="C"), nullable=False, comment="the event type, or nothing"
        ),
        sa.Column(
            "bucket", sa.BigInteger(), nullable=False, comment="the score, or the hour since 1970"
        ),
        sa.Column("leads", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "unit_id", "facet", "label", "bucket", name=op.f("pk_lead_histograms")
        ),
        # Counts change all the time: with some room, they change in place.
        postgresql_with={"fillfactor": 70},
    )
    op.execute(FACETS)
    for event, tables, sides in EVENTS:
        changes = [CHANGES.format(rows=rows, change=change) for rows, change in sides]
        op.execute(TALLY.format(event=event, changes=" UNION ALL ".join(changes)))
        op.execute(TRIGGER.format(event=event, tables=tables))
    op.execute(FILL)
    _replace_indexes()


def _replace_indexes() -> None:
    for name, order, held in (
        ("score", "score DESC", ["created_at", "last_event_at"]),
        ("created_at", "created_at DESC", ["score"]),
        ("last_event_at", "last_event_at DESC NULLS LAST", ["score"]),
    ):
        op.drop_index(f"ix_leads_{name}", "leads")
        _create_index(name, [sa.literal_column(order)], held)
    _create_index("last_event_type", ["last_event_type", sa.literal_column("score DESC")], [])


def _create_index(
    name: str, columns: list[str | sa.ColumnElement[object]], held: list[str]
) -> None:
    op.create_index(
        f"ix_leads_{name}",
        "leads",
        ["unit_id", *columns, "lead_id"],
        postgresql_where=sa.text("merged_into IS NULL"),
        postgresql_include=held,
    )
