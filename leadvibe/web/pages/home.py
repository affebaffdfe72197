"""The home page: templates/home/page.html, whose parts render alone for htmx.

What takes longer is asked for after the page, in the room that is kept for it; without scripts a
link leads to the same page with everything in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from leadvibe.web.pages.charts import Chart
from leadvibe.web.pages.display import Choice, Level, Link, Moment, Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class RangePicker:
    choices: tuple[Choice, ...]
    is_custom: bool
    label: str
    """"the last 30 days"."""
    first: str
    last: str
    today: str
    """ISO dates of the form, and the last day that can be chosen."""
    action_url: str
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number with how it compares: `direction` is up, down or flat."""

    label: str
    value: str
    url: str = ""
    change: str = ""
    direction: str = "flat"
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartCard:
    id: str
    title: str
    figure: Figure
    chart: Chart
    before: str
    """"The 30 days before": the legend of what stands behind."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MixRow:
    label: str
    count: str
    share: str
    """"34 %" of all."""
    length: int
    """Of the bar, percent of the longest."""
    change: str
    direction: str
    url: str = ""
    icon: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MixCard:
    id: str
    title: str
    column: str
    rows: tuple[MixRow, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopLead:
    name: str
    detail: tuple[str, ...]
    url: str
    score: str
    level: Level
    last_at: Moment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelPart:
    """A level's stretch of a bar, in percent."""

    x: float
    width: float
    color: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRow:
    level: Level
    url: str
    now: str
    share: str
    before: str
    change: str
    direction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelCard:
    now: tuple[LevelPart, ...]
    before: tuple[LevelPart, ...]
    """Empty when it is not known what it was."""
    rows: tuple[LevelRow, ...]
    now_label: str
    before_label: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    name: str
    url: str
    change: str
    score: str
    level: Level
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    levels: LevelCard
    risers: tuple[Mover, ...]
    fallers: tuple[Mover, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRow:
    id: str
    at: Moment
    lead: str
    lead_url: str
    event_type: str
    summary: str
    channel: str
    icon: str
    level: Level
    score: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    rows: tuple[FeedRow, ...]
    url: str
    stream_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRow:
    label: str
    value: str
    tone: Tone = Tone.NEUTRAL
    url: str = ""
    at: Moment | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageLine:
    month: str
    events: str
    noun: str
    of_unit: str
    """Empty when the organisation has no other unit that used anything."""
    limit: str
    """Empty for no limit."""
    share: int
    note: str = ""
    tone: Tone = Tone.NEUTRAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    summary: str
    tone: Tone
    rows: tuple[HealthRow, ...]
    usage: UsageLine


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStep:
    title: str
    text: str
    is_done: bool
    url: str
    """Empty when the member may not take it."""
    action: str
    is_post: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstSteps:
    steps: tuple[FirstStep, ...]
    done: str
    """"2 of 6 done"."""
    share: int
    hide_url: str
    """POST; empty while there is nothing else to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage:
    range: RangePicker | None = None
    has_data: bool = True
    steps: FirstSteps | None = None
    figures: tuple[Figure, ...] = ()
    charts: tuple[ChartCard, ...] = ()
    mixes: tuple[MixCard, ...] = ()
    top: tuple[TopLead, ...] = ()
    top_url: str = ""
    feed: Feed | None = None
    moves: Moves | None = None
    moves_link: Link = field(default_factory=lambda: Link("", ""))
    health: Health | None = None
    health_link: Link = field(default_factory=lambda: Link("", ""))
