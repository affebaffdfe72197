"""What a lead did, with the points of each event, beside what it bought: one stream of both."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from leadvibe.events.orders import list_orders
from leadvibe.events.types import Event, Order, OrderFilter
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver
from leadvibe.scoring.lead_scores import span_of_events
from leadvibe.scoring.ledger_sums import WITHIN
from leadvibe.scoring.queries import find_primary

READ_SIZE = 1_000


class ActivityFilter(NamedTuple):
    """Conditions that all hold; None leaves one out. All but the times are about events alone.

    `min_score` is about the points in the primary ruleset; `has_delta` asks for points in any.
    """

    occurred_from: datetime | None = None
    occurred_before: datetime | None = None
    channel: str | None = None
    min_score: int | None = None
    max_latency_ms: int | None = None
    has_delta: bool = False


@dataclass(frozen=True, slots=True)
class ScoredEvent:
    """An event and the points it gave in the primary ruleset, None when it has no rule for it."""

    event: Event
    delta: int | None
    latency_ms: int


@dataclass(frozen=True, slots=True)
class Activity:
    """Events and orders, each the latest first; `has_more` when older ones were cut off."""

    events: Sequence[ScoredEvent]
    orders: Sequence[Order]
    has_more: bool


def list_activity(scope: Scope, lead_id: str, wanted: ActivityFilter, *, limit: int) -> Activity:
    """Return the latest that a lead did and bought, so many of each at most."""
    events = _list_events(scope, lead_id, wanted, limit=limit + 1)
    of_lead = OrderFilter(
        lead_id, ordered_from=wanted.occurred_from, ordered_before=wanted.occurred_before
    )
    orders = list_orders(scope, of_lead, limit=limit + 1)
    has_more = max(len(events), len(orders)) > limit
    return Activity(events[:limit], orders[:limit], has_more)


class _Points(NamedTuple):
    """What an event gave in the primary ruleset, None without a rule, and whether in any."""

    delta: int | None
    has_delta: bool


_NOTHING = _Points(None, has_delta=False)


def _list_events(
    scope: Scope, lead_id: str, wanted: ActivityFilter, *, limit: int
) -> list[ScoredEvent]:
    ids: Iterable[UUID] = _stream_ids(scope, lead_id, wanted)
    if wanted.min_score is not None or wanted.has_delta:
        # Which events these are, the ledger knows alone: it is read once, and not for each event.
        every = _read_points(scope, lead_id, wanted)
        ids = (it for it in ids if _passes(every.get(it, _NOTHING), wanted))
    chosen = list(islice(ids, limit))
    points = _read_points(scope, lead_id, wanted, only=chosen)
    return [
        ScoredEvent(event, points.get(event.event_id, _NOTHING).delta, latency_ms)
        for event, latency_ms in _read_events(scope, chosen)
    ]


def _passes(points: _Points, wanted: ActivityFilter) -> bool:
    delta, has_delta = points
    is_enough = wanted.min_score is None or (delta or 0) >= wanted.min_score
    return is_enough and (has_delta or not wanted.has_delta)


def _stream_ids(scope: Scope, lead_id: str, wanted: ActivityFilter) -> Iterator[UUID]:
    """Yield the lead's events that match but for their points, the latest first."""
    conditions = ["unit_id = %(unit)s", "lead_id = %(lead)s", *_conditions(wanted)]
    statement = f"""
        SELECT event_id FROM events WHERE {" AND ".join(conditions)}
        ORDER BY occurred_at DESC, receipt DESC
    """  # noqa: S608 - text of ours
    bound = {
        "unit": scope.unit_id,
        "lead": lead_id,
        "since": wanted.occurred_from,
        "before": wanted.occurred_before,
        "channel": wanted.channel,
        "max_latency": wanted.max_latency_ms,
    }
    with driver().cursor(name="activity") as cursor:
        cursor.itersize = READ_SIZE
        yield from (event_id for (event_id,) in cursor.execute(statement, bound))


def _read_events(scope: Scope, event_ids: Collection[UUID]) -> Iterator[tuple[Event, int]]:
    """Yield events with their latency, the latest first."""
    statement = f"""
        SELECT event_id, lead_id, event_type, occurred_at, received_at, receipt, version, channel,
               source, metadata, suppression_reason, original_lead_id, {_LATENCY}
        FROM events WHERE unit_id = %s AND event_id = ANY(%s)
        ORDER BY occurred_at DESC, receipt DESC
    """  # noqa: S608 - text of ours
    for *event, latency_ms in driver().execute(statement, (scope.unit_id, list(event_ids))):
        yield Event(*event), latency_ms


def _read_points(
    scope: Scope, lead_id: str, wanted: ActivityFilter, *, only: list[UUID] | None = None
) -> dict[UUID, _Points]:
    """Return what events of the lead gave, those of the range or `only` these."""
    statement = f"""
        SELECT s.event_id, sum(s.delta) FILTER (WHERE s.ruleset_id = %(primary)s)::int,
               bool_or(s.delta <> 0)
        FROM {WITHIN} AND (%(before)s::timestamptz IS NULL OR s.occurred_at < %(before)s)
          AND (%(only)s::uuid[] IS NULL OR s.event_id = ANY(%(only)s))
        GROUP BY s.event_id
    """  # noqa: S608 - text of ours
    primary = find_primary(scope)
    since, until = span_of_events(scope, only) if only else (None, None)
    bound = {
        "unit": scope.unit_id,
        "lead": lead_id,
        "primary": primary.ruleset_id if primary else None,
        "since": since or wanted.occurred_from,
        "until": until or wanted.occurred_before,
        "before": wanted.occurred_before,
        "only": only,
    }
    rows = driver().execute(statement, bound)
    return {event_id: _Points(delta, has_delta) for event_id, delta, has_delta in rows}


_LATENCY = "floor(extract(epoch FROM received_at - occurred_at) * 1000)::bigint"


def _conditions(wanted: ActivityFilter) -> Iterator[str]:
    if wanted.occurred_from is not None:
        yield "occurred_at >= %(since)s"
    if wanted.occurred_before is not None:
        yield "occurred_at < %(before)s"
    if wanted.channel is not None:
        yield "channel = %(channel)s"
    if wanted.max_latency_ms is not None:
        yield f"{_LATENCY} <= %(max_latency)s"
