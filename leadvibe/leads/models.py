"""Tables of leads. `unit_id` leads every key: isolation, locality, a ready distribution key.

Hot tables carry no foreign keys: a per-row check would cost a third of the pipeline's speed, and
only the pipeline writes them, set by set.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    Numeric,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from leadvibe.leads.fields import CLICK_BITS, KEPT_SHORT
from leadvibe.lib.db import Base

STATUSES = ("not_contacted", "contacted", "qualified", "converted", "lost")
OUTCOMES = ("open", "qualified", "won", "lost")
ALIAS_KINDS = ("email", "phone", "external_id", "cookie", "social")


def _listed_by(name: str, order: str, *, holding: Sequence[str] = ()) -> Index:
    """Return the index behind one order of the lead list, in which merged leads never appear.

    `holding` are columns that a page of it is filtered or sorted by besides.
    """
    return Index(
        f"ix_leads_{name}",
        "unit_id",
        text(order),
        "lead_id",
        postgresql_where=text("merged_into IS NULL"),
        postgresql_include=list(holding),
    )


class LeadRow(Base):
    """A lead with what lists filter and sort by; `score` caches its headline ruleset's score."""

    __tablename__ = "leads"
    __table_args__ = (
        _listed_by("score", "score DESC", holding=["created_at", "last_event_at"]),
        _listed_by("last_event_at", "last_event_at DESC NULLS LAST", holding=["score"]),
        _listed_by("created_at", "created_at DESC", holding=["score"]),
        _listed_by("name", "name"),
        Index(
            "ix_leads_last_event_type", "unit_id", "last_event_type", text("score DESC"), "lead_id",
            postgresql_where=text("merged_into IS NULL"),
        ),
        Index(
            "ix_leads_account", "unit_id", "account_id", text("score DESC"), "lead_id",
            postgresql_where=text("account_id IS NOT NULL AND merged_into IS NULL"),
        ),
        Index(
            "ix_leads_merged_into", "unit_id", "merged_into",
            postgresql_where=text("merged_into IS NOT NULL"),
        ),
        Index(
            "ix_leads_owner", "unit_id", "owner_id", text("score DESC"), "lead_id",
            postgresql_where=text("owner_id IS NOT NULL AND merged_into IS NULL"),
        ),
    )  # fmt: skip

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    account_id: Mapped[str | None]
    owner_id: Mapped[UUID | None]
    owner_name: Mapped[str | None]
    name: Mapped[str] = mapped_column(comment="what people call it: a name, an address or its id")
    detail: Mapped[str | None] = mapped_column(comment="second line: company or best alias")
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", server_default=text("'{}'"))
    source: Mapped[str]
    has_own_id: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="the client chose the id, so it is no stranger"
    )
    merged_into: Mapped[str | None] = mapped_column(
        comment="who stands for it; empty, which no id is, for one that is being deleted"
    )
    merged_by: Mapped[str | None] = mapped_column(
        comment="who merged it; null when it was an anonymous visitor that the pipeline knew again"
    )
    folded_by: Mapped[str | None] = mapped_column(
        comment="whose event or row made the pipeline know it again: a source, as of events"
    )
    lost_events: Mapped[int] = mapped_column(
        server_default=text("0"), comment="events that a merge left out, and so deleted"
    )
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    score: Mapped[int] = mapped_column(server_default=text("0"))
    ruleset_id: Mapped[UUID | None] = mapped_column(comment="the ruleset behind `score`")
    last_event_at: Mapped[datetime | None]
    last_event_type: Mapped[str | None]
    last_receipt: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    event_count: Mapped[int] = mapped_column(server_default=text("0"))
    session_count: Mapped[int] = mapped_column(server_default=text("0"))
    surge_place: Mapped[int] = mapped_column(
        server_default=text("0"), comment="the last counted event's place in its run"
    )
    last_decay_at: Mapped[datetime | None] = mapped_column(
        comment="when decay last took points since the last counted event"
    )
    base_version: Mapped[int] = mapped_column(
        server_default=text("0"), comment="events of older config versions are scored under this"
    )


class LeadTallyRow(Base):
    """How many leads a unit has, merged ones not counted: a total that costs nothing to ask for.

    Changes in the same transaction and under the same lock as the leads themselves.
    """

    __tablename__ = "lead_tallies"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    listed: Mapped[int] = mapped_column(BigInteger)


