"""What a segment's members are like: templates/segments/_analysis.html, a part of segment.html.

It is the fragment `segment-analysis` for htmx, asked for at the segment's own URL.
"""

from __future__ import annotations

from dataclasses import dataclass

from leadvibe.web.pages.display import Choice, Level, Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class MixRow:
    """A level: how many members have it, in percent, and how many of all leads."""

    level: Level
    count: str
    share: str
    """"12%"."""
    width: float
    """Percent of the bar's place."""
    share_of_all: str
    width_of_all: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A column of a chart, in percent of its width and pixels of its height."""

    label: str
    value: str
    beside: str = ""
    """What it is compared with; empty where it is with nothing."""
    x: float
    width: float
    y: float
    height: float
    y_beside: float = 0
    height_beside: float = 0
    tick: str = ""
    """Written below; empty for columns between."""
    tick_x: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    title: str
    note: str
    height: int
    bars: tuple[Bar, ...]
    top: str
    """The value that the full height stands for."""
    label_heading: str
    value_heading: str
    beside_heading: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A line of the conversion: "This segment", "12 of 340 leads", "3.5%"."""

    name: str
    count: str
    rate: str
    width: float
    is_of_all: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    event_types: tuple[Choice, ...]
    spans: tuple[Choice, ...]
    rates: tuple[Rate, ...] = ()
    verdict: str = ""
    """"2.3 times as often as all leads."."""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    url: str
    as_of: Moment | None = None
    """When it was found, if that was before now."""
    afresh_url: str
    total: str
    """"1,204 leads, 12% of all 10,031."."""
    levels: tuple[MixRow, ...]
    scores: Columns
    newcomers: Columns
    conversion: Conversion | None
    """None while no event has a type yet."""
