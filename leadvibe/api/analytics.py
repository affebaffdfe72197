"""How much happened in the unit: all of it over a range of time, and the usual figures at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as time_of_day

from pydantic import BaseModel, Field

from leadvibe.api.fields import Text
from leadvibe.api.ranges import NamedRange, span_of
from leadvibe.identity.types import Principal
from leadvibe.leads.queries import count_listed
from leadvibe.lib.clock import utc_now
from leadvibe.metrics.analytics import count_events, count_since

MOST_TOP_TYPES = 10

Day = date
"""By another name, for the field that the contract calls date."""


class StatsQuery(BaseModel):
    """Which time the figures are of."""

    range: NamedRange = Field(NamedRange.ALL, description="When the events happened; UTC days.")


class AnalyticsQuery(StatsQuery):
    """Which time the figures are of, and which events."""

    event_type: Text | None = Field(None, description="Only events of this type.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyticsTotals:
    events: int
    unique_leads: int
    event_types: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyCount:
    date: Day
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Analytics:
    """Events of a range. `by_type` and `events_by_type` are the same; so are the totals."""

    totals: AnalyticsTotals
    by_type: dict[str, int]
    total_events: int
    unique_leads: int
    events_by_type: dict[str, int]
    daily_counts: list[DailyCount]


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDay:
    """The last 24 hours."""

    total_events: int
    unique_leads: int
    by_type: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeCount:
    event_type: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStats:
    """Figures for a first look. `top_events` and `top_event_types` are the same."""

    last_24h: LastDay
    top_events: list[TypeCount]
    total_events: int
    total_leads: int
    events_today: int
    events_this_week: int
    top_event_types: list[TypeCount]


def show_analytics(principal: Principal, query: AnalyticsQuery) -> Analytics:
    """How many events happened within a range: in all, by type, by day, and of how many leads.

    Suppressed events, hidden types and what Leadvibe itself wrote are not counted. Every day of
    the range is listed; with `range=all`, the days that had events.
    """
    now = utc_now()
    span = span_of(query.range, now=now)
    found = count_events(
        principal.scope,
        start=span.start,
        end=span.end,
        now=now,
        event_type=query.event_type or None,
    )
    return Analytics(
        totals=AnalyticsTotals(
            events=found.total, unique_leads=found.unique_leads, event_types=len(found.by_type)
        ),
        by_type=found.by_type,
        total_events=found.total,
        unique_leads=found.unique_leads,
        events_by_type=found.by_type,
        daily_counts=[DailyCount(date=day, count=count) for day, count in found.daily],
    )


def show_stats(principal: Principal, query: StatsQuery) -> EventStats:
    """The usual figures: the last 24 hours, today, this week (from Monday), and the top types.

    `range` is about `total_events` and the top types. Days and weeks are UTC's. Not counted is
    what `GET /events-analytics` leaves out; `total_leads` is how many leads the unit has.
    """
    scope, now = principal.scope, utc_now()
    span = span_of(query.range, now=now)
    found = count_events(scope, start=span.start, end=span.end, now=now)
    last_day = span_of(NamedRange.LAST_24H, now=now)
    recent = count_events(scope, start=last_day.start, end=None, now=now)
    midnight = datetime.combine(now.date(), time_of_day(), now.tzinfo)
    today, this_week = count_since(scope, midnight, midnight - timedelta(days=midnight.weekday()))
    top = [
        TypeCount(event_type=name, count=count)
        for name, count in list(found.by_type.items())[:MOST_TOP_TYPES]
    ]
    return EventStats(
        last_24h=LastDay(
            total_events=recent.total, unique_leads=recent.unique_leads, by_type=recent.by_type
        ),
        top_events=top,
        total_events=found.total,
        total_leads=count_listed(scope),
        events_today=today,
        events_this_week=this_week,
        top_event_types=top,
    )
