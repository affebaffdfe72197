"""Lists in any order find their page in an index alone, and searches sort by name and e-mail.

Why: a list that is narrowed to a range or a status was looked up lead by lead in the order of its
names, and against the order few of the first leads were among those asked for. Who was last changed
before a day was made before it, too: now that is certain, such lists begin where they can. What has
come of each source is told out of its index.

Revision ID: 0037
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"

SHORT = ("website_key", "label_id_key", "utm_source_key", "utm_medium_key", "utm_campaign_key")
HELD = ("created_at", "updated_at", "qualified_at", "value", "clicks", *SHORT, "outcome", "intake")
WIDER = {
    "name": (("name",), HELD),
    "email": (("email", "created_at DESC"), HELD),
    "outcome": (("outcome", "created_at DESC"), HELD),
    "source": (("source", "created_at DESC"), ("value", "outcome")),
}
CONTACT = """lower(concat_ws(E'\\n', r.name, nullif(array_to_string(r.emails, E'\\n'), ''),
    nullif(array_to_string(r.phones, E'\\n'), '')))"""
MORE = "lower(concat_ws(E'\\n', r.company, nullif(r.display_name, r.name)))"
COPIED = ("owner_id", "claimed_until", "next_call_at", *HELD, "status", "name", "email")
SEARCHED = f"""
    SELECT r.unit_id, r.lead_id, {", ".join(f"r.{it}" for it in COPIED)}, {CONTACT}, {MORE}
    FROM {{rows}} r WHERE r.is_listed
"""
FOLLOWING = (*COPIED, "contact", "more")
COLUMNS = ", ".join(("unit_id", "lead_id", *FOLLOWING))
PUT = f"""
    INSERT INTO lead_record_texts AS t ({COLUMNS}) {SEARCHED.format(rows="new_rows")}
    ORDER BY r.unit_id, r.lead_id
    ON CONFLICT (unit_id, lead_id) DO UPDATE
    SET ({", ".join(FOLLOWING)}) = ROW({", ".join(f"excluded.{it}" for it in FOLLOWING)})
    WHERE ({", ".join(f"t.{it}" for it in FOLLOWING)})
        IS DISTINCT FROM ({", ".join(f"excluded.{it}" for it in FOLLOWING)});
"""
REMOVE_UNLISTED = """
    DELETE FROM lead_record_texts t USING new_rows r
    WHERE t.unit_id = r.unit_id AND t.lead_id = r.lead_id AND NOT r.is_listed;
"""


def upgrade() -> None:
    for name, (columns, held) in WIDER.items():
        _make_wider(name, columns, held)
    op.execute("ALTER TABLE lead_records DISABLE TRIGGER USER")
    op.execute("UPDATE lead_records SET updated_at = created_at WHERE updated_at < created_at")
    op.execute("ALTER TABLE lead_records ENABLE TRIGGER USER")
    op.create_check_constraint(
        op.f("ck_lead_records_updated"), "lead_records", "updated_at >= created_at"
    )
    _make_texts()


def _make_wider(name: str, columns: tuple[str, ...], held: tuple[str, ...]) -> None:
    own = {column.split()[0] for column in columns}
    has = "" if name == "outcome" else f" AND {name} IS NOT NULL"
    op.drop_index(f"ix_lead_records_{name}", "lead_records")
    op.create_index(
        f"ix_lead_records_{name}",
        "lead_records",
        ["unit_id", *map(sa.text, columns), "lead_id"],
        postgresql_where=sa.text(f"is_listed{has}"),
        postgresql_include=[it for it in held if it not in own],
    )


def _make_texts() -> None:
    # Filled anew: a change of all rows would go through the index of texts one by one.
    op.drop_index("ix_lead_record_texts_grams", "lead_record_texts")
    op.execute("TRUNCATE lead_record_texts")
    for name in ("name", "email"):
        op.add_column("lead_record_texts", sa.Column(name, sa.Text(), nullable=True))
    op.execute(f"INSERT INTO lead_record_texts ({COLUMNS}) {SEARCHED.format(rows='lead_records')}")
    op.execute(
        "CREATE INDEX ix_lead_record_texts_grams ON lead_record_texts"
        " USING gin (record_grams(unit_id, contact, more))"
    )
    for event, body in (("insert", PUT), ("update", REMOVE_UNLISTED + PUT)):
        op.execute(
            f"CREATE OR REPLACE FUNCTION copy_texts_{event}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {body} RETURN NULL; END $$"
        )
