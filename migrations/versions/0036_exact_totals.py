"""Totals of lists that are exact whatever is asked for together, and searches in records alone.

Why: two texts that many leads have were in no index together, and a search found its leads among
all that any part of a lead is found by. So an index over one thing that lists are narrowed by now
holds all the others, each in four bytes, whatever the length of its text; and what the clients of
lead APIs search in has an index of its own, with what their searches are narrowed by.

Revision ID: 0036
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"

CLICKS = (
    "gclid", "dclid", "wbraid", "gbraid", "ga4cid", "ga4sid", "fbc", "fbp", "msclkid", "ttclid",
    "twclid", "rdt_cid", "sccid", "epik", "li_fat_id",
)  # fmt: skip
TEXTS = ("website", "label_id", "utm_source", "utm_medium", "utm_campaign")
SHORT = tuple(f"{name}_key" for name in TEXTS)
HELD = ("created_at", "updated_at", "qualified_at", "value", "clicks", *SHORT, "outcome", "intake")

GRAMS = """
    CREATE FUNCTION record_grams(unit uuid, contact text, more text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
    DECLARE
        ending text := right(unit::text, 6);
        grams text[] := '{}';
    BEGIN
        FOR i IN 1 .. length(contact) - 2 LOOP
            grams := grams || (substr(contact, i, 3) || ending);
        END LOOP;
        FOR i IN 1 .. length(more) - 2 LOOP
            grams := grams || ('+' || substr(more, i, 3) || ending);
        END LOOP;
        RETURN grams;
    END $$
"""
CONTACT = """lower(concat_ws(E'\\n', r.name, nullif(array_to_string(r.emails, E'\\n'), ''),
    nullif(array_to_string(r.phones, E'\\n'), '')))"""
MORE = "lower(concat_ws(E'\\n', r.company, nullif(r.display_name, r.name)))"
COPIED = ("owner_id", "claimed_until", "next_call_at", *HELD, "status")
SEARCHED = f"""
    SELECT r.unit_id, r.lead_id, {", ".join(f"r.{it}" for it in COPIED)}, {CONTACT}, {MORE}
    FROM {{rows}} r WHERE r.is_listed
"""
FOLLOWING = ", ".join((*COPIED, "contact", "more"))
COLUMNS = f"unit_id, lead_id, {FOLLOWING}"
PUT = f"""
    INSERT INTO lead_record_texts AS t ({COLUMNS}) {SEARCHED.format(rows="new_rows")}
    ORDER BY r.unit_id, r.lead_id
    ON CONFLICT (unit_id, lead_id) DO UPDATE
    SET ({FOLLOWING}) = ROW({", ".join(f"excluded.{it}" for it in FOLLOWING.split(", "))})
    WHERE ({", ".join(f"t.{it}" for it in FOLLOWING.split(", "))})
        IS DISTINCT FROM ({", ".join(f"excluded.{it}" for it in FOLLOWING.split(", "))});
"""
REMOVE = """
    DELETE FROM lead_record_texts t USING {rows} r
    WHERE t.unit_id = r.unit_id AND t.lead_id = r.lead_id{unlisted};
"""
NEW, OLD = "NEW TABLE AS new_rows", "OLD TABLE AS old_rows"
EVENTS = (
    ("insert", NEW, PUT),
    ("update", NEW, REMOVE.format(rows="new_rows", unlisted=" AND NOT r.is_listed") + PUT),
    ("delete", OLD, REMOVE.format(rows="old_rows", unlisted="")),
)


def upgrade() -> None:
    # Dozens of indexes would follow each of the changes below: they are made once, at the end.
    indexes = _drop_indexes()
    _add_columns()
    _make_texts()
    for name, definition in indexes:
        if name not in {f"ix_lead_records_{it}" for it in (*TEXTS, *CLICKS, *_BY_NUMBER)}:
            op.execute(definition)
    for name in (*TEXTS, *CLICKS):
        _index(name, [name, "created_at DESC"], name)
    for name, column in _BY_NUMBER.items():
        _index(name, [f"{column} DESC" if name == "updated" else column], column)


_BY_NUMBER = {"value": "value", "qualified": "qualified_at", "updated": "updated_at"}


def _drop_indexes() -> list[tuple[str, str]]:
    rows = op.get_bind().execute(
        sa.text(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()"
            " AND tablename = 'lead_records' AND indexname <> 'pk_lead_records'"
        )
    )
    found = [(name, definition) for name, definition in rows]
    for name, _ in found:
        op.drop_index(name, "lead_records")
    return found


def _add_columns() -> None:
    op.add_column(
        "lead_records",
        sa.Column(
            "display_name", sa.Text(), server_default="", nullable=False,
            comment="what lists call it, as in leads",
        ),
    )  # fmt: skip
    op.execute("ALTER TABLE lead_records DISABLE TRIGGER USER")
    op.execute(
        "UPDATE lead_records r SET display_name = l.name FROM leads l"
        " WHERE l.unit_id = r.unit_id AND l.lead_id = r.lead_id"
    )
    op.execute("ALTER TABLE lead_records ENABLE TRIGGER USER")
    clicks = " + ".join(
        f"CASE WHEN {name} IS NULL THEN 0 ELSE {1 << number} END"
        for number, name in enumerate(CLICKS)
    )
    keys = ", ".join(
        f"ADD COLUMN {name}_key integer"
        f" GENERATED ALWAYS AS (('x' || left(md5({name}), 8))::bit(32)::integer) STORED"
        for name in TEXTS
    )
    # In one statement: the table is written anew once.
    op.execute(
        f"ALTER TABLE lead_records"
        f" ADD COLUMN clicks integer GENERATED ALWAYS AS ({clicks}) STORED NOT NULL, {keys}"
    )


def _make_texts() -> None:
    op.create_table(
        "lead_record_texts",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_call_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("qualified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("clicks", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in SHORT),
        sa.Column("lead_id", sa.Text(collation="C"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("intake", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False, comment="name, addresses and numbers"),
        sa.Column("more", sa.Text(), nullable=False, comment="company, and what lists call it"),
        sa.PrimaryKeyConstraint("unit_id", "lead_id", name=op.f("pk_lead_record_texts")),
    )
    # Room for changes of status and owner beside the row: the index of texts need not follow.
    op.execute("ALTER TABLE lead_record_texts SET (fillfactor = 90)")
    op.execute(GRAMS)
    op.execute(f"INSERT INTO lead_record_texts ({COLUMNS}) {SEARCHED.format(rows='lead_records')}")
    op.execute(
        "CREATE INDEX ix_lead_record_texts_grams ON lead_record_texts"
        " USING gin (record_grams(unit_id, contact, more))"
    )
    for event, tables, body in EVENTS:
        op.execute(
            f"CREATE FUNCTION copy_texts_{event}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {body} RETURN NULL; END $$"
        )
        op.execute(
            f"CREATE TRIGGER texts_{event} AFTER {event} ON lead_records REFERENCING {tables}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION copy_texts_{event}()"
        )


def _index(name: str, columns: list[str], first: str) -> None:
    has = "" if first == "updated_at" else f" AND {first} IS NOT NULL"
    own = {columns[0].split()[0], *(it.split()[0] for it in columns), f"{first}_key"}
    op.create_index(
        f"ix_lead_records_{name}",
        "lead_records",
        ["unit_id", *map(sa.text, columns), "lead_id"],
        postgresql_where=sa.text(f"is_listed{has}"),
        postgresql_include=[it for it in HELD if it not in own],
    )
