"""How much surges did in a unit over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from leadvibe.api.fields import Instant, Text, UnitId
from leadvibe.identity.types import Principal
from leadvibe.metrics.surge import measure_surges

MOST_POINTS = 1_000
"""Of one series: more than a chart can show."""


class Interval(StrEnum):
    QUARTER_HOUR = "15m"
    HOUR = "1h"
    DAY = "1d"

    @property
    def length(self) -> timedelta:
        return _LENGTHS[self]


_LENGTHS = {
    Interval.QUARTER_HOUR: timedelta(minutes=15),
    Interval.HOUR: timedelta(hours=1),
    Interval.DAY: timedelta(days=1),
}


class SurgeQuery(BaseModel):
    """Which time, in which steps, and through which channel."""

    start: Instant = Field(description="From then on.")
    end: Instant = Field(description="Until just before then.")
    interval: Interval = Field(Interval.HOUR, description="The length of one point of the series.")
    channel: Text = Field("", description="Only events of this channel, such as web or email.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.end <= self.start:
            raise PydanticCustomError("backwards", "must come after start", {"field": "end"})
        if self.end - self.start > MOST_POINTS * self.interval.length:
            raise PydanticCustomError(
                "too_fine",
                "would make more than {most} points: choose a longer one, or ask for less time",
                {"field": "interval", "most": MOST_POINTS},
            )
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class SurgeTotals:
    """Events that a multiplier raised, of how many leads, and the points above their weights."""

    events: int
    leads: int
    boosted_points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SurgePeak:
    """The fullest interval, the first of several; `at` is null when nothing was boosted."""

    at: datetime | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelCount:
    channel: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesPoint:
    """Boosted events of the interval that begins at `t`."""

    t: datetime
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SurgeMetrics:
    """Boosted events of a span of time."""

    ou_id: UUID
    start: datetime
    end: datetime
    interval: Interval
    totals: SurgeTotals
    peak: SurgePeak
    channels: list[ChannelCount]
    series: list[SeriesPoint]


def show_surge_metrics(principal: Principal, ou_id: UnitId, query: SurgeQuery) -> SurgeMetrics:
    """How many events a session's multiplier has raised within a span, in all and over time.

    By the events' own time. Every interval is in the series, from full ones of UTC's clock; a
    span of more than 1,000 of them is refused.
    """
    found = measure_surges(
        principal.scope,
        start=query.start,
        end=query.end,
        interval=query.interval.length,
        channel=query.channel.strip().lower() or None,
    )
    peak = found.peak
    return SurgeMetrics(
        ou_id=ou_id,
        start=query.start,
        end=query.end,
        interval=query.interval,
        totals=SurgeTotals(
            events=found.totals.events,
            leads=found.totals.leads,
            boosted_points=found.totals.points,
        ),
        peak=SurgePeak(at=peak.at if peak else None, count=peak.events if peak else 0),
        channels=[ChannelCount(channel=name, count=it) for name, it in found.channels.items()],
        series=[SeriesPoint(t=at, count=count) for at, count in found.series],
    )
