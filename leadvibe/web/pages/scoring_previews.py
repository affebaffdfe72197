"""What a draft would change: the panel beside it, and templates/scoring/preview.html whole."""

from __future__ import annotations

from dataclasses import dataclass

from leadvibe.web.pages.display import Alert, Choice, Fact, Level, Pager


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRow:
    level: Level
    before: str
    after: str
    change: str
    """Signed; empty when nothing changes."""
    direction: str
    before_width: int
    """Percent of the longest bar."""
    after_width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bucket of a distribution, drawn; all in the units of the chart's viewBox."""

    label: str
    before: str
    after: str
    x: float
    width: float
    before_y: float
    before_height: float
    after_y: float
    after_height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    width: int
    height: int
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, str], ...]
    """Where scores stand below the bars."""
    top: str
    """How many leads the highest bar stands for."""
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftWords:
    subject: str
    before: str
    after: str
    direction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoverRow:
    name: str
    url: str
    """Empty for a lead that would come to be."""
    before: str
    after: str
    change: str
    direction: str
    old_level: Level | None
    new_level: Level
    reasons: tuple[ShiftWords, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    name: str
    url: str
    threshold: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was found about one kind of score."""

    kind: str
    title: str
    subjects: str
    """Leads or Accounts."""
    headline: str
    facts: tuple[Fact, ...]
    levels: tuple[LevelRow, ...]
    movers: tuple[MoverRow, ...] = ()
    chart: Chart | None = None
    alerts: tuple[AlertRow, ...] = ()
    shown: tuple[Choice, ...] = ()
    """Which movers to list."""
    pager: Pager | None = None
    movers_label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    text: str
    percent: int
    cancel_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """What the draft would change, as far as it is known."""

    url: str
    """Where it is asked for again."""
    start_url: str = ""
    """POST; empty where nobody may, or there is nothing to preview."""
    start_label: str = ""
    text: str = ""
    alert: Alert | None = None
    progress: Progress | None = None
    results: tuple[Result, ...] = ()
    more_url: str = ""
    is_running: bool = False
    starts_itself: bool = False
    """Somebody came to see a preview, and there is none yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewPage:
    bar: object
    """A DraftBar."""
    panel: Panel
