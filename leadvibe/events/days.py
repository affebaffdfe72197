"""How many events counted on each day, by type and channel: read quickly, however many there are.

Whatever stores, deletes or judges events keeps these counts in the same transaction. Suppressed
events are not in them, nor is what Leadvibe itself wrote. Days are UTC's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import NamedTuple

from leadvibe.events.types import NewEvent
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver, write


class Day(NamedTuple):
    """A day of one event type in one channel."""

    date: date
    event_type: str
    channel: str


ADD_DAYS = """
    INSERT INTO event_days (unit_id, day, event_type, channel, events)
    SELECT unit_id, day, event_type, channel, sum(events) FROM changed
    GROUP BY 1, 2, 3, 4 HAVING sum(events) <> 0 ORDER BY 2, 3, 4
    ON CONFLICT (unit_id, day, event_type, channel)
    DO UPDATE SET events = event_days.events + excluded.events
"""
"""Adds the rows of `changed`, in the order of the key, so that no two block each other."""

UNCOUNT_GONE = f"""
    changed AS (
        SELECT unit_id, (occurred_at AT TIME ZONE 'UTC')::date AS day, event_type, channel,
               -1 AS events
        FROM gone WHERE suppression_reason IS NULL AND receipt > 0
    ), uncounted_days AS ({ADD_DAYS})
"""  # noqa: S608 - text of ours
"""Parts of a WITH that take the events of `gone` out of the counts."""

GONE = "unit_id, occurred_at, event_type, channel, suppression_reason, receipt"
"""What UNCOUNT_GONE needs to know of deleted events."""


class Tally:
    """Counts the events that pass by."""

    def __init__(self) -> None:
        self.counts: Counter[Day] = Counter()

    def watch(self, events: Iterable[NewEvent]) -> Iterator[NewEvent]:
        """Yield the events as they are, counting those that count."""
        counts = self.counts
        for event in events:
            if event.receipt and event.suppression_reason is None:
                day = event.occurred_at.astimezone(UTC).date()
                counts[Day(day, event.event_type, event.channel)] += 1
            yield event


def add_days(scope: Scope, counts: Mapping[Day, int]) -> None:
    """Add events to their days."""
    if not counts:
        return
    statement = f"""
        WITH changed AS (
            SELECT %s::uuid AS unit_id, new.*
            FROM unnest(%s::date[], %s::text[], %s::text[], %s::bigint[])
                AS new (day, event_type, channel, events)
        ) {ADD_DAYS}
    """  # noqa: S608 - text of ours
    days = [day.date.isoformat() for day in counts]
    types, channels = [day.event_type for day in counts], [day.channel for day in counts]
    write(statement, (scope.unit_id, days, types, channels, list(counts.values())))


def list_days(
    scope: Scope, *, since: date | None = None, before: date | None = None
) -> dict[Day, int]:
    """Return how many events counted, from a day on and until the day before another."""
    statement = """
        SELECT day, event_type, channel, events FROM event_days
        WHERE unit_id = %(unit)s AND events > 0
          AND (%(since)s::date IS NULL OR day >= %(since)s)
          AND (%(before)s::date IS NULL OR day < %(before)s)
        ORDER BY day, event_type, channel
    """
    bound = {"unit": scope.unit_id, "since": since, "before": before}
    return {Day(*day): count for *day, count in driver().execute(statement, bound)}


class Mix(NamedTuple):
    """What a span of days is made of: events by day, by type and by channel."""

    by_day: dict[date, int]
    by_type: dict[str, int]
    by_channel: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.by_day.values())


def count_mix(scope: Scope, since: date, before: date, *, hidden: Collection[str] = ()) -> Mix:
    """Return what counted from a day on and until the day before another, the most first.

    Leaves out the types that are `hidden`.
    """
    statement = """
        SELECT day, event_type, channel, sum(events)::bigint AS events FROM event_days
        WHERE unit_id = %s AND day >= %s AND day < %s AND event_type <> ALL(%s)
        GROUP BY GROUPING SETS ((day), (event_type), (channel)) HAVING sum(events) > 0
        ORDER BY events DESC, event_type, channel
    """
    mix = Mix({}, {}, {})
    bound = (scope.unit_id, since, before, list(hidden))
    for day, event_type, channel, count in driver().execute(statement, bound):
        if day is not None:
            mix.by_day[day] = count
        elif event_type is not None:
            mix.by_type[event_type] = count
        else:
            mix.by_channel[channel] = count
    return mix


def count_hours(
    scope: Scope, start: datetime, end: datetime, *, hidden: Collection[str] = ()
) -> dict[datetime, int]:
    """Return how many events counted in each hour that had any.

    One by one: for a day or two that are known to have few.
    """
    statement = """
        SELECT date_trunc('hour', occurred_at, 'UTC') AS hour, count(*) FROM events
        WHERE unit_id = %s AND occurred_at >= %s AND occurred_at < %s
          AND suppression_reason IS NULL AND receipt > 0 AND event_type <> ALL(%s)
        GROUP BY hour
    """
    return dict(driver().execute(statement, (scope.unit_id, start, end, list(hidden))).fetchall())


def recount_days(scope: Scope) -> dict[Day, int]:
    """Return what `list_days` should, counting the events one by one."""
    statement = """
        SELECT (occurred_at AT TIME ZONE 'UTC')::date AS day, event_type, channel, count(*)
        FROM events
        WHERE unit_id = %s AND suppression_reason IS NULL AND receipt > 0
        GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    """
    rows = driver().execute(statement, (scope.unit_id,))
    return {Day(*day): count for *day, count in rows}


def rebuild_days(scope: Scope) -> None:
    """Put a new count in the place of the stored one."""
    counts = recount_days(scope)
    driver().execute("DELETE FROM event_days WHERE unit_id = %s", (scope.unit_id,))
    add_days(scope, counts)


def count_between(scope: Scope, start: datetime, end: datetime) -> dict[str, int]:
    """Return how many events of each type counted from an instant until just before another.

    One by one: for parts of a day.
    """
    statement = """
        SELECT event_type, count(*) FROM events
        WHERE unit_id = %s AND occurred_at >= %s AND occurred_at < %s
          AND suppression_reason IS NULL AND receipt > 0
        GROUP BY event_type
    """
    return dict(driver().execute(statement, (scope.unit_id, start, end)).fetchall())