class LeadHistogramRow(Base):
    """How many leads a unit has in one bucket of one facet, merged ones not counted.

    Kept by triggers, so that totals of filtered lists need no counting.
    """

    __tablename__ = "lead_histograms"
    __table_args__ = ({"postgresql_with": {"fillfactor": 70}},)

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    facet: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    label: Mapped[str] = mapped_column(
        Text(collation="C"), primary_key=True, comment="the event type, or nothing"
    )
    bucket: Mapped[int] = mapped_column(
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="the score, or the hour since 1970",
    )
    leads: Mapped[int] = mapped_column(BigInteger)


class AliasRow(Base):
    """One way to recognise a lead; `value` is normalised, `raw_value` is as first seen.

    `original_lead_id` is whose it was before leads were merged; null for the lead's own.
    """

    __tablename__ = "lead_aliases"
    __table_args__ = (
        CheckConstraint(f"kind IN {ALIAS_KINDS}", name="kind"),
        Index("ix_lead_aliases_lead", "unit_id", "lead_id"),
    )

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    raw_value: Mapped[str]
    lead_id: Mapped[str] = mapped_column(Text(collation="C"))
    alias_id: Mapped[UUID]
    created_at: Mapped[datetime]
    original_lead_id: Mapped[str | None]
    source: Mapped[str | None] = mapped_column(
        comment="who brought it, as of events; null for those from before this was kept"
    )


class LeadSearchRow(Base):
    """What a lead is found by: text, its trigrams and how its words begin, marked with the unit.

    Stands apart from `leads` so that a change of score never touches the trigram index.
    """

    __tablename__ = "lead_search"
    __table_args__ = (Index("ix_lead_search_grams", "grams", postgresql_using="gin"),)

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    text: Mapped[str]
    grams: Mapped[list[str]] = mapped_column(ARRAY(Text()))


class LeadChangeRow(Base):
    """A lead that is new, or whose properties or merge have changed; noted by a trigger.

    Only kept while leadlist.rare_members needs to know.
    """

    __tablename__ = "lead_changes"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    changed_in: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="the transaction's number"
    )
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)


class AliasConflictRow(Base):
    """One event named two leads: they may be the same person."""

    __tablename__ = "lead_alias_conflicts"
    __table_args__ = (Index("ix_lead_alias_conflicts_other", "unit_id", "other_lead_id"),)

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    other_lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    kind: Mapped[str]
    value: Mapped[str]
    seen_at: Mapped[datetime]


class MergeDismissalRow(Base):
    """Somebody said that these two leads are not one; the ids are in order."""

    __tablename__ = "lead_merge_dismissals"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    other_lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    dismissed_at: Mapped[datetime]
    dismissed_by: Mapped[str]


class LeadDeletionRow(Base):
    """The wish that a lead be gone, and how far that is; kept for a while to answer for it.

    Events up to `last_receipt` go: later ones make the lead anew.
    """

    __tablename__ = "lead_deletions"
    __table_args__ = (
        CheckConstraint(
            "state IN ('pending', 'in_progress', 'completed', 'failed')", name="state"
        ),
        Index(
            "ix_lead_deletions_unfinished", "requested_at",
            postgresql_where=text("state IN ('pending', 'in_progress')"),
        ),
    )  # fmt: skip

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    deletion_id: Mapped[UUID]
    org_id: Mapped[UUID]
    state: Mapped[str]
    last_receipt: Mapped[int] = mapped_column(BigInteger)
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    events_deleted: Mapped[int] = mapped_column(server_default=text("0"))
    requested_at: Mapped[datetime]
    requested_by: Mapped[str]
    beat_at: Mapped[datetime | None] = mapped_column(
        comment="the last sign of life of its worker; null while it has none"
    )
    finished_at: Mapped[datetime | None]


class LeadWatchRow(Base):
    """A member watches a lead. `lead_id` stays what it was: who stands for it now is looked up."""

    __tablename__ = "lead_watches"
    __table_args__ = (Index("ix_lead_watches_lead", "unit_id", "lead_id"),)

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_member_id: Mapped[UUID] = mapped_column(
        ForeignKey("members.org_member_id", ondelete="CASCADE"), primary_key=True, index=True
    )
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    watch_id: Mapped[UUID]
    prediction: Mapped[str | None]
    prediction_notes: Mapped[str | None]
    score: Mapped[int] = mapped_column(comment="the lead's when it was watched")
    watched_at: Mapped[datetime]


