"""Columns over time, laid out for SVG: places in percent of the width, heights in pixels.

Each column may have the period before behind it, on the same scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log10
from typing import NamedTuple

from leadvibe.web.pages.charts import Chart, Column, Tick
from leadvibe.web.pages.display import counted, thousands

HEIGHT = 132
LABELS = 6
"""At most so many under a chart: more would touch on a narrow screen."""
FILLED = 0.72
"""The part of a column's place that it takes, the rest being a gap."""
_STEPS = (1, 2, 3, 4, 5, 6, 8, 10)


class Point(NamedTuple):
    """A value with its name, long and short, and the value of the period before."""

    label: str
    short: str
    value: int
    before: int


def draw_columns(points: Sequence[Point], *, unit: tuple[str, str], before: str = "") -> Chart:
    """Lay columns out; `unit` names one and many of what is counted."""
    top = nice_top(max((max(it.value, it.before) for it in points), default=0))
    place = 100 / max(1, len(points))
    every = ceil(len(points) / LABELS)
    return Chart(
        height=HEIGHT,
        columns=tuple(
            _column(point, number * place, place, top, unit=unit, before=before)
            for number, point in enumerate(points)
        ),
        ticks=tuple(
            Tick(round((number + 0.5) * place, 2), point.short)
            for number, point in enumerate(points)
            if number % every == 0
        ),
        top=short(top),
        middle=short(top / 2),
        has_values=any(it.value or it.before for it in points),
    )


def nice_top(largest: int) -> int:
    """Return a round and even number that is not below the largest."""
    power: int = 10 ** int(log10(max(largest, 1)))
    tops = (step * power for step in _STEPS)
    return next(top for top in tops if top >= largest and top % 2 == 0)


def short(number: float) -> str:
    """950, 1.2k, 35k, 2.5M: for scales."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:g}"


def _column(
    point: Point, x: float, place: float, top: int, *, unit: tuple[str, str], before: str
) -> Column:
    height, height_before = (
        round(value / top * HEIGHT, 1) for value in (point.value, point.before)
    )
    then = f", {before} {thousands(point.before)}" if before else ""
    return Column(
        x=round(x, 3),
        width=round(place, 3),
        bar_x=round(x + place * (1 - FILLED) / 2, 3),
        bar_width=round(place * FILLED, 3),
        y=round(HEIGHT - height, 1),
        height=height,
        y_before=round(HEIGHT - height_before, 1),
        height_before=height_before,
        label=point.label,
        value=thousands(point.value),
        before=thousands(point.before),
        tip=f"{point.label}: {counted(point.value, *unit)}{then}",
    )
