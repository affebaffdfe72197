"""Events on their way in and as they are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from leadvibe.engine.facts import Event as EngineEvent
from leadvibe.leads.types import AliasKey, DeletionState


class Arrival(NamedTuple):
    """An event as it enters the inbox; `payload` is its JSON text."""

    event_id: UUID
    received_at: datetime
    source: str
    message_id: str | None
    payload: str


class InboxEvent(NamedTuple):
    """An arrival that the pipeline has claimed; `receipt` is its place in the order of arrival.

    `version` is the configuration that was in force when it was accepted, None for one that comes
    in again: it counts under the one in force now.
    """

    receipt: int
    event_id: UUID
    received_at: datetime
    source: str
    message_id: str | None
    payload: str
    version: int | None


class Verdict(NamedTuple):
    """How filters saw an event: why it does not count, if so, and whether another stands for it."""

    reason: str | None
    is_folded: bool


COUNTS = Verdict(None, is_folded=False)


class Fact(NamedTuple):
    """A stored event as a replay needs it, with what is stored of how filters saw it.

    `metadata` is there only when it was asked for.
    """

    event: EngineEvent
    verdict: Verdict
    fingerprint: int
    metadata: Mapping[str, Any] | None


class WrittenDecay(NamedTuple):
    """An event that decay wrote, and what it says of the rule, as text."""

    event_id: UUID
    occurred_at: datetime
    version: int
    decay_id: str | None
    decrease: str | None


class NewEvent(NamedTuple):
    """A row of the event table, in the order of its COPY columns after the unit."""

    event_id: UUID
    lead_id: str | None
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
    fingerprint: int | None
    is_folded: bool
    unclaimed: str | None
    """JSON of the identity it came with; only of an event without a lead."""


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
    lead_id: str | None
    """None for a suppressed event that names nobody we know."""
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
    lead_id: str | None
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
    max_processing_scope: str
    event_count: int
    first_seen_at: datetime
    was_decided: bool
    """Somebody has once hidden it, or set how far it may reach, whatever holds now."""


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


class Named(NamedTuple):
    """Whom a trace of a lead may name: its ids, and its aliases in their normal form."""

    lead_ids: frozenset[str]
    aliases: frozenset[AliasKey]


class TruncationPolicy(StrEnum):
    """Which events of merged leads are left out."""

    NONE = "none"
    BEFORE = "before"
    """Those that happened before an instant."""
    LIMIT = "limit"
    """All but the newest so many."""


class Truncation(NamedTuple):
    """What a merge leaves out of the sources' events; the target's own always stay."""

    policy: TruncationPolicy = TruncationPolicy.NONE
    before: datetime | None = None
    keep: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """Something a lead bought. `items` are whatever the shop says about them."""

    order_id: str
    lead_id: str
    original_lead_id: str | None
    amount: Decimal
    currency: str
    status: str
    ordered_at: datetime
    received_at: datetime
    items: Sequence[Mapping[str, Any]]


class OrderFilter(NamedTuple):
    """Conditions on orders that all hold; None leaves one out."""

    lead_id: str | None = None
    status: str | None = None
    ordered_from: datetime | None = None
    ordered_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class TypeDeletion:
    """The wish that all events of a type be gone, and what is done of it.

    Events up to `last_receipt` go, lead by lead; `after_lead` is the last lead that is done.
    """

    deletion_id: UUID
    org_id: UUID
    unit_id: UUID
    event_type: str
    state: DeletionState
    last_receipt: int
    after_lead: str
    attempts: int
    events_deleted: int
    entries_deleted: int
    requested_at: datetime
    requested_by: str
    finished_at: datetime | None