def _recorded_by(name: str, *columns: str, where: str = "", holding: Sequence[str] = ()) -> Index:
    """Return an index over what is recorded of listed leads, the newest lead first within it.

    `holding` are columns that those it finds are counted by besides.
    """
    listed = f"is_listed AND {where}" if where else "is_listed"
    held = [it for it in holding if it not in {column.split()[0] for column in columns}]
    return Index(
        f"ix_lead_records_{name}", "unit_id", *(text(it) for it in columns), "lead_id",
        postgresql_where=text(listed), postgresql_include=held,
    )  # fmt: skip


def _recorded_value(name: str) -> Index:
    return _recorded_by(
        name, name, "created_at DESC", where=f"{name} IS NOT NULL",
        holding=_HOLDING[name] if name in _HOLDING else _counted_by(name),
    )  # fmt: skip


def _counted_by(column: str) -> tuple[str, ...]:
    """Return what lists are narrowed by besides, so that an index over one counts them alone."""
    keys = (f"{name}_key" for name in KEPT_SHORT if name != column)
    dates = ("created_at", "updated_at", "qualified_at", "value")
    return (*dates, "clicks", *keys, "outcome", "intake")


def _short(name: str) -> Mapped[int | None]:
    made = f"('x' || left(md5({name}), 8))::bit(32)::integer"
    return mapped_column(Computed(made, persisted=True))


_HOLDING = {"phone": (), "company": (), "source": ("value", "outcome")}
"""Texts that no list is narrowed to together with anything, and what is told of those found."""

NARROWED_BY = (
    "email", "phone", "company", "source", "website", "label_id", "utm_source", "utm_medium",
    "utm_campaign", "gclid", "dclid", "wbraid", "gbraid", "ga4cid", "ga4sid", "fbc", "fbp",
    "msclkid", "ttclid", "twclid", "rdt_cid", "sccid", "epik", "li_fat_id",
)  # fmt: skip
"""Fields of a record that lists are narrowed to a value of, or to those that have any."""

_CLICKS = " + ".join(
    f"CASE WHEN {name} IS NULL THEN 0 ELSE {bit} END" for name, bit in CLICK_BITS.items()
)
"""Which click ids a lead has, a bit for each."""


