"""The histogram of scores that levels divide, and who moves when they are cut anew. Pure."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from leadvibe.engine.levels import UNCLASSIFIED, LevelCut
from leadvibe.engine.rules import Level
from leadvibe.web.pages.display import UNCLASSIFIED_COLOR, counted, thousands
from leadvibe.web.pages.levels import Bar, Chart

WIDTH, HEIGHT = 720, 160
MOST_BARS = 80
TICKS = 5
ROOM_ABOVE = 2
"""How many times as far as the highest cut the chart goes, so that it can be dragged up."""

MOST = 0.9
"""Of all: a long tail of scores would press all cuts together."""

LEAST_SPAN = 40
LEAST_HEIGHT = 1.5


class _Axis(NamedTuple):
    """From which score to before which the chart goes, and how many share a bar."""

    lowest: int
    end: int
    width: int

    @property
    def scale(self) -> float:
        return WIDTH / (self.end - self.lowest)

    def start_of(self, score: int) -> int:
        """Return where the bar of a score begins; those off the chart are in the outer ones."""
        inside = min(max(score, self.lowest), self.end - 1)
        return self.lowest + (inside - self.lowest) // self.width * self.width


def draw(distribution: Mapping[int, int], levels: Sequence[Level], who: str) -> Chart:
    """Draw how many have which score; scores beyond the right edge are in its last bar."""
    axis, cut = _axis(distribution, levels), LevelCut(levels)
    counts: Counter[int] = Counter()
    for score, count in distribution.items():
        counts[axis.start_of(score)] += count
    highest = max(counts.values(), default=1)
    bars = []
    for start, count in sorted(counts.items()):
        level = cut.level_of(start)
        color = level.color if level else UNCLASSIFIED_COLOR
        label = f"{_scores(axis, start)}: {thousands(count)} {who}"
        bars.append(_bar(axis, start, count / highest, color, label))
    span = axis.end - axis.lowest
    above = sum(count for score, count in distribution.items() if score >= axis.end)
    return Chart(
        bars=tuple(bars),
        ticks=tuple(
            thousands(round(axis.lowest + span * place / (TICKS - 1))) for place in range(TICKS)
        ),
        lowest=axis.lowest,
        end=axis.end,
        scores=_pairs(distribution, axis),
        cuts=tuple(
            _written((it.min_score - axis.lowest) * axis.scale)
            for it in levels
            if it.min_score > axis.lowest
        ),
        note=f"{thousands(above)} {who} from {thousands(axis.end)} on are in the last bar."
        if above
        else "",
    )


def describe_moves(
    distribution: Mapping[int, int], before: Sequence[Level], after: Sequence[Level], who: str
) -> list[str]:
    """Say how many go from which level to which, the most first."""
    was, will = LevelCut(before), LevelCut(after)
    moves: Counter[tuple[str, str]] = Counter()
    for score, count in distribution.items():
        old, new = was.level_of(score), will.level_of(score)
        if (old.level_id if old else None) != (new.level_id if new else None):
            moves[_name(old), _name(new)] += count
    return [
        f"{counted(count, who[:-1], who)} {'goes' if count == 1 else 'go'} from {old} to {new}"
        for (old, new), count in moves.most_common()
    ]


def count_levels(distribution: Mapping[int, int], levels: Sequence[Level]) -> Counter[object]:
    """Return how many have each level, by its id; None counts those without."""
    cut = LevelCut(levels)
    found: Counter[object] = Counter()
    for score, count in distribution.items():
        level = cut.level_of(score)
        found[level.level_id if level else None] += count
    return found


def _name(level: Level | None) -> str:
    return level.name if level else UNCLASSIFIED


def _axis(distribution: Mapping[int, int], levels: Sequence[Level]) -> _Axis:
    """Show most of them, and all cuts with room to drag them up; ticks are round."""
    total, seen, most = sum(distribution.values()), 0, 0
    for score, count in distribution.items():
        seen, most = seen + count, score
        if seen >= total * MOST:
            break
    starts = [it.min_score for it in levels]
    lowest = min([0, *starts, *list(distribution)[:1]])
    highest = max(most + 1, *(it * ROOM_ABOVE for it in (0, *starts)))
    span = max(highest - lowest, LEAST_SPAN)
    unit: int = 10 ** max(0, len(str(span)) - 2)
    lowest = lowest // unit * unit
    step = unit * (TICKS - 1)
    span = -(-(highest - lowest) // step) * step
    width = -(-span // MOST_BARS)
    return _Axis(lowest, lowest + max(span, step), max(width, 1))


def _bar(axis: _Axis, start: int, part: float, color: str, label: str) -> Bar:
    # The square root: most people have done next to nothing, and the few that matter must show.
    height = max(LEAST_HEIGHT, HEIGHT * math.sqrt(part))
    width = min(axis.width, axis.end - start) * axis.scale
    return Bar(
        x=_written((start - axis.lowest) * axis.scale),
        y=_written(HEIGHT - height),
        width=_written(width - min(1.0, width / 4)),
        height=_written(height),
        color=color,
        start=start,
        label=label,
    )


def _scores(axis: _Axis, start: int) -> str:
    if start + axis.width >= axis.end:
        return f"{start} and more"
    return str(start) if axis.width == 1 else f"{start} to {start + axis.width - 1}"


def _pairs(distribution: Mapping[int, int], axis: _Axis) -> str:
    """Write who has which score; what is off the chart stands just beside it."""
    pairs: Counter[int] = Counter()
    for score, count in distribution.items():
        pairs[min(max(score, axis.lowest - 1), axis.end)] += count
    return json.dumps(sorted(pairs.items()), separators=(",", ":"))


def _written(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
