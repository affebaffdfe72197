"""How a score moved, as a chart and as the table beside it: templates/leads/_chart.html.

Widths are percent of the chart's, heights its own pixels; the lines are drawn on a square of
`SIDE` units that is stretched over both.
"""

from __future__ import annotations

from dataclasses import dataclass

SIDE = 1000
TOP, HEIGHT, BOTTOM = 16, 132, 8
"""Pixels: the room above the plot, its height, and the room below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """What moved a score in a step of time: an event type, or decay."""

    label: str
    delta: str
    direction: str
    """up, down, or flat."""
    event_id: str
    url: str
    """The lead's page around the last event of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartStep:
    """A step of time in which the score moved: a day, an hour, or several days."""

    id: str
    label: str
    """"12 Nov", "12 Nov, 14:00", "12 to 18 Nov"."""
    iso: str
    score: str
    delta: str
    direction: str
    movers: tuple[Mover, ...]
    more: str
    """"and 3 more", when not all that moved it are named."""
    url: str
    """The explanation as of the step's end."""
    x: float
    width: float
    point_x: float
    point_y: float


@dataclass(frozen=True, slots=True)
class LevelLine:
    name: str
    color: str
    score: str
    y: float


@dataclass(frozen=True, slots=True)
class Flag:
    """A milestone that was reached."""

    label: str
    x: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreChart:
    title: str
    """What a screen reader hears instead of the picture."""
    delta: str
    direction: str
    lines: tuple[tuple[str, str], ...]
    """A path for each direction: up, down, flat."""
    area: str
    levels: tuple[LevelLine, ...]
    flags: tuple[Flag, ...]
    steps: tuple[ChartStep, ...]
    """Newest first."""
    highest: str
    lowest: str
    lowest_y: float
    dates: tuple[str, ...]
    """From the left to the right end."""
    step_name: str
    """Day, Hour or Days: what a row of the table is."""

    @property
    def height(self) -> int:
        return TOP + HEIGHT + BOTTOM
