"""Lists of leads that need no counting: by who has been called, and whom nobody looks after.

Why: of half a million leads, reading an index takes a twentieth of a second, and reading the leads
ten times as long. So kinds that Nexus ERP's clients ask for are counted as they come, and indexes
hold what else is asked for, but for texts: two long ones are more than an entry can hold, and the
lead could not be written.

Revision ID: 0035
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"

COLUMNS = (
    "value", "qualified_at", "gclid", "dclid", "wbraid", "gbraid", "ga4cid", "ga4sid", "fbc",
    "fbp", "msclkid", "ttclid", "twclid", "rdt_cid", "sccid", "epik", "li_fat_id",
)  # fmt: skip
KINDS = ", ".join(
    f"CASE WHEN {condition} THEN '{facet}' END"
    for facet, condition in (
        ("is_contacted", "r.status = 'contacted'"),
        ("is_owned", "r.owner_id IS NOT NULL"),
        ("is_owned_contacted", "r.status = 'contacted' AND r.owner_id IS NOT NULL"),
    )
)
HAS = ", ".join(f"CASE WHEN r.{name} IS NOT NULL THEN '{name}' END" for name in COLUMNS)
COUNTED = """
    SELECT r.unit_id, f.facet, r.outcome, r.intake, (r.created_at AT TIME ZONE 'UTC')::date AS day,
        {sign}1 AS leads, {sign}coalesce(r.value, 0)::numeric AS value
    FROM {rows} r, unnest(ARRAY[{facets}]) AS f (facet)
    WHERE r.is_listed AND f.facet IS NOT NULL
"""
ALL = f"'', {HAS}, {KINDS}"
COME = COUNTED.format(rows="new_rows", sign="", facets=ALL)
GONE = COUNTED.format(rows="old_rows", sign="-", facets=ALL)
EVENTS = (("insert", COME), ("update", f"{COME} UNION ALL {GONE}"), ("delete", GONE))
# In one order, so that two transactions never wait for one another.
ADD = """
    INSERT INTO lead_record_counts AS kept (unit_id, facet, outcome, intake, day, leads, value)
    SELECT unit_id, facet, outcome, intake, day, sum(leads), sum(value)
    FROM ({rows}) AS changed
    GROUP BY 1, 2, 3, 4, 5 HAVING sum(leads) <> 0 OR sum(value) <> 0 ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (unit_id, facet, outcome, intake, day)
    DO UPDATE SET leads = kept.leads + excluded.leads, value = kept.value + excluded.value
"""

ASKED = ("outcome", "intake", "value", "updated_at", "qualified_at")
TEXTS = ("website", "label_id", "utm_source", "utm_medium", "utm_campaign")


def upgrade() -> None:
    for event, rows in EVENTS:
        op.execute(
            f"""
            CREATE OR REPLACE FUNCTION count_records_{event}() RETURNS trigger
            LANGUAGE plpgsql AS $$
            BEGIN
                {ADD.format(rows=rows)};
                RETURN NULL;
            END $$
            """
        )
    every = COUNTED.format(rows="lead_records", sign="", facets=KINDS)
    op.execute(ADD.format(rows=every))
    _index_again("claim", ["claimed_until"], ["owner_id", "status"])
    for name, column in (("value", "value"), ("qualified", "qualified_at")):
        _index_again(name, [column], ["created_at", *ASKED])
    _index_again("updated", ["updated_at DESC"], ["created_at", *ASKED])
    for name in (*TEXTS, *COLUMNS[2:]):
        _index_again(name, [name, "created_at DESC"], list(ASKED))


def _index_again(name: str, columns: list[str], holding: list[str]) -> None:
    first = columns[0].split()[0]
    has = "" if first == "updated_at" else f" AND {first} IS NOT NULL"
    op.drop_index(f"ix_lead_records_{name}", "lead_records")
    op.create_index(
        f"ix_lead_records_{name}",
        "lead_records",
        ["unit_id", *map(sa.text, columns), "lead_id"],
        postgresql_where=sa.text(f"is_listed{has}"),
        postgresql_include=[it for it in holding if it != first],
    )