class LeadRecordRow(Base):
    """What is recorded of a lead beside its scores, typed (leads.fields); one row a lead.

    Stands apart from `leads` because that changes with every event, and an index over each of
    these would have to follow.
    """

    __tablename__ = "lead_records"
    __table_args__ = (
        CheckConstraint(f"status IN {STATUSES}", name="status"),
        CheckConstraint(f"outcome IN {OUTCOMES}", name="outcome"),
        CheckConstraint("updated_at >= created_at", name="updated"),
        _recorded_by("created", "created_at DESC", holding=_counted_by("created_at")),
        _recorded_by("updated", "updated_at DESC", holding=_counted_by("updated_at")),
        _recorded_by("outcome", "outcome", "created_at DESC", holding=_counted_by("outcome")),
        _recorded_by("status", "status", "created_at DESC", where="status <> 'not_contacted'"),
        _recorded_by("intake", "intake", "created_at DESC", where="intake <> 'inbound'"),
        _recorded_by(
            "name", "name", where="name IS NOT NULL", holding=_counted_by("name"),
        ),
        _recorded_by(
            "value", "value", where="value IS NOT NULL", holding=_counted_by("value"),
        ),
        _recorded_by(
            "qualified", "qualified_at", where="qualified_at IS NOT NULL",
            holding=_counted_by("qualified_at"),
        ),
        _recorded_by(
            "next_call", "next_call_at", "created_at DESC", where="next_call_at IS NOT NULL",
            holding=("owner_id", "claimed_until", "status"),
        ),
        _recorded_by(
            "owner", "owner_id", "next_call_at", "created_at DESC", where="owner_id IS NOT NULL",
            holding=("claimed_until", "status"),
        ),
        _recorded_by(
            "claim", "claimed_until", where="claimed_until IS NOT NULL",
            holding=("owner_id", "status"),
        ),
        *(_recorded_value(name) for name in NARROWED_BY),
    )  # fmt: skip

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    is_listed: Mapped[bool] = mapped_column(
        server_default=text("true"), comment="false while another lead stands for it"
    )
    intake: Mapped[str] = mapped_column(comment="how it came in: api, import, inbound, ...")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(comment="of this row: scores do not touch it")
    status: Mapped[str] = mapped_column(server_default=text("'not_contacted'"))
    outcome: Mapped[str] = mapped_column(server_default=text("'open'"), comment="of the status")
    qualified_at: Mapped[datetime | None]
    owner_id: Mapped[UUID | None] = mapped_column(comment="as in leads")
    claimed_until: Mapped[datetime | None] = mapped_column(
        comment="when the owner, who has only claimed it, loses it again"
    )
    display_name: Mapped[str] = mapped_column(
        server_default="", comment="what lists call it, as in leads"
    )
    name: Mapped[str | None] = mapped_column(comment="of the person")
    email: Mapped[str | None] = mapped_column(comment="the first of them")
    phone: Mapped[str | None] = mapped_column(comment="the first of them")
    emails: Mapped[list[str]] = mapped_column(ARRAY(Text()), server_default=text("'{}'"))
    phones: Mapped[list[str]] = mapped_column(ARRAY(Text()), server_default=text("'{}'"))
    company: Mapped[str | None]
    contact_id: Mapped[str | None]
    value: Mapped[float | None]
    currency: Mapped[str | None]
    loss_reason: Mapped[str | None]
    label_id: Mapped[str | None]
    conversion_name: Mapped[str | None]
    selected_conversion_event_id: Mapped[str | None]
    client_id: Mapped[str | None]
    next_call_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    notes: Mapped[str | None]
    custom: Mapped[str | None]
    source: Mapped[str | None]
    website: Mapped[str | None]
    path: Mapped[str | None]
    session_id: Mapped[str | None]
    utm_source: Mapped[str | None]
    utm_medium: Mapped[str | None]
    utm_campaign: Mapped[str | None]
    gclid: Mapped[str | None]
    dclid: Mapped[str | None]
    wbraid: Mapped[str | None]
    gbraid: Mapped[str | None]
    ga4cid: Mapped[str | None]
    ga4sid: Mapped[str | None]
    fbc: Mapped[str | None]
    fbp: Mapped[str | None]
    msclkid: Mapped[str | None]
    ttclid: Mapped[str | None]
    twclid: Mapped[str | None]
    rdt_cid: Mapped[str | None]
    sccid: Mapped[str | None]
    epik: Mapped[str | None]
    li_fat_id: Mapped[str | None]
    google_ads_campaign_id: Mapped[str | None]
    google_ads_campaign_name: Mapped[str | None]
    google_ads_ad_group_id: Mapped[str | None]
    google_ads_ad_group_name: Mapped[str | None]
    google_ads_ad_id: Mapped[str | None]
    ad_storage: Mapped[bool | None]
    ad_user_data: Mapped[bool | None]
    analytics_storage: Mapped[bool | None]
    ad_personalization: Mapped[bool | None]
    clicks: Mapped[int] = mapped_column(Computed(_CLICKS, persisted=True))
    website_key: Mapped[int | None] = _short("website")
    label_id_key: Mapped[int | None] = _short("label_id")
    utm_source_key: Mapped[int | None] = _short("utm_source")
    utm_medium_key: Mapped[int | None] = _short("utm_medium")
    utm_campaign_key: Mapped[int | None] = _short("utm_campaign")


class LeadRecordTextRow(Base):
    """What the clients of lead APIs search for in listed leads, in lower case, and narrow it by.

    The rest is as in the records, so that a search is counted and sorted without reading these.

    Triggers of lead_records keep it. Much narrower than these, it is looked through quickly, and
    changes of other kinds do not touch its index of texts.
    """

    __tablename__ = "lead_record_texts"
    __table_args__ = (
        Index(
            "ix_lead_record_texts_grams", text("record_grams(unit_id, contact, more)"),
            postgresql_using="gin",
        ),
    )  # fmt: skip

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID | None]
    claimed_until: Mapped[datetime | None]
    next_call_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    qualified_at: Mapped[datetime | None]
    value: Mapped[float | None]
    clicks: Mapped[int]
    website_key: Mapped[int | None]
    label_id_key: Mapped[int | None]
    utm_source_key: Mapped[int | None]
    utm_medium_key: Mapped[int | None]
    utm_campaign_key: Mapped[int | None]
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    status: Mapped[str]
    outcome: Mapped[str]
    intake: Mapped[str]
    name: Mapped[str | None]
    email: Mapped[str | None]
    contact: Mapped[str] = mapped_column(comment="name, addresses and numbers")
    more: Mapped[str] = mapped_column(comment="company, and what lists call it")


