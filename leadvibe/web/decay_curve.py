"""What inactivity makes of a score, drawn: the engine says what is taken when. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import NamedTuple

from leadvibe.engine.decay import Reign, foresee
from leadvibe.engine.levels import LevelCut
from leadvibe.engine.rules import Level
from leadvibe.web.pages.decay import Band, Curve, Fall
from leadvibe.web.pages.display import thousands

WIDTH, HEIGHT = 640, 180
MOST_FALLS = 20_000
"""Hourly rules over a year, several of them; beyond, the curve ends."""

FALLS_SHOWN = 40
TICKS = 4
_DAY = timedelta(days=1)


class _Point(NamedTuple):
    days: float
    score: int


def draw(score: int, reign: Reign, levels: Sequence[Level], *, days: int) -> Curve:
    """Draw a lead's score from its last event, when the reign starts, over so many days."""
    until = reign.starts_at + timedelta(days=days)
    points = [_Point(0.0, score)]
    for firing, left in islice(foresee(score, reign, until=until), MOST_FALLS):
        points.append(_Point((firing.at - reign.starts_at) / _DAY, left))
    lowest = min(0, points[-1].score)
    top = max(score, 1)
    steps = list(_steps(points, days))
    line = " ".join(_spot(it, days, lowest, top) for it in steps)
    base = f"{HEIGHT * (top / (top - lowest)):.1f}"
    cut = LevelCut(levels)
    falls = points[1 : FALLS_SHOWN + 1]
    more = len(points) - 1 - len(falls)
    return Curve(
        line=line,
        area=f"0,{base} {line} {WIDTH},{base}",
        bands=tuple(_bands(levels, lowest, top)),
        ticks=tuple(str(round(days * place / (TICKS - 1))) for place in range(TICKS)),
        top=thousands(top),
        sentences=tuple(_say(points, cut, days)),
        falls=tuple(
            Fall(day=spell_days(it.days), score=thousands(it.score), level=cut.name_of(it.score))
            for it in falls
        ),
        more=f"and {more:,} more" if more > 0 else "",
    )


def _steps(points: Sequence[_Point], days: int) -> Iterator[_Point]:
    """Yield the corners: a score stays until it falls."""
    before = points[0].score
    for point in points:
        yield _Point(point.days, before)
        yield point
        before = point.score
    yield _Point(days, before)


def _spot(point: _Point, days: int, lowest: int, top: int) -> str:
    x = WIDTH * point.days / days
    y = HEIGHT * (top - point.score) / (top - lowest)
    return f"{x:.1f},{y:.1f}"


def _bands(levels: Sequence[Level], lowest: int, top: int) -> Iterator[Band]:
    scale = HEIGHT / (top - lowest)
    for level in levels:
        begin = max(level.min_score, lowest)
        end = top if level.max_score is None else min(level.max_score + 1, top)
        if begin < end:
            yield Band(
                y=f"{(top - end) * scale:.1f}",
                height=f"{(end - begin) * scale:.1f}",
                color=level.color,
            )


def _say(points: Sequence[_Point], cut: LevelCut, days: int) -> Iterator[str]:
    first, *falls = points
    if not falls:
        yield f"It stays at {thousands(first.score)} for all of {days} days."
        return
    name = cut.name_of(first.score)
    for it in falls:
        if cut.name_of(it.score) != name:
            name = cut.name_of(it.score)
            yield f"{name} after {spell_days(it.days)}, at {thousands(it.score)}."
    last = falls[-1]
    if last.score == 0:
        yield f"Nothing is left after {spell_days(last.days)}."
    else:
        yield f"{thousands(last.score)} points are left after {days} days."


def spell_days(days: float) -> str:
    """14 days, 1 day, 1.5 days; hours below one."""
    if days < 1:
        hours = round(days * 24)
        return "1 hour" if hours == 1 else f"{hours} hours"
    text = f"{round(days, 1):g}"
    return "1 day" if text == "1" else f"{text} days"
