"""Reads of triggers and of what they emitted, each confined to one unit."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_

from leadvibe.engine.triggers import FILTERS, FireMode, TriggerKind, shape_of
from leadvibe.identity.types import Scope
from leadvibe.lib.db import session
from leadvibe.lib.paging import Page, PageRequest, Total
from leadvibe.notifications.models import ChannelRow
from leadvibe.notifications.types import Happening
from leadvibe.triggers.errors import TriggerNotFoundError
from leadvibe.triggers.models import EmittedEventRow, TriggerRow
from leadvibe.triggers.types import (
    HAPPENINGS,
    EmittedEvent,
    EmittedFilter,
    Fired,
    Recipients,
    Trigger,
)

RECIPIENTS: TypeAdapter[Recipients] = TypeAdapter(Recipients)


def list_triggers(scope: Scope, kind: TriggerKind | None = None) -> list[Trigger]:
    """Return the triggers of a kind, or of all, by name and then the oldest first."""
    statement = (
        select(TriggerRow)
        .where(TriggerRow.unit_id == scope.unit_id, *_of_kind(TriggerRow, kind))
        .order_by(TriggerRow.name, TriggerRow.trigger_id)
    )
    return [_trigger(row) for row in session().scalars(statement)]


def list_active_triggers(scope: Scope) -> list[Trigger]:
    """Return the triggers of all kinds that may fire, the oldest first."""
    statement = (
        select(TriggerRow)
        .where(TriggerRow.unit_id == scope.unit_id, TriggerRow.active)
        .order_by(TriggerRow.trigger_id)
    )
    return [_trigger(row) for row in session().scalars(statement)]


def get_trigger(scope: Scope, kind: TriggerKind, trigger_id: UUID) -> Trigger:
    """Return a trigger of a kind. Raises TriggerNotFoundError."""
    statement = (
        select(TriggerRow)
        .where(
            TriggerRow.unit_id == scope.unit_id,
            TriggerRow.trigger_id == trigger_id,
            TriggerRow.kind == kind,
        )
        .execution_options(populate_existing=True)
    )
    row = session().scalar(statement)
    if row is None:
        raise TriggerNotFoundError(f"There is no {kind} trigger '{trigger_id}' in this unit.")
    return _trigger(row)


def count_triggers(scope: Scope) -> int:
    """Return how many triggers of all kinds the unit has."""
    statement = select(func.count()).where(TriggerRow.unit_id == scope.unit_id)
    return session().scalar(statement) or 0


def find_channels(scope: Scope, channel_ids: Collection[UUID]) -> set[UUID]:
    """Return which of these are notification channels of the unit."""
    statement = select(ChannelRow.channel_id).where(
        ChannelRow.unit_id == scope.unit_id, ChannelRow.channel_id.in_(channel_ids)
    )
    return set(session().scalars(statement)) if channel_ids else set()


def search_emitted(
    scope: Scope, kind: TriggerKind, wanted: EmittedFilter, request: PageRequest
) -> Page[EmittedEvent]:
    """Return one page of what triggers of a kind fired on, the newest first, with the total.

    That a score has left a milestone is not among it.
    """
    statement = _emitted(scope, kind, wanted).limit(request.size).offset(request.offset)
    items = [_emitted_event(row) for row in session().execute(statement)]
    counted = select(func.count()).where(*_matching(scope, kind, wanted))
    return Page(items, Total(session().scalar(counted) or 0), request)


def list_emitted(
    scope: Scope, kind: TriggerKind | None, wanted: EmittedFilter, request: PageRequest
) -> list[EmittedEvent]:
    """Return one page of what triggers of a kind, or of all, emitted, the newest first.

    As search_emitted, but for how many there are: a history grows without end.
    """
    statement = _emitted(scope, kind, wanted).limit(request.size).offset(request.offset)
    return [_emitted_event(row) for row in session().execute(statement)]


def list_history(
    scope: Scope,
    lead_id: str,
    *,
    limit: int,
    kind: TriggerKind | None = None,
    since: datetime | None = None,
    before: datetime | None = None,
    behind: tuple[datetime, UUID] | None = None,
) -> list[EmittedEvent]:
    """Return what fired for a lead by the time of the events, the latest first.

    Since an instant; before another, or from behind what was emitted at a place.
    """
    place = (EmittedEventRow.occurred_at, EmittedEventRow.emitted_id)
    columns = (getattr(EmittedEventRow, name) for name in _EMITTED_FIELDS)
    statement = (
        select(*columns)
        .where(*_matching(scope, kind, EmittedFilter(lead_id=lead_id)))
        .order_by(*(column.desc() for column in place))
        .limit(limit)
    )
    if since is not None:
        statement = statement.where(EmittedEventRow.occurred_at >= since)
    if before is not None:
        statement = statement.where(EmittedEventRow.occurred_at < before)
    if behind is not None:
        statement = statement.where(tuple_(*place) < tuple_(*behind))
    return [_emitted_event(row) for row in session().execute(statement)]


def list_caused(scope: Scope, lead_id: str, event_id: UUID) -> list[EmittedEvent]:
    """Return what triggers emitted because of one event of a lead."""
    statement = _emitted(scope, None, EmittedFilter(lead_id=lead_id)).where(
        EmittedEventRow.cause_event_id == event_id
    )
    return [_emitted_event(row) for row in session().execute(statement)]


def summarize_firings(
    scope: Scope, kind: TriggerKind | None, *, since: datetime
) -> dict[UUID, Fired]:
    """Return of each trigger of a kind, or of all, when it fired last and how often since then."""
    of_trigger = (
        EmittedEventRow.unit_id == TriggerRow.unit_id,
        EmittedEventRow.trigger_id == TriggerRow.trigger_id,
        EmittedEventRow.event.in_(HAPPENINGS.values()),
    )
    last = select(EmittedEventRow.fired_at).where(*of_trigger).limit(1)
    times = select(func.count()).where(*of_trigger, EmittedEventRow.fired_at >= since)
    statement = select(
        TriggerRow.trigger_id,
        last.order_by(EmittedEventRow.fired_at.desc()).scalar_subquery(),
        times.scalar_subquery(),
    ).where(TriggerRow.unit_id == scope.unit_id, *_of_kind(TriggerRow, kind))
    return {trigger_id: Fired(*rest) for trigger_id, *rest in session().execute(statement)}


def stream_emitted(
    scope: Scope, kind: TriggerKind | None, wanted: EmittedFilter
) -> Iterator[EmittedEvent]:
    """Yield what triggers of a kind, or of all, emitted, the newest first.

    Nothing of it is held in memory.
    """
    statement = _emitted(scope, kind, wanted)
    rows = session().execute(statement, execution_options={"yield_per": 1_000})
    yield from (_emitted_event(row) for row in rows)


_EMITTED_FIELDS = tuple(each.name for each in fields(EmittedEvent))


def _of_kind(
    table: type[TriggerRow | EmittedEventRow], kind: TriggerKind | None
) -> Iterator[ColumnElement[bool]]:
    if kind is not None:
        yield table.kind == kind


def _emitted(scope: Scope, kind: TriggerKind | None, wanted: EmittedFilter) -> Select[Any]:
    columns = (getattr(EmittedEventRow, name) for name in _EMITTED_FIELDS)
    return (
        select(*columns)
        .where(*_matching(scope, kind, wanted))
        .order_by(EmittedEventRow.fired_at.desc(), EmittedEventRow.emitted_id.desc())
    )


def _matching(
    scope: Scope, kind: TriggerKind | None, wanted: EmittedFilter
) -> Iterator[ColumnElement[bool]]:
    yield EmittedEventRow.unit_id == scope.unit_id
    yield from _of_kind(EmittedEventRow, kind)
    yield EmittedEventRow.event.in_([HAPPENINGS[it] for it in ([kind] if kind else TriggerKind)])
    if wanted.trigger_id is not None:
        yield EmittedEventRow.trigger_id == wanted.trigger_id
    if wanted.lead_id is not None:
        yield EmittedEventRow.lead_id == wanted.lead_id
    if wanted.channel is not None:
        yield EmittedEventRow.channel == wanted.channel
    if wanted.fired_from is not None:
        yield EmittedEventRow.fired_at >= wanted.fired_from
    if wanted.fired_before is not None:
        yield EmittedEventRow.fired_at < wanted.fired_before


def _emitted_event(row: Any) -> EmittedEvent:
    values = row._asdict()
    enums = {"kind": TriggerKind(row.kind), "event": Happening(row.event)}
    return EmittedEvent(**{**values, **enums})


def list_users_of_channel(scope: Scope, channel_id: UUID) -> list[str]:
    """Return the names of the triggers that tell through a notification channel."""
    recipients = TriggerRow.recipients
    names_it = or_(
        recipients["channel_ids"].contains([str(channel_id)]),
        recipients["teams_target_id"].astext == str(channel_id),
    )
    statement = (
        select(TriggerRow.name)
        .where(TriggerRow.unit_id == scope.unit_id, names_it)
        .order_by(TriggerRow.name)
    )
    return list(session().scalars(statement))


def _trigger(row: TriggerRow) -> Trigger:
    kind = TriggerKind(row.kind)
    return Trigger(
        trigger_id=row.trigger_id,
        kind=kind,
        name=row.name,
        description=row.description,
        active=row.active,
        fire_mode=FireMode(row.fire_mode),
        cooldown_seconds=row.cooldown_seconds,
        window_unit=row.window_unit,
        shape=shape_of(kind, row.shape),
        filters=FILTERS.validate_python(row.filters),
        recipients=RECIPIENTS.validate_python(row.recipients),
        created_at=row.created_at,
        updated_at=row.updated_at,
        created_by=row.created_by,
        updated_by=row.updated_by,
    )
