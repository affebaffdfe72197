"""What a chart of columns is drawn from: templates/macros/charts.html."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Column(NamedTuple):
    """One column and the one behind it. `x` and widths are percent, the rest pixels."""

    x: float
    width: float
    bar_x: float
    bar_width: float
    y: float
    height: float
    y_before: float
    height_before: float
    label: str
    value: str
    before: str
    tip: str


class Tick(NamedTuple):
    x: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    height: int
    columns: tuple[Column, ...]
    ticks: tuple[Tick, ...]
    top: str
    middle: str
    has_values: bool
