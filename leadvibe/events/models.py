"""Tables of events: the inbox they arrive in, where they stay, and what they add up to."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Identity,
    Index,
    Numeric,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Mapped, mapped_column

from leadvibe.lib.db import Base


class InboxRow(Base):
    """An accepted event that waits for the pipeline. Its `receipt` is the order of arrival.

    The payload is `json`, not `jsonb`: it is read once, by us, and never searched.
    """

    __tablename__ = "inbox"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    receipt: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    event_id: Mapped[UUID]
    received_at: Mapped[datetime]
    source: Mapped[str]
    message_id: Mapped[str | None]
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    version: Mapped[int | None] = mapped_column(
        comment="config version that it counts under; null: the one in force when processed"
    )


class DeadLetterRow(Base):
    """An accepted event that the pipeline could not process, kept until someone decides."""

    __tablename__ = "dead_letters"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    receipt: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[UUID]
    received_at: Mapped[datetime]
    source: Mapped[str]
    message_id: Mapped[str | None]
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    error: Mapped[str]
    failed_at: Mapped[datetime]


class EventRow(Base):
    """One thing a lead did. `suppression_reason` is null for what counts.

    A suppressed event that names nobody we know has no lead, but `unclaimed`: lead id and aliases
    as it came. `fingerprint` and `is_folded` are what a velocity filter made of it.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index(
            "ix_events_timeline", "unit_id", "lead_id", text("occurred_at DESC"),
            text("receipt DESC"),
        ),
        Index(
            "ix_events_latest", "unit_id", text("occurred_at DESC"), text("receipt DESC"),
            postgresql_include=["lead_id", "event_type", "suppression_reason"],
        ),
        Index(
            "uq_events_message_id", "unit_id", "message_id", unique=True,
            postgresql_where=text("message_id IS NOT NULL"),
        ),
        Index(
            "ix_events_metadata", "metadata", postgresql_using="gin",
            postgresql_ops={"metadata": "jsonb_path_ops"},
        ),
        Index(
            "ix_events_unclaimed", "unit_id", "receipt", postgresql_where=text("lead_id IS NULL"),
        ),
        Index(
            "ix_events_left_out", "unit_id", "lead_id", "occurred_at",
            postgresql_where=text("suppression_reason IS NOT NULL"),
        ),
        Index(
            "ix_events_suppressed", "unit_id", "suppression_reason", "event_type",
            postgresql_where=text("suppression_reason IS NOT NULL"),
        ),
    )  # fmt: skip

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str | None] = mapped_column(Text(collation="C"))
    receipt: Mapped[int] = mapped_column(BigInteger)
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(comment="the config version it is scored under")
    event_type: Mapped[str]
    channel: Mapped[str]
    source: Mapped[str]
    message_id: Mapped[str | None]
    suppression_reason: Mapped[str | None]
    original_lead_id: Mapped[str | None]
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata")
    fingerprint: Mapped[int | None] = mapped_column(BigInteger)
    is_folded: Mapped[bool] = mapped_column(server_default=text("false"))
    unclaimed: Mapped[dict[str, Any] | None]


class EventTypeRow(Base):
    """An event type seen in a unit, and how far its events may reach."""

    __tablename__ = "event_types"
    __table_args__ = (
        CheckConstraint("max_processing_scope IN ('observe', 'decide', 'activate')", name="scope"),
    )

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    hidden: Mapped[bool] = mapped_column(server_default=text("false"))
    max_processing_scope: Mapped[str] = mapped_column(server_default=text("'activate'"))
    event_count: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    first_seen_at: Mapped[datetime]
    was_decided: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="somebody once made a choice about it"
    )


class EventDayRow(Base):
    """How many events of a type counted on a day, by channel: no suppressed ones, nor our own."""

    __tablename__ = "event_days"
    __table_args__ = ({"postgresql_with": {"fillfactor": 70}},)

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    event_type: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    events: Mapped[int] = mapped_column(BigInteger)


class SessionRow(Base):
    """A lead's run of events with no gap longer than the unit's session time-out."""

    __tablename__ = "lead_sessions"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    started_at: Mapped[datetime] = mapped_column(primary_key=True)
    ended_at: Mapped[datetime]
    event_count: Mapped[int]


class SourceTallyRow(Base):
    """How many events of one source the pipeline has finished: the progress of an import."""

    __tablename__ = "source_tallies"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    processed: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    duplicates: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    failed: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    updated_at: Mapped[datetime]


class UsageRow(Base):
    """How many events came into a unit in a month (UTC); deleting them later does not change it."""

    __tablename__ = "usage_months"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True, comment="its first day")
    event_count: Mapped[int] = mapped_column(BigInteger)


class ChannelRow(Base):
    """A channel that events of a unit have come through."""

    __tablename__ = "event_channels"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)


class OrderRow(Base):
    """Something a lead bought: shown beside its events, and never scored."""

    __tablename__ = "orders"
    __table_args__ = (
        Index("ix_orders_lead", "unit_id", "lead_id", text("ordered_at DESC")),
        Index("ix_orders_latest", "unit_id", text("ordered_at DESC")),
    )

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"))
    original_lead_id: Mapped[str | None]
    amount: Mapped[Decimal] = mapped_column(Numeric(18, 4))
    currency: Mapped[str]
    status: Mapped[str]
    ordered_at: Mapped[datetime]
    received_at: Mapped[datetime]
    items: Mapped[list[Any]]


class EventTypeDeletionRow(Base):
    """The wish that all events of a type be gone, and how far that is.

    Events up to `last_receipt` go, lead by lead; `after_lead` is the last lead that is done.
    """

    __tablename__ = "event_type_deletions"
    __table_args__ = (
        CheckConstraint("state IN ('in_progress', 'completed', 'failed')", name="state"),
        Index(
            "ix_event_type_deletions_unfinished", "requested_at",
            postgresql_where=text("state = 'in_progress'"),
        ),
    )  # fmt: skip

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    event_type: Mapped[str] = mapped_column(primary_key=True)
    deletion_id: Mapped[UUID]
    org_id: Mapped[UUID]
    state: Mapped[str]
    last_receipt: Mapped[int] = mapped_column(BigInteger)
    after_lead: Mapped[str] = mapped_column(server_default=text("''"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    events_deleted: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    entries_deleted: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    requested_at: Mapped[datetime]
    requested_by: Mapped[str]
    beat_at: Mapped[datetime | None] = mapped_column(
        comment="the last sign of life of its worker; null while it has none"
    )
    finished_at: Mapped[datetime | None]