class LeadRecordCountRow(Base):
    """How many listed leads there are of each kind. Triggers of lead_records keep it."""

    __tablename__ = "lead_record_counts"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    facet: Mapped[str] = mapped_column(primary_key=True, comment="what they have; empty for all")
    outcome: Mapped[str] = mapped_column(primary_key=True)
    intake: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(
        primary_key=True, comment="in UTC, on which they were made, unless the facet says otherwise"
    )
    leads: Mapped[int] = mapped_column(BigInteger)
    value: Mapped[Decimal] = mapped_column(Numeric, comment="of them all")


class LeadStatusChangeRow(Base):
    """A change of a lead's status; `original_lead_id` is as with aliases."""

    __tablename__ = "lead_status_changes"
    __table_args__ = (
        CheckConstraint(f"status IN {STATUSES} AND before IN {STATUSES}", name="status"),
        Index(
            "ix_lead_status_changes_lead", "unit_id", "lead_id", text("changed_at DESC"),
            text("change_id DESC"),
        ),
    )  # fmt: skip

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    change_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"))
    original_lead_id: Mapped[str | None]
    status: Mapped[str]
    before: Mapped[str]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]
    via: Mapped[str] = mapped_column(comment="the surface it came in by")


class LeadNoteRow(Base):
    """What a member wrote about a lead; `original_lead_id` is as with aliases.

    The author's name stays when the author goes.
    """

    __tablename__ = "lead_notes"
    __table_args__ = (
        Index(
            "ix_lead_notes_lead", "unit_id", "lead_id", text("created_at DESC"),
            text("note_id DESC"),
        ),
    )  # fmt: skip

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    note_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"))
    original_lead_id: Mapped[str | None]
    text: Mapped[str]
    author_id: Mapped[UUID]
    author_name: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    edited_by: Mapped[str | None] = mapped_column(comment="who changed it last, unless its author")


class LeadTracesRow(Base):
    """Where a lead's properties come from, and why it belongs to its account (engine.mapping).

    Stands apart from `leads` because it changes with nearly every event, and the properties rarely.
    """

    __tablename__ = "lead_traces"
    __table_args__ = ({"postgresql_with": {"fillfactor": 80}},)

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    properties: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    link: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))


class MetadataPropertyRow(Base):
    """A property that some lead or account of the unit has, or had."""

    __tablename__ = "metadata_properties"
    __table_args__ = (CheckConstraint("kind IN ('lead', 'account')", name="kind"),)

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)


def _accounts_by(name: str, order: str) -> Index:
    """Return the index behind one order of the account list, which shows those that have leads."""
    return Index(
        f"ix_accounts_{name}",
        "unit_id",
        text(order),
        "account_id",
        postgresql_where=text("leads_count > 0"),
    )


class AccountRow(Base):
    """A company: what is known about it, and what its leads add up to.

    From `leads_count` on it is a cache of the leads; `score` is the one of the primary ruleset.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        Index(
            "uq_accounts_domain", "unit_id", "domain", unique=True,
            postgresql_where=text("domain IS NOT NULL"),
        ),
        Index("ix_accounts_called", "unit_id", text("lower(name)")),
        _accounts_by("top_score", "top_score DESC"),
        _accounts_by("score", "score DESC"),
        _accounts_by("last_event_at", "last_event_at DESC NULLS LAST"),
        _accounts_by("created_at", "created_at DESC"),
        _accounts_by("name", "name"),
    )  # fmt: skip

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    domain: Mapped[str | None] = mapped_column(Text(collation="C"))
    name: Mapped[str]
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", server_default=text("'{}'"))
    traces: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    leads_count: Mapped[int] = mapped_column(server_default=text("0"))
    top_score: Mapped[int] = mapped_column(server_default=text("0"))
    top_lead_id: Mapped[str | None] = mapped_column(comment="who has the top score")
    owner_name: Mapped[str | None] = mapped_column(comment="of that lead")
    session_count: Mapped[int] = mapped_column(server_default=text("0"))
    last_event_at: Mapped[datetime | None]
    score: Mapped[int] = mapped_column(
        server_default=text("0"), comment="in the primary account ruleset"
    )


class AccountSearchRow(Base):
    """What an account is found by, as LeadSearchRow is for leads."""

    __tablename__ = "account_search"
    __table_args__ = (Index("ix_account_search_grams", "grams", postgresql_using="gin"),)

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    text: Mapped[str]
    grams: Mapped[list[str]] = mapped_column(ARRAY(Text()))
