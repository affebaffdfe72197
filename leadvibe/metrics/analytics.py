"""How much happened in a unit, and by whom: events that count, of types that are not hidden.

Suppressed events and what Leadvibe itself wrote are left out. Counts of whole days are kept
(events.days); a day that a span begins in the middle of is counted one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta

from leadvibe.events import days
from leadvibe.events import queries as events
from leadvibe.events.days import Day
from leadvibe.events.types import EventType
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver
from leadvibe.metrics.types import DayCount, EventFigures

ONE_DAY = timedelta(days=1)


def count_events(
    scope: Scope,
    *,
    start: datetime | None,
    end: datetime | None,
    now: datetime,
    event_type: str | None = None,
) -> EventFigures:
    """Return what happened from `start` until just before `end`; None leaves an end open.

    `end` is a midnight in UTC. With a start, every day of the span is listed up to today's;
    without one, the days that had events.
    """
    types = events.list_event_types(scope)
    hidden = _hidden(types)
    counts = {
        day: count
        for day, count in _counts(scope, start=start, end=end).items()
        if day.event_type not in hidden and event_type in {None, day.event_type}
    }
    by_type: Counter[str] = Counter()
    by_day: Counter[date] = Counter()
    for day, count in counts.items():
        by_type[day.event_type] += count
        by_day[day.date] += count
    # Leads remember their last event that counted, so those of a span that is still open need not
    # be looked for among its events. But of types that were ever only observed they remember none.
    is_remembered = end is None and event_type is None and not any(it.was_decided for it in types)
    return EventFigures(
        total=by_type.total(),
        unique_leads=(
            _count_active_leads(scope, start)
            if is_remembered
            else _count_leads(scope, start=start, end=end, event_type=event_type, hidden=hidden)
        ),
        by_type=dict(sorted(by_type.items(), key=lambda it: (-it[1], it[0]))),
        daily=_daily(by_day, start=start, last=(end or now + ONE_DAY).astimezone(UTC).date()),
    )


def count_since(scope: Scope, *starts: datetime) -> list[int]:
    """Return how many events happened since each of some midnights in UTC."""
    hidden = _hidden(events.list_event_types(scope))
    counts = days.list_days(scope, since=min(starts).date())
    shown = [(day.date, count) for day, count in counts.items() if day.event_type not in hidden]
    return [sum(count for day, count in shown if day >= start.date()) for start in starts]


def _counts(scope: Scope, *, start: datetime | None, end: datetime | None) -> dict[Day, int]:
    before = end.astimezone(UTC).date() if end else None
    if start is None:
        return days.list_days(scope, before=before)
    first = start.astimezone(UTC).date()
    midnight = datetime.combine(first, time(), UTC)
    if start == midnight:
        return days.list_days(scope, since=first, before=before)
    part = days.count_between(scope, start, midnight + ONE_DAY)
    begun = {Day(first, event_type, ""): count for event_type, count in part.items()}
    return begun | days.list_days(scope, since=first + ONE_DAY, before=before)


def _daily(counts: Counter[date], *, start: datetime | None, last: date) -> list[DayCount]:
    """Return the days in order; `last` is the day after the last that must be there."""
    listed = set(counts)
    if start is not None:
        first = start.astimezone(UTC).date()
        listed |= {first + timedelta(days=number) for number in range((last - first).days)}
    return [DayCount(day, counts[day]) for day in sorted(listed)]


def _hidden(types: Iterable[EventType]) -> set[str]:
    return {it.name for it in types if it.hidden}


def _count_leads(
    scope: Scope,
    *,
    start: datetime | None,
    end: datetime | None,
    event_type: str | None,
    hidden: Collection[str],
) -> int:
    """Return how many leads are behind the events, going through these."""
    statement = """
        SELECT count(*) FROM (
            SELECT DISTINCT lead_id FROM events
            WHERE unit_id = %(unit)s AND suppression_reason IS NULL AND receipt > 0
              AND (%(start)s::timestamptz IS NULL OR occurred_at >= %(start)s)
              AND (%(end)s::timestamptz IS NULL OR occurred_at < %(end)s)
              AND (%(type)s::text IS NULL OR event_type = %(type)s)
              AND event_type <> ALL(%(hidden)s)
        ) AS active
    """
    bound = {
        "unit": scope.unit_id,
        "start": start,
        "end": end,
        "type": event_type,
        "hidden": list(hidden),
    }
    row = driver().execute(statement, bound).fetchone()
    assert row is not None
    return int(row[0])


def _count_active_leads(scope: Scope, since: datetime | None) -> int:
    statement = """
        SELECT count(*) FROM leads
        WHERE unit_id = %(unit)s AND merged_into IS NULL
          AND last_event_at >= coalesce(%(since)s::timestamptz, '-infinity')
    """
    row = driver().execute(statement, {"unit": scope.unit_id, "since": since}).fetchone()
    assert row is not None
    return int(row[0])
