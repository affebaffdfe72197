"""How often a score rose to a threshold: what a milestone would have fired on.

A threshold is reached from below only. What one event does in a ruleset counts as one step,
however many of its rules scored it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from leadvibe.engine.facts import Entry

_EVENT = attrgetter("event_id")


class Step(NamedTuple):
    """What one event did to a score."""

    event_id: UUID
    before: int
    after: int

    def reaches(self, threshold: int) -> bool:
        """Say whether the score came from below the threshold to it or beyond."""
        return self.before < threshold <= self.after


def steps_of(entries: Iterable[Entry]) -> Iterator[Step]:
    """Yield what each event did; the entries are one lead's in one ruleset, in order."""
    for event_id, some in groupby(entries, key=_EVENT):
        first, *others = some
        last = others[-1] if others else first
        yield Step(event_id, first.before, last.after)


def count_rises(entries: Iterable[Entry], thresholds: Sequence[int]) -> Counter[int]:
    """Return how often the score came from below each threshold to it or beyond.

    The entries are one lead's in one ruleset, in order; the thresholds ascend.
    """
    rises: Counter[int] = Counter()
    for step in steps_of(entries):
        low = bisect_right(thresholds, step.before)
        rises.update(thresholds[low : bisect_right(thresholds, step.after)])
    return rises
