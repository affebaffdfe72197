"""Events on their way in and as they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID


class Arrival(NamedTuple):
    """An event as it enters the inbox; `payload` is its JSON text."""

    event_id: UUID
    received_at: datetime
    source: str
    message_id: str | None
    payload: str


class InboxEvent(NamedTuple):
    """An arrival that the pipeline has claimed; `receipt` is its place in the order of arrival."""

    receipt: int
    event_id: UUID
    received_at: datetime
    source: str
    message_id: str | None
    payload: str


class NewEvent(NamedTuple):
    """A row of the event table, in the order of its COPY columns after the unit."""

    event_id: UUID
    lead_id: str
    receipt: int
    occurred_at: datetime
    received_at: datetime
    version: int
    event_type: str
    channel: str
    source: str
    message_id: str | None
    suppression_reason: str | None
    metadata: str


class Tally(NamedTuple):
    """How many events of one source the pipeline has finished, and how they ended."""

    source: str
    processed: int
    duplicates: int
    failed: int


@dataclass(frozen=True, slots=True)
class Event:
    """An event as readers see it."""

    event_id: UUID
    lead_id: str
    event_type: str
    occurred_at: datetime
    received_at: datetime
    receipt: int
    version: int
    channel: str
    source: str
    metadata: Mapping[str, Any]
    suppression_reason: str | None
    original_lead_id: str | None


class EventLine(NamedTuple):
    """An event in one line of a file."""

    event_id: UUID
    lead_id: str
    event_type: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class DeadLetter:
    receipt: int
    event_id: UUID
    received_at: datetime
    source: str
    payload: str
    error: str
    failed_at: datetime


@dataclass(frozen=True, slots=True)
class EventType:
    name: str
    hidden: bool
    event_count: int
    first_seen_at: datetime


@dataclass(frozen=True, slots=True)
class InboxStatus:
    """How much waits for the pipeline; `oldest_at` is None when nothing does."""

    waiting: int
    oldest_at: datetime | None
    dead_letters: int


@dataclass(frozen=True, slots=True)
class SourceWipe:
    """What was deleted of one source, and which leads had events of it."""

    events: int
    waiting: int
    dead_letters: int
    lead_ids: frozenset[str]


class EventFilter(NamedTuple):
    """Conditions on events that all hold; None or empty leaves one out.

    `metadata` are (key, value) as somebody typed them: a value also stands for the number or truth
    value that it spells. `any_metadata` asks for one of them instead of all.
    """

    event_type: str | None = None
    lead_id: str | None = None
    occurred_from: datetime | None = None
    occurred_before: datetime | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    any_metadata: bool = False
