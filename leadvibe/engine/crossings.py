"""How often a score rose to a threshold: what a milestone would have fired on.

A threshold is reached from below only. What one event does in a ruleset counts as one step,
however many of its rules scored it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter

from leadvibe.engine.facts import Entry

_EVENT = attrgetter("event_id")


def count_rises(entries: Iterable[Entry], thresholds: Sequence[int]) -> Counter[int]:
    """Return how often the score came from below each threshold to it or beyond.

    The entries are one lead's in one ruleset, in order; the thresholds ascend.
    """
    rises: Counter[int] = Counter()
    for _, steps in groupby(entries, key=_EVENT):
        first, *others = steps
        last = others[-1] if others else first
        low = bisect_right(thresholds, first.before)
        rises.update(thresholds[low : bisect_right(thresholds, last.after)])
    return rises
