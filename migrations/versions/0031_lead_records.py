"""What is recorded of leads beside their scores, and changes of their status.

Why: clients of other lead products list, filter and sort leads by what those products know of
them: contact, value, attribution, consent, calls. One typed row for each lead answers that at any
size, and scoring never touches it.

Revision ID: 0031
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op
from psycopg.errors import ProgramLimitExceeded
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import OperationalError

revision = "0031"
down_revision = "0030"

STATUSES = "('not_contacted', 'contacted', 'qualified', 'converted', 'lost')"
CONTACT = ("company", "contact_id")
DEAL = (
    "currency", "loss_reason", "label_id", "conversion_name", "selected_conversion_event_id",
    "client_id",
)  # fmt: skip
LONG = ("notes", "custom")
ORIGIN = (
    "source", "website", "path", "session_id", "utm_source", "utm_medium", "utm_campaign",
)  # fmt: skip
CLICKS = (
    "gclid", "dclid", "wbraid", "gbraid", "ga4cid", "ga4sid", "fbc", "fbp", "msclkid", "ttclid",
    "twclid", "rdt_cid", "sccid", "epik", "li_fat_id",
)  # fmt: skip
ADS = (
    "google_ads_campaign_id", "google_ads_campaign_name", "google_ads_ad_group_id",
    "google_ads_ad_group_name", "google_ads_ad_id",
)  # fmt: skip
TEXTS = (*CONTACT, *DEAL, *ORIGIN, *CLICKS, *ADS)
TIMES = ("next_call_at", "expires_at")
FLAGS = ("ad_storage", "ad_user_data", "analytics_storage", "ad_personalization")
NARROWED_BY = (
    "email", "phone", "company", "source", "website", "label_id", "utm_source", "utm_medium",
    "utm_campaign", *CLICKS,
)  # fmt: skip
LONGEST, SHORTER = 2_000, 500
LONGEST_NAME = 100 * 1024  # as long as all metadata may be


def upgrade() -> None:
    try:
        with op.get_bind().begin_nested():
            _make_records(texts=LONGEST, names=LONGEST_NAME)
    except OperationalError as error:
        if not isinstance(error.orig, ProgramLimitExceeded):
            raise
        # A text is more than an entry of an index can hold, as those of other scripts may be.
        _make_records(texts=SHORTER, names=SHORTER)


def _make_records(*, texts: int, names: int) -> None:
    """Texts that lists are narrowed to, and names, are cut to so many characters."""
    op.create_table(
        "lead_records",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Text(collation="C"), nullable=False),
        sa.Column(
            "is_listed",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="false while another lead stands for it",
        ),
        sa.Column(
            "intake", sa.Text(), nullable=False, comment="how it came in: api, import, inbound, ..."
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="of this row: scores do not touch it",
        ),
        sa.Column("status", sa.Text(), server_default=sa.text("'not_contacted'"), nullable=False),
        sa.Column(
            "outcome",
            sa.Text(),
            server_default=sa.text("'open'"),
            nullable=False,
            comment="of the status",
        ),
        sa.Column("qualified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True, comment="as in leads"),
        sa.Column(
            "claimed_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the owner, who has only claimed it, loses it again",
        ),
        sa.Column("name", sa.Text(), nullable=True, comment="of the person"),
        sa.Column("email", sa.Text(), nullable=True, comment="the first of them"),
        sa.Column("phone", sa.Text(), nullable=True, comment="the first of them"),
        sa.Column("emails", ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("phones", ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in (*TEXTS, *LONG)),
        sa.Column("value", sa.Float(), nullable=True),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in TIMES),
        *(sa.Column(name, sa.Boolean(), nullable=True) for name in FLAGS),
        sa.PrimaryKeyConstraint("unit_id", "lead_id", name=op.f("pk_lead_records")),
        sa.CheckConstraint(f"status IN {STATUSES}", name=op.f("ck_lead_records_status")),
        sa.CheckConstraint(
            "outcome IN ('open', 'qualified', 'won', 'lost')", name=op.f("ck_lead_records_outcome")
        ),
    )
    op.create_table(
        "lead_status_changes",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Text(collation="C"), nullable=False),
        sa.Column("original_lead_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False, comment="the surface it came in by"),
        sa.PrimaryKeyConstraint("unit_id", "change_id", name=op.f("pk_lead_status_changes")),
        sa.CheckConstraint(
            f"status IN {STATUSES} AND before IN {STATUSES}",
            name=op.f("ck_lead_status_changes_status"),
        ),
    )
    op.create_index(
        "ix_lead_status_changes_lead",
        "lead_status_changes",
        ["unit_id", "lead_id", sa.text("changed_at DESC"), sa.text("change_id DESC")],
    )
    _record_leads(texts, names)
    for name, columns, where in _indexes():
        op.create_index(
            f"ix_lead_records_{name}",
            "lead_records",
            ["unit_id", *(sa.text(column) for column in columns), "lead_id"],
            postgresql_where=sa.text(f"is_listed AND {where}" if where else "is_listed"),
        )


def _record_leads(longest: int, longest_name: int) -> None:
    """Record the leads there are by their metadata and aliases, as they will be from now on."""
    texts = ", ".join(
        f"nullif(btrim(left(l.metadata->>'{name}', {longest})), '')" for name in TEXTS
    )
    longs = ", ".join(f"nullif(btrim(l.metadata->>'{name}'), '')" for name in LONG)
    times = ", ".join(_if_valid(name, "timestamptz") for name in TIMES)
    flags = ", ".join(_if_valid(name, "boolean") for name in FLAGS)
    columns = ", ".join((*TEXTS, *LONG, "value", *TIMES, *FLAGS))
    person = f"""left(coalesce(
        nullif(btrim(concat_ws(' ', l.metadata->>'first_name', l.metadata->>'last_name')), ''),
        nullif(btrim(l.metadata->>'name'), '')), {longest_name})"""
    op.execute(
        f"""
        INSERT INTO lead_records (unit_id, lead_id, is_listed, intake, created_at, updated_at,
            owner_id, name, email, phone, emails, phones, {columns})
        SELECT l.unit_id, l.lead_id, l.merged_into IS NULL,
            CASE split_part(l.source, ':', 1) WHEN 'api' THEN 'api' WHEN 'import' THEN 'import'
                WHEN 'sample' THEN 'import' ELSE 'inbound' END,
            l.created_at, l.updated_at, l.owner_id, {person},
            a.emails[1], a.phones[1], coalesce(a.emails, '{{}}'), coalesce(a.phones, '{{}}'),
            {texts}, {longs}, {_if_valid("value", "float8")}, {times}, {flags}
        FROM leads l
        LEFT JOIN LATERAL (
            SELECT
                array_agg(value ORDER BY created_at, value) FILTER (WHERE kind = 'email') AS emails,
                array_agg(value ORDER BY created_at, value) FILTER (WHERE kind = 'phone') AS phones
            FROM lead_aliases WHERE unit_id = l.unit_id AND lead_id = l.lead_id
        ) a ON true
        WHERE l.merged_into IS DISTINCT FROM ''
        """
    )


def _if_valid(name: str, kind: str) -> str:
    text = f"l.metadata->>'{name}'"
    return f"CASE WHEN pg_input_is_valid({text}, '{kind}') THEN ({text})::{kind} END"


def _indexes() -> Iterator[tuple[str, tuple[str, ...], str]]:
    yield "created", ("created_at DESC",), ""
    yield "updated", ("updated_at DESC",), ""
    yield "outcome", ("outcome", "created_at DESC"), ""
    yield "status", ("status", "created_at DESC"), "status <> 'not_contacted'"
    yield "intake", ("intake", "created_at DESC"), "intake <> 'inbound'"
    yield "name", ("name",), "name IS NOT NULL"
    yield "value", ("value",), "value IS NOT NULL"
    yield "qualified", ("qualified_at",), "qualified_at IS NOT NULL"
    yield "next_call", ("next_call_at",), "next_call_at IS NOT NULL"
    yield "owner", ("owner_id", "next_call_at", "created_at DESC"), "owner_id IS NOT NULL"
    yield "claim", ("claimed_until",), "claimed_until IS NOT NULL"
    for name in NARROWED_BY:
        yield name, (name, "created_at DESC"), f"{name} IS NOT NULL"
