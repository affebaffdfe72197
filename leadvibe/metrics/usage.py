"""What an organisation uses in a month, and what of it lies beyond its plan.

Does not count (events.usage) nor stop anybody who is beyond the plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from leadvibe.events.usage import list_usage, month_of
from leadvibe.identity.types import Scope

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
