"""Reads of events, event types, sessions and the inbox, each confined to one unit."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import from_json
from sqlalchemy import ColumnElement, Row, Select, Text, and_, cast, func, or_, select, tuple_

from leadvibe.engine.facts import Event as EngineEvent
from leadvibe.engine.facts import Session
from leadvibe.engine.organic import Seen
from leadvibe.engine.policies import DECAY_TYPE
from leadvibe.events.errors import DeadLetterNotFoundError, EventNotFoundError
from leadvibe.events.models import (
    DeadLetterRow,
    EventRow,
    EventTypeRow,
    InboxRow,
    SourceTallyRow,
)
from leadvibe.events.types import (
    COUNTS,
    DeadLetter,
    Event,
    EventFilter,
    EventLine,
    EventType,
    Fact,
    InboxStatus,
    Tally,
    Verdict,
    WrittenDecay,
)
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver, session
from leadvibe.lib.paging import Page, PageRequest, Total

READ_SIZE = 10_000
"""Rows fetched at a time when a lead's whole history streams by."""


class TimelinePosition(NamedTuple):
    """Where a page of the timeline ended: the next page is what came before.

    What Leadvibe wrote has no receipt, and may share its instant with more of its kind.
    """

    occurred_at: datetime
    receipt: int
    event_id: UUID


_PLACE = (EventRow.occurred_at, EventRow.receipt, EventRow.event_id)


def get_event(scope: Scope, event_id: UUID) -> Event:
    """Return the event. Raises EventNotFoundError."""
    statement = _events().where(EventRow.unit_id == scope.unit_id, EventRow.event_id == event_id)
    row = session().execute(statement).one_or_none()
    if row is None:
        raise EventNotFoundError(f"There is no event '{event_id}' in this unit.")
    return _event(row)


