"""Tables of triggers: what members set up, what each remembers of leads, and what it emitted."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from leadvibe.lib.db import Base

_KINDS = "kind IN ('milestone', 'sequence', 'pattern', 'surge')"


class TriggerRow(Base):
    """Something to look for in what leads do. `shape` depends on the kind (engine.triggers)."""

    __tablename__ = "triggers"
    __table_args__ = (
        CheckConstraint(_KINDS, name="kind"),
        CheckConstraint("fire_mode IN ('once', 'always')", name="fire_mode"),
    )

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    trigger_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(server_default=text("''"))
    active: Mapped[bool]
    fire_mode: Mapped[str]
    cooldown_seconds: Mapped[int] = mapped_column(BigInteger)
    window_unit: Mapped[str] = mapped_column(comment="in which people see the window")
    shape: Mapped[dict[str, Any]]
    filters: Mapped[dict[str, Any]]
    recipients: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    created_by: Mapped[str]
    updated_by: Mapped[str]


class TriggerMemoryRow(Base):
    """When a trigger fired last for a lead, and the last event that took part."""

    __tablename__ = "trigger_memories"
    __table_args__ = (
        ForeignKeyConstraint(
            ["unit_id", "trigger_id"], ["triggers.unit_id", "triggers.trigger_id"],
            ondelete="CASCADE",
        ),
        Index("ix_trigger_memories_lead", "unit_id", "lead_id"),
    )  # fmt: skip

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    trigger_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    fired_at: Mapped[datetime] = mapped_column(comment="by the event's time")
    boundary_at: Mapped[datetime]
    boundary_receipt: Mapped[int] = mapped_column(BigInteger)


class EmittedEventRow(Base):
    """A trigger that fired; it stays when the trigger goes."""

    __tablename__ = "emitted_events"
    __table_args__ = (
        CheckConstraint(_KINDS, name="kind"),
        Index(
            "uq_emitted_events_cause", "unit_id", "trigger_id", "cause_event_id", "event",
            unique=True,
        ),
        Index(
            "ix_emitted_events_latest", "unit_id", "kind", text("fired_at DESC"),
            text("emitted_id DESC"),
        ),
        Index(
            "ix_emitted_events_trigger", "unit_id", "trigger_id", text("fired_at DESC"),
            text("emitted_id DESC"),
        ),
        Index(
            "ix_emitted_events_history", "unit_id", text("fired_at DESC"), text("emitted_id DESC")
        ),
        Index("ix_emitted_events_lead", "unit_id", "lead_id", text("occurred_at DESC")),
    )  # fmt: skip

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    emitted_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    event: Mapped[str]
    trigger_id: Mapped[UUID]
    trigger_name: Mapped[str]
    lead_id: Mapped[str] = mapped_column(Text(collation="C"))
    score: Mapped[int]
    event_type: Mapped[str]
    cause_event_id: Mapped[UUID | None]
    channel: Mapped[str]
    occurred_at: Mapped[datetime] = mapped_column(comment="the event's time")
    fired_at: Mapped[datetime]
    summary: Mapped[str]
    details: Mapped[dict[str, Any]]
