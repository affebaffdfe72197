"""What an organisation uses in a month, and what of it lies beyond its plan.

Does not count (events.usage) nor stop anybody who is beyond the plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from leadvibe.events.usage import list_usage, month_of
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver

MONTHS = 12
"""Of history, the current one included."""


@dataclass(frozen=True, slots=True)
class MonthUsage:
    """Events of the month that begins on a day, and how many of them were beyond the plan."""

    month: date
    events: int
    overage: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """An organisation's last months, the current one last, and one unit's part in that."""

    limit: int | None
    """Events a month; None for no limit."""
    months: tuple[MonthUsage, ...]
    unit_events: int

    @property
    def current(self) -> MonthUsage:
        return self.months[-1]


def get_usage(scope: Scope, *, limit: int | None, now: datetime) -> Usage:
    """Return what the scope's organisation has used in the last months, in all of its units.

    `limit` is the one of today: there is no record of what it was.
    """
    months = _last_months(month_of(now))
    totals: dict[date, int] = dict.fromkeys(months, 0)
    units: dict[tuple[UUID, date], int] = {}
    for unit_id, month, events in list_usage(scope.org_id, since=months[0]):
        totals[month] = totals.get(month, 0) + events
        units[unit_id, month] = events
    return Usage(
        limit=limit,
        months=tuple(
            MonthUsage(month, totals[month], _beyond(limit, totals[month])) for month in months
        ),
        unit_events=units.get((scope.unit_id, months[-1]), 0),
    )


def _beyond(limit: int | None, events: int) -> int:
    return 0 if limit is None else max(0, events - limit)


def _last_months(current: date) -> list[date]:
    numbers = range(current.year * 12 + current.month - MONTHS, current.year * 12 + current.month)
    return [date(number // 12, number % 12 + 1, 1) for number in numbers]


@dataclass(frozen=True, slots=True)
class DayUsage:
    """What a unit had on a day (UTC).

    Counted events by when they happened, new leads, and what programs asked to change.
    """

    day: date
    events: int
    leads: int
    requests: int


def list_days(scope: Scope, *, days: int, now: datetime) -> list[DayUsage]:
    """Return the unit's last days, today included and last."""
    today = now.astimezone(UTC).date()
    since = today - timedelta(days=days - 1)
    counts = [_by_day(statement, scope, since) for statement in (_EVENTS, _LEADS, _REQUESTS)]
    span = [since + timedelta(days=number) for number in range(days)]
    return [DayUsage(day, *(found.get(day, 0) for found in counts)) for day in span]


def _by_day(statement: str, scope: Scope, since: date) -> dict[date, int]:
    bound = {"unit": scope.unit_id, "since": since, "at": datetime.combine(since, _MIDNIGHT, UTC)}
    return dict(driver().execute(statement, bound).fetchall())


_MIDNIGHT = datetime.min.time()
_EVENTS = """
    SELECT day, sum(events)::bigint FROM event_days
    WHERE unit_id = %(unit)s AND day >= %(since)s GROUP BY day
"""
_LEADS = """
    SELECT (created_at AT TIME ZONE 'UTC')::date, count(*) FROM leads
    WHERE unit_id = %(unit)s AND created_at >= %(at)s AND merged_into IS NULL GROUP BY 1
"""
_REQUESTS = """
    SELECT (created_at AT TIME ZONE 'UTC')::date, count(*) FROM audit_log
    WHERE unit_id = %(unit)s AND created_at >= %(at)s AND via <> 'session' GROUP BY 1
"""
