"""Named ranges of time, in UTC days: what `range=last_7d` means."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple


class NamedRange(StrEnum):
    ALL = "all"
    TODAY = "today"
    YESTERDAY = "yesterday"
    LAST_24H = "last_24h"
    LAST_7D = "last_7d"
    LAST_30D = "last_30d"
    LAST_90D = "last_90d"


class Span(NamedTuple):
    """From `start` until just before `end`; None leaves an end open."""

    start: datetime | None = None
    end: datetime | None = None


_LENGTHS = {
    NamedRange.LAST_24H: timedelta(hours=24),
    NamedRange.LAST_7D: timedelta(days=7),
    NamedRange.LAST_30D: timedelta(days=30),
    NamedRange.LAST_90D: timedelta(days=90),
}


def span_of(named: NamedRange, *, now: datetime) -> Span:
    """Return the span that a range means at this instant."""
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    if named is NamedRange.ALL:
        return Span()
    if named is NamedRange.TODAY:
        return Span(start=midnight)
    if named is NamedRange.YESTERDAY:
        return Span(midnight - timedelta(days=1), midnight)
    return Span(start=now - _LENGTHS[named])