def list_timeline(
    scope: Scope,
    lead_id: str,
    *,
    limit: int,
    before: TimelinePosition | None = None,
    only: Collection[str] | None = None,
    without: Collection[str] = (),
) -> list[Event]:
    """Return a lead's events, newest first, from before a position on.

    `only` those of some types, or all but those `without`.
    """
    statement = (
        _events()
        .where(EventRow.unit_id == scope.unit_id, EventRow.lead_id == lead_id)
        .order_by(*(column.desc() for column in _PLACE))
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(tuple_(*_PLACE) < tuple_(*before))
    if only is not None:
        statement = statement.where(EventRow.event_type.in_(only))
    if without:
        statement = statement.where(EventRow.event_type.not_in(without))
    return [_event(row) for row in session().execute(statement)]


def get_events(scope: Scope, event_ids: Collection[UUID]) -> dict[UUID, Event]:
    """Return those of the events that exist, by id."""
    statement = _events().where(EventRow.unit_id == scope.unit_id, EventRow.event_id.in_(event_ids))
    return {row.event_id: _event(row) for row in session().execute(statement)}


def count_suppressed(
    scope: Scope, lead_id: str, *, since: datetime | None, until: datetime | None
) -> int:
    """Return how many of a lead's events within a span do not count; both ends included."""
    statement = """
        SELECT count(*) FROM events
        WHERE unit_id = %(unit)s AND lead_id = %(lead)s AND suppression_reason IS NOT NULL
          AND (%(since)s::timestamptz IS NULL OR occurred_at >= %(since)s)
          AND (%(until)s::timestamptz IS NULL OR occurred_at <= %(until)s)
    """
    bound = {"unit": scope.unit_id, "lead": lead_id, "since": since, "until": until}
    row = driver().execute(statement, bound).fetchone()
    assert row is not None
    return int(row[0])


def stream_facts(
    scope: Scope,
    lead_ids: Sequence[str],
    *,
    under: int | None = None,
    with_metadata_of: Collection[str] | None = (),
) -> Iterator[tuple[str, list[Fact]]]:
    """Yield each lead with all its events, in order: what a replay needs.

    An event of an older version than the lead's base comes under the base version; with `under`,
    all come under that version, and not as filters of others saw them. Metadata comes with events
    of the types that are named, None meaning all. What decay wrote is left out.
    """
    own = """
        greatest(e.version, l.base_version), coalesce(e.fingerprint, 0),
        coalesce(e.suppression_reason = 'metadata_filter', false)
    """
    statement = f"""
        SELECT e.lead_id, e.event_id, e.event_type, e.occurred_at, e.receipt,
               {own if under is None else "%(under)s::int, 0, false"},
               e.suppression_reason, e.is_folded, coalesce(e.fingerprint, 0),
               CASE WHEN %(all)s OR e.event_type = ANY(%(types)s) THEN e.metadata END
        FROM events e JOIN leads l ON l.unit_id = e.unit_id AND l.lead_id = e.lead_id
        WHERE e.unit_id = %(unit)s AND e.lead_id = ANY(%(leads)s) AND e.receipt > 0
        ORDER BY e.lead_id, e.occurred_at, e.receipt
    """
    bound = {
        "unit": scope.unit_id,
        "leads": list(lead_ids),
        "under": under,
        "all": with_metadata_of is None,
        "types": list(with_metadata_of or ()),
    }
    current: str | None = None
    facts: list[Fact] = []
    with driver().cursor(name="facts") as cursor:
        cursor.itersize = READ_SIZE
        for row in cursor.execute(statement, bound):
            if row[0] != current:
                if current is not None:
                    yield current, facts
                current, facts = row[0], []
            reason, is_folded, mark, metadata = row[8:]
            verdict = COUNTS if reason is None else Verdict(reason, is_folded)
            facts.append(Fact(EngineEvent._make(row[1:8]), verdict, mark, metadata))
    if current is not None:
        yield current, facts


def load_seen(
    scope: Scope, since: Mapping[str, datetime], event_types: Sequence[str]
) -> dict[str, list[Seen]]:
    """Return, by lead, its events of some types that happened after an instant of its own."""
    statement = """
        SELECT e.lead_id, e.event_id, e.event_type, e.occurred_at, e.receipt,
               greatest(e.version, l.base_version), coalesce(e.fingerprint, 0),
               coalesce(e.suppression_reason = 'metadata_filter', false),
               e.suppression_reason, NOT e.is_folded
        FROM unnest(%s::text[], %s::timestamptz[]) AS wanted (lead_id, since)
        JOIN leads l ON l.unit_id = %s AND l.lead_id = wanted.lead_id
        JOIN events e ON e.unit_id = l.unit_id AND e.lead_id = l.lead_id
            AND e.occurred_at > wanted.since
        WHERE e.event_type = ANY(%s) AND e.receipt > 0
    """
    bound = (list(since), list(since.values()), scope.unit_id, list(event_types))
    seen: dict[str, list[Seen]] = {}
    for row in driver().execute(statement, bound):
        one = Seen(EngineEvent._make(row[1:8]), row[8], stands_alone=row[9])
        seen.setdefault(row[0], []).append(one)
    return seen


def list_decays(scope: Scope, lead_ids: Sequence[str]) -> dict[str, list[WrittenDecay]]:
    """Return what decay wrote about the leads, in any order."""
    statement = """
        SELECT lead_id, event_id, occurred_at, version,
               metadata ->> 'decay_id', metadata ->> 'decrease'
        FROM events
        WHERE unit_id = %s AND lead_id = ANY(%s) AND event_type = %s AND receipt = 0
    """
    decays: dict[str, list[WrittenDecay]] = {}
    for lead_id, *rest in driver().execute(statement, (scope.unit_id, list(lead_ids), DECAY_TYPE)):
        decays.setdefault(lead_id, []).append(WrittenDecay(*rest))
    return decays


def open_sessions(scope: Scope, lead_ids: Sequence[str]) -> dict[str, Session]:
    """Return each lead's latest session, which its next event may continue."""
    statement = """
        SELECT wanted.lead_id, latest.started_at, latest.ended_at, latest.event_count
        FROM unnest(%s::text[]) AS wanted (lead_id) CROSS JOIN LATERAL (
            SELECT s.started_at, s.ended_at, s.event_count FROM lead_sessions s
            WHERE s.unit_id = %s AND s.lead_id = wanted.lead_id
            ORDER BY s.started_at DESC LIMIT 1
        ) AS latest
    """
    rows = driver().execute(statement, (list(lead_ids), scope.unit_id))
    return {lead_id: Session(*values) for lead_id, *values in rows}


def list_sessions(scope: Scope, lead_ids: Sequence[str]) -> dict[str, list[Session]]:
    """Return all sessions of the leads, oldest first."""
    statement = """
        SELECT lead_id, started_at, ended_at, event_count
        FROM lead_sessions WHERE unit_id = %s AND lead_id = ANY(%s)
        ORDER BY lead_id, started_at
    """
    sessions: dict[str, list[Session]] = {}
    for lead_id, *values in driver().execute(statement, (scope.unit_id, list(lead_ids))):
        sessions.setdefault(lead_id, []).append(Session(*values))
    return sessions


def list_event_types(scope: Scope) -> list[EventType]:
    """Return every event type seen in the unit, the most frequent first."""
    statement = """
        SELECT name, hidden, max_processing_scope, event_count, first_seen_at, was_decided
        FROM event_types
        WHERE unit_id = %s ORDER BY event_count DESC, name
    """
    return [EventType(*row) for row in driver().execute(statement, (scope.unit_id,))]


def known_message_ids(scope: Scope, message_ids: Collection[str]) -> set[str]:
    """Return which of these messages have become events already."""
    if not message_ids:
        return set()
    statement = "SELECT message_id FROM events WHERE unit_id = %s AND message_id = ANY(%s)"
    rows = driver().execute(statement, (scope.unit_id, list(message_ids)))
    return {message_id for (message_id,) in rows}


def get_tally(scope: Scope, source: str) -> Tally:
    """Return how far the pipeline is with the events of a source; zeros when it has seen none."""
    statement = select(
        SourceTallyRow.source,
        SourceTallyRow.processed,
        SourceTallyRow.duplicates,
        SourceTallyRow.failed,
    ).where(SourceTallyRow.unit_id == scope.unit_id, SourceTallyRow.source == source)
    row = session().execute(statement).one_or_none()
    return Tally(*row) if row else Tally(source, 0, 0, 0)


def find_leads_with_events(scope: Scope, lead_ids: Collection[str]) -> set[str]:
    """Return which of the leads have any events that came in, counted or not."""
    statement = """
        SELECT wanted.lead_id FROM unnest(%s::text[]) AS wanted (lead_id)
        WHERE EXISTS (
            SELECT FROM events e
            WHERE e.unit_id = %s AND e.lead_id = wanted.lead_id AND e.receipt > 0
        )
    """
    rows = driver().execute(statement, (list(lead_ids), scope.unit_id))
    return {lead_id for (lead_id,) in rows}


def has_source(scope: Scope, source: str) -> bool:
    """Say whether anything of the source is in the unit, waiting or processed."""
    statement = """
        SELECT EXISTS (SELECT FROM source_tallies WHERE unit_id = %(unit)s AND source = %(source)s)
            OR EXISTS (SELECT FROM inbox WHERE unit_id = %(unit)s AND source = %(source)s)
    """
    row = driver().execute(statement, {"unit": scope.unit_id, "source": source}).fetchone()
    return bool(row and row[0])


def units_waiting(*, after: UUID | None = None) -> list[UUID]:
    """Return the units with anything in their inbox, but for archived ones, whose events wait.

    By hopping through its key.
    """
    statement = """
        WITH RECURSIVE hop (unit_id) AS (
            (SELECT unit_id FROM inbox WHERE %(after)s::uuid IS NULL OR unit_id > %(after)s
             ORDER BY unit_id LIMIT 1)
            UNION ALL
            SELECT (SELECT unit_id FROM inbox WHERE unit_id > hop.unit_id
                    ORDER BY unit_id LIMIT 1)
            FROM hop WHERE hop.unit_id IS NOT NULL
        )
        SELECT unit_id FROM hop WHERE unit_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM units u WHERE u.unit_id = hop.unit_id AND u.archived_at IS NOT NULL
        )
    """
    return [unit_id for (unit_id,) in driver().execute(statement, {"after": after})]


def inbox_status(scope: Scope | None = None) -> InboxStatus:
    """Return what waits in one unit, or in all of them."""
    waiting = select(func.count(), func.min(InboxRow.received_at))
    dead = select(func.count()).select_from(DeadLetterRow)
    if scope is not None:
        waiting = waiting.where(InboxRow.unit_id == scope.unit_id)
        dead = dead.where(DeadLetterRow.unit_id == scope.unit_id)
    count, oldest_at = session().execute(waiting).one()
    return InboxStatus(count, oldest_at, session().scalar(dead) or 0)


def list_dead_letters(scope: Scope, *, limit: int, offset: int = 0) -> list[DeadLetter]:
    """Return events that could not be processed, the latest failure first."""
    statement = (
        _dead_letters()
        .where(DeadLetterRow.unit_id == scope.unit_id)
        .order_by(DeadLetterRow.failed_at.desc(), DeadLetterRow.receipt.desc())
        .limit(limit)
        .offset(offset)
    )
    return [DeadLetter(*row) for row in session().execute(statement)]


def count_dead_letters(scope: Scope) -> int:
    """Return how many events of the unit could not be processed."""
    statement = "SELECT count(*) FROM dead_letters WHERE unit_id = %s"
    row = driver().execute(statement, (scope.unit_id,)).fetchone()
    return row[0] if row else 0


def get_dead_letter(scope: Scope, receipt: int) -> DeadLetter:
    """Return one event that could not be processed. Raises DeadLetterNotFoundError."""
    statement = _dead_letters().where(
        DeadLetterRow.unit_id == scope.unit_id, DeadLetterRow.receipt == receipt
    )
    row = session().execute(statement).one_or_none()
    if row is None:
        raise DeadLetterNotFoundError("That event is not among the failed ones any more.")
    return DeadLetter(*row)


def _events() -> Select[Any]:
    columns: tuple[Any, ...] = (
        EventRow.event_id,
        EventRow.lead_id,
        EventRow.event_type,
        EventRow.occurred_at,
        EventRow.received_at,
        EventRow.receipt,
        EventRow.version,
        EventRow.channel,
        EventRow.source,
        EventRow.metadata_.label("metadata"),
        EventRow.suppression_reason,
        EventRow.original_lead_id,
    )
    return select(*columns)


def _event(row: Row[Any]) -> Event:
    return Event(**row._mapping)  # noqa: SLF001 - the documented way to a row's names


def _dead_letters() -> Select[Any]:
    columns: tuple[Any, ...] = (
        DeadLetterRow.receipt,
        DeadLetterRow.event_id,
        DeadLetterRow.received_at,
        DeadLetterRow.source,
        cast(DeadLetterRow.payload, Text),
        DeadLetterRow.error,
        DeadLetterRow.failed_at,
    )
    return select(*columns)


def search_events(scope: Scope, wanted: EventFilter, request: PageRequest) -> Page[Event]:
    """Return one page of events, the newest first, with the exact total."""
    condition = _matching(scope, wanted)
    statement = (
        _events()
        .where(condition)
        .order_by(EventRow.occurred_at.desc(), EventRow.receipt.desc())
        .limit(request.size)
        .offset(request.offset)
    )
    items = [_event(row) for row in session().execute(statement)]
    return Page(items, Total(_count(scope, wanted)), request)


def stream_lines(scope: Scope, wanted: EventFilter) -> Iterator[EventLine]:
    """Yield all matching events in short, the newest first, without holding them in memory."""
    statement = (
        select(EventRow.event_id, EventRow.lead_id, EventRow.event_type, EventRow.occurred_at)
        .where(_matching(scope, wanted))
        .order_by(EventRow.occurred_at.desc(), EventRow.receipt.desc())
    )
    rows = session().execute(statement, execution_options={"yield_per": 1_000})
    yield from (EventLine(*row) for row in rows)


def find_last_processed(scope: Scope) -> datetime | None:
    """Return when the pipeline last finished an event of the unit; None when it never has."""
    statement = "SELECT max(updated_at) FROM source_tallies WHERE unit_id = %s"
    row = driver().execute(statement, (scope.unit_id,)).fetchone()
    return row[0] if row else None


def list_sources(scope: Scope) -> set[str]:
    """Return where the events came from that the pipeline has finished."""
    statement = "SELECT source FROM source_tallies WHERE unit_id = %s"
    rows = driver().execute(statement, (scope.unit_id,))
    return {source for (source,) in rows}


def count_accepted() -> int:
    """Return how many events were ever put into the inbox, in all units; it never falls.

    Told by the numbers handed out, so an event that was retried counts again, and so may a few
    that were rolled back or lost their number in a crash.
    """
    statement = """
        SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('inbox', 'receipt')), 0)
    """
    row = driver().execute(statement).fetchone()
    assert row is not None
    return int(row[0])


def _count(scope: Scope, wanted: EventFilter) -> int:
    """Count matching events; by type alone they are counted already, however many there are."""
    counted: Select[Any]
    if wanted == EventFilter(event_type=wanted.event_type):
        counted = select(func.sum(EventTypeRow.event_count)).where(
            EventTypeRow.unit_id == scope.unit_id
        )
        if wanted.event_type is not None:
            counted = counted.where(EventTypeRow.name == wanted.event_type)
    else:
        counted = select(func.count()).select_from(EventRow).where(_matching(scope, wanted))
    return int(session().scalar(counted) or 0)


def _matching(scope: Scope, wanted: EventFilter) -> ColumnElement[bool]:
    return and_(EventRow.unit_id == scope.unit_id, *_conditions(wanted))


def _conditions(wanted: EventFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.event_type is not None:
        yield EventRow.event_type == wanted.event_type
    if wanted.lead_id is not None:
        yield EventRow.lead_id == wanted.lead_id
    if wanted.occurred_from is not None:
        yield EventRow.occurred_at >= wanted.occurred_from
    if wanted.occurred_before is not None:
        yield EventRow.occurred_at < wanted.occurred_before
    if wanted.metadata:
        pairs = [_says(key, value) for key, value in wanted.metadata]
        yield or_(*pairs) if wanted.any_metadata else and_(*pairs)


def _says(key: str, text: str) -> ColumnElement[bool]:
    # Containment, which the index answers, tells "5" from 5: ask for both.
    return or_(*(EventRow.metadata_.contains({key: value}) for value in _readings(text)))


def _readings(text: str) -> list[object]:
    """Return what a typed value may stand for in JSON: itself, and a number or truth value."""
    try:
        spelt = from_json(text, allow_inf_nan=False)
    except ValueError:
        return [text]
    is_finite = not isinstance(spelt, float) or math.isfinite(spelt)
    return [text, spelt] if isinstance(spelt, bool | int | float) and is_finite else [text]


KEYS_FROM_EVENTS = 10_000
"""How many of a type's latest events are looked at for their metadata's keys."""


def list_metadata_keys(scope: Scope, event_type: str) -> list[str]:
    """Return the keys that the metadata of a type's latest events have, by name."""
    statement = """
        SELECT DISTINCT jsonb_object_keys(latest.metadata) AS key FROM (
            SELECT metadata FROM events WHERE unit_id = %s AND event_type = %s
            ORDER BY occurred_at DESC, receipt DESC LIMIT %s
        ) AS latest ORDER BY key
    """
    rows = driver().execute(statement, (scope.unit_id, event_type, KEYS_FROM_EVENTS))
    return [key for (key,) in rows]
