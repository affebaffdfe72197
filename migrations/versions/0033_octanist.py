"""What advertising has cost, keys for forms of websites, and counts of what is recorded of leads.

Why: clients of the Octanist API ask for ad spend, and its WordPress plugin shows its key to every
visitor of a website, so that key must open nothing else. And a phone number is found as it is
shown, however it was spelled.

Lists say how many leads they have, and counting half a million takes a tenth of a second. So
what is asked for most is counted as it comes: by outcome, intake and day, and
of those by what they have. Indexes hold what else is asked for together.

Revision ID: 0033
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from psycopg.errors import ProgramLimitExceeded
from sqlalchemy.exc import OperationalError

revision = "0033"
down_revision = "0032"

FACETS = (
    "value", "qualified_at", "gclid", "dclid", "wbraid", "gbraid", "ga4cid", "ga4sid", "fbc",
    "fbp", "msclkid", "ttclid", "twclid", "rdt_cid", "sccid", "epik", "li_fat_id",
)  # fmt: skip
_HAS = ", ".join(f"CASE WHEN r.{name} IS NOT NULL THEN '{name}' END" for name in FACETS)
COUNTED = f"""
    SELECT r.unit_id, f.facet, r.outcome, r.intake, (r.created_at AT TIME ZONE 'UTC')::date AS day,
        {{sign}}1 AS leads, {{sign}}coalesce(r.value, 0)::numeric AS value
    FROM {{rows}} r, unnest(ARRAY['', {_HAS}]) AS f (facet)
    WHERE r.is_listed AND f.facet IS NOT NULL
"""
COME = COUNTED.format(rows="new_rows", sign="")
GONE = COUNTED.format(rows="old_rows", sign="-")
NEW, OLD = "NEW TABLE AS new_rows", "OLD TABLE AS old_rows"
EVENTS = (
    ("insert", NEW, COME),
    ("update", f"{OLD} {NEW}", f"{COME} UNION ALL {GONE}"),
    ("delete", OLD, GONE),
)
# In one order, so that two transactions never wait for one another.
ADD = """
    INSERT INTO lead_record_counts AS kept (unit_id, facet, outcome, intake, day, leads, value)
    SELECT unit_id, facet, outcome, intake, day, sum(leads), sum(value)
    FROM ({rows}) AS changed
    GROUP BY 1, 2, 3, 4, 5 HAVING sum(leads) <> 0 OR sum(value) <> 0 ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (unit_id, facet, outcome, intake, day)
    DO UPDATE SET leads = kept.leads + excluded.leads, value = kept.value + excluded.value
"""

WIDENED = (
    ("value", ("value",), ["outcome", "intake", "created_at"]),
    (
        "utm_source",
        ("utm_source", "created_at DESC"),
        ["utm_medium", "utm_campaign", "outcome", "intake"],
    ),
)


def upgrade() -> None:
    op.create_table(
        "ad_spend",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column(
            "campaign_id", sa.Text(), nullable=False, comment="empty for a platform as a whole"
        ),
        sa.Column("campaign_name", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("spend", sa.Numeric(18, 4), nullable=False),
        sa.Column("clicks", sa.BigInteger(), nullable=False),
        sa.Column("impressions", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "unit_id", "day", "platform", "campaign_id", name=op.f("pk_ad_spend")
        ),
        sa.CheckConstraint(
            "spend >= 0 AND clicks >= 0 AND impressions >= 0", name=op.f("ck_ad_spend_figures")
        ),
    )
    op.drop_constraint(op.f("ck_api_keys_kind"), "api_keys", type_="check")
    op.create_check_constraint(
        op.f("ck_api_keys_kind"), "api_keys", "kind IN ('octanist', 'nexus', 'wordpress')"
    )
    _count_records()
    _widen_indexes()
    op.execute(
        """
        UPDATE lead_search s
        SET text = new.text, grams = search_terms(s.unit_id, new.text)
        FROM (
            SELECT o.unit_id, o.lead_id,
                concat_ws(E'\\n', o.text, string_agg(a.value, E'\\n' ORDER BY a.value)) AS text
            FROM lead_search o JOIN lead_aliases a USING (unit_id, lead_id)
            WHERE a.kind = 'phone' AND a.raw_value <> a.value
            GROUP BY o.unit_id, o.lead_id, o.text
        ) new
        WHERE s.unit_id = new.unit_id AND s.lead_id = new.lead_id
        """
    )


def _widen_indexes() -> None:
    for name, columns, holding in WIDENED:
        op.drop_index(f"ix_lead_records_{name}", table_name="lead_records")
        try:
            with op.get_bind().begin_nested():
                _index(name, columns, holding)
        except OperationalError as error:
            if not isinstance(error.orig, ProgramLimitExceeded):
                raise
            # Three long texts are more than an entry can hold: 0035 takes them out of it anyway.
            _index(name, columns, [])


def _index(name: str, columns: tuple[str, ...], holding: list[str]) -> None:
    op.create_index(
        f"ix_lead_records_{name}",
        "lead_records",
        ["unit_id", *(sa.text(column) for column in columns), "lead_id"],
        postgresql_where=sa.text(f"is_listed AND {name} IS NOT NULL"),
        postgresql_include=holding,
    )


def _count_records() -> None:
    op.create_table(
        "lead_record_counts",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("facet", sa.Text(), nullable=False, comment="what they have; empty for all"),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("intake", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="on which they were made, in UTC"),
        sa.Column("leads", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Numeric(), nullable=False, comment="of them all"),
        sa.PrimaryKeyConstraint(
            "unit_id", "facet", "outcome", "intake", "day", name=op.f("pk_lead_record_counts")
        ),
    )
    for event, tables, rows in EVENTS:
        op.execute(
            f"""
            CREATE FUNCTION count_records_{event}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                {ADD.format(rows=rows)};
                RETURN NULL;
            END $$
            """
        )
        op.execute(
            f"""
            CREATE TRIGGER count_{event} AFTER {event} ON lead_records REFERENCING {tables}
            FOR EACH STATEMENT EXECUTE FUNCTION count_records_{event}()
            """
        )
    op.execute(ADD.format(rows=COUNTED.format(rows="lead_records", sign="")))
