"""A score over time, looked at every so often.

A score moves in steps and stays in between, so a look at any instant is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

HOUR = timedelta(hours=1)


class Point(NamedTuple):
    """What a score was at an instant, what happened at that very instant included."""

    at: datetime
    score: int


def look_hourly(
    changes: Sequence[Point], *, opening: int, start: datetime, end: datetime
) -> Iterator[Point]:
    """Yield the score at the start, at every full hour after it, and at the end.

    The changes are those since the start, in order; `opening` is the score before them.
    """
    score, place = opening, 0
    for at in _looks(start, end):
        while place < len(changes) and changes[place].at <= at:
            score = changes[place].score
            place += 1
        yield Point(at, score)


def _looks(start: datetime, end: datetime) -> Iterator[datetime]:
    yield start
    at = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + HOUR
    while at < end:
        yield at
        at += HOUR
    if end > start:
        yield end
