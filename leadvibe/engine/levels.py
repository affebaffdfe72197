"""Which level a score has."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise

from leadvibe.engine.rules import Level

UNCLASSIFIED = "Unclassified"


def level_of(levels: Iterable[Level], score: int) -> Level | None:
    """Return the level of one kind that holds the score, or None where the levels leave a gap."""
    return next((level for level in levels if level.holds(score)), None)


def find_overlap(levels: Iterable[Level]) -> tuple[Level, Level] | None:
    """Return two levels of the same kind that share a score, the lower first, or None.

    Once sorted, neighbours are enough: a level reaching past its neighbour's start meets it.
    """
    ordered = sorted(levels, key=lambda level: (level.kind, level.min_score))
    return next((pair for pair in pairwise(ordered) if _share_a_score(*pair)), None)


def _share_a_score(lower: Level, upper: Level) -> bool:
    return lower.kind == upper.kind and (
        lower.max_score is None or upper.min_score <= lower.max_score
    )


class LevelCut:
    """Levels of one kind cut into steps, for naming the levels of many scores quickly.

    Answers as `level_of` does, whatever the levels: a step begins wherever one starts or has ended.
    """

    def __init__(self, levels: Sequence[Level]) -> None:
        starts = {level.min_score for level in levels}
        ends = {level.max_score + 1 for level in levels if level.max_score is not None}
        self._starts = sorted(starts | ends)
        self._levels = [None, *(level_of(levels, start) for start in self._starts)]

    def level_of(self, score: int) -> Level | None:
        """Return the level that holds the score, or None in a gap."""
        return self._levels[bisect_right(self._starts, score)]

    def name_of(self, score: int) -> str:
        """Return the name that a lead of that score shows, UNCLASSIFIED in a gap."""
        level = self.level_of(score)
        return UNCLASSIFIED if level is None else level.name
