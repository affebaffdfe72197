"""The history of one lead: what it did and bought, what fired for it, what was said and done of it.

Five lists, each with an index of its own, merged as they are read: a page of the history costs the
same wherever it begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from heapq import merge
from itertools import islice
from typing import NamedTuple, TypeAlias
from uuid import UUID

from leadvibe.engine.policies import SYSTEM_TYPES
from leadvibe.events import orders
from leadvibe.events.queries import TimelinePosition, list_timeline
from leadvibe.events.types import Event, Order
from leadvibe.identity.types import Scope
from leadvibe.leads import notes, statuses
from leadvibe.leads.notes import Note, NotePlace
from leadvibe.leads.statuses import ChangePlace, StatusChange
from leadvibe.triggers import queries as triggers
from leadvibe.triggers.types import EmittedEvent

Item: TypeAlias = Event | Order | EmittedEvent | Note | StatusChange
Reader: TypeAlias = Callable[[Scope, str, "HistoryFilter", int, "Place | None"], Sequence["Item"]]
_INSTANT = timedelta(microseconds=1)
_ZERO = UUID(int=0)


class Kind(StrEnum):
    """What a history can be narrowed to; `change` is what Leadvibe did itself: decay and merges."""

    EVENT = "event"
    NOTE = "note"
    TRIGGER = "trigger"
    ORDER = "order"
    STATUS = "status"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """One kind, or all; of events one type, or all."""

    kind: Kind | None = None
    event_type: str = ""


class Place(NamedTuple):
    """Where an item stands; of one instant, what follows from an event comes after it."""

    at: datetime
    rank: int
    receipt: int
    key: str


EVENT_RANK, ORDER_RANK, TRIGGER_RANK, NOTE_RANK, STATUS_RANK = range(5)


def place_of(item: Item) -> Place:
    if isinstance(item, Event):
        return Place(item.occurred_at, EVENT_RANK, item.receipt, item.event_id.hex)
    if isinstance(item, Order):
        return Place(item.ordered_at, ORDER_RANK, 0, item.order_id)
    if isinstance(item, EmittedEvent):
        return Place(item.occurred_at, TRIGGER_RANK, 0, item.emitted_id.hex)
    if isinstance(item, StatusChange):
        return Place(item.changed_at, STATUS_RANK, 0, item.change_id.hex)
    return Place(item.created_at, NOTE_RANK, 0, item.note_id.hex)


def list_history(
    scope: Scope, lead_id: str, wanted: HistoryFilter, *, limit: int, before: Place | None = None
) -> list[Item]:
    """Return a lead's history, the latest first, from before a place on."""
    readers: dict[Kind, Reader] = {
        Kind.EVENT: _list_events,
        Kind.ORDER: _list_orders,
        Kind.TRIGGER: _list_triggers,
        Kind.NOTE: _list_notes,
        Kind.STATUS: _list_statuses,
    }
    kind = Kind.EVENT if wanted.event_type else wanted.kind
    if kind is Kind.CHANGE:
        readers = {Kind.CHANGE: _list_events}
    lists: Iterable[Sequence[Item]] = (
        read(scope, lead_id, wanted, limit, before)
        for each, read in readers.items()
        if kind is None or each is kind
    )
    # Each list is in order already, and nothing comes between two items of one list and instant.
    newest_first = merge(*lists, key=lambda item: place_of(item)[:2], reverse=True)
    return list(islice(newest_first, limit))


def _bounds(rank: int, before: Place | None) -> tuple[datetime | None, Place | None]:
    """Return the instant that a list ends before, or the place that it goes on behind."""
    if before is None:
        return None, None
    if rank == before.rank:
        return None, before
    return before.at if rank > before.rank else before.at + _INSTANT, None


def _list_events(
    scope: Scope, lead_id: str, wanted: HistoryFilter, limit: int, before: Place | None
) -> Sequence[Event]:
    end, behind = _bounds(EVENT_RANK, before)
    position = None
    if behind is not None:
        position = TimelinePosition(behind.at, behind.receipt, UUID(behind.key))
    elif end is not None:
        position = TimelinePosition(end, -1, _ZERO)
    only = [wanted.event_type] if wanted.event_type else None
    if wanted.kind is Kind.CHANGE and not only:
        only = sorted(SYSTEM_TYPES)
    without = SYSTEM_TYPES if wanted.kind is Kind.EVENT and not only else ()
    return list_timeline(scope, lead_id, limit=limit, before=position, only=only, without=without)


def _list_orders(
    scope: Scope, lead_id: str, _wanted: HistoryFilter, limit: int, before: Place | None
) -> Sequence[Order]:
    end, place = _bounds(ORDER_RANK, before)
    behind = (place.at, place.key) if place else None
    return orders.list_history(scope, lead_id, limit=limit, before=end, behind=behind)


def _list_triggers(
    scope: Scope, lead_id: str, _wanted: HistoryFilter, limit: int, before: Place | None
) -> Sequence[EmittedEvent]:
    end, place = _bounds(TRIGGER_RANK, before)
    behind = (place.at, UUID(place.key)) if place else None
    return triggers.list_history(scope, lead_id, limit=limit, before=end, behind=behind)


def _list_notes(
    scope: Scope, lead_id: str, _wanted: HistoryFilter, limit: int, before: Place | None
) -> Sequence[Note]:
    end, place = _bounds(NOTE_RANK, before)
    behind = NotePlace(place.at, UUID(place.key)) if place else None
    return notes.list_notes(scope, lead_id, limit=limit, before=end, behind=behind)


def _list_statuses(
    scope: Scope, lead_id: str, _wanted: HistoryFilter, limit: int, before: Place | None
) -> Sequence[StatusChange]:
    end, place = _bounds(STATUS_RANK, before)
    behind = ChangePlace(place.at, UUID(place.key)) if place else None
    return statuses.list_changes(scope, lead_id, limit=limit, before=end, behind=behind)
