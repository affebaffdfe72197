"""Figures about the work itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import NamedTuple


class SlackLatency(NamedTuple):
    """Deliveries to Slack that took at most so long, and longer than the bucket before allows."""

    at_most_seconds: float
    deliveries: int
    seconds: float


class Figures(NamedTuple):
    """Counts across all units and all processes."""

    events_ingested: int
    queue_depth: int
    lag_seconds: float = 0.0
    dead_letters: int = 0
    slack: tuple[SlackLatency, ...] = ()
    deliveries: Mapping[tuple[str, str], int] = MappingProxyType({})
    """Attempts to deliver a notice, by transport and outcome."""
    deliveries_waiting: int = 0


class DayCount(NamedTuple):
    day: date
    events: int


class EventFigures(NamedTuple):
    """What came in within a span: events by type, the most frequent first, and by day."""

    total: int
    unique_leads: int
    by_type: dict[str, int]
    daily: list[DayCount]


class BoostedTotals(NamedTuple):
    """What a multiplier raised: events, whose they were, and the points above their weights."""

    events: int
    leads: int
    points: int


class Bucket(NamedTuple):
    """Boosted events from an instant on, until the next bucket."""

    at: datetime
    events: int


class SurgeFigures(NamedTuple):
    """Boosted events of a span. `series` has every bucket of it, also those without any."""

    totals: BoostedTotals
    channels: dict[str, int]
    series: list[Bucket]

    @property
    def peak(self) -> Bucket | None:
        """Return the first of the fullest buckets; None when nothing was boosted."""
        fullest = max(self.series, key=lambda it: it.events, default=None)
        return fullest if fullest is not None and fullest.events else None


class SurgingLead(NamedTuple):
    """A lead whose next event counts more; `place` is that of its last one in the run."""

    lead_id: str
    name: str
    score: int
    place: int
    last_event_at: datetime
