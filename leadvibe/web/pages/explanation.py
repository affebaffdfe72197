"""Why a lead has its score, as a waterfall: templates/leads/_why.html (target #why).

The rows add up: opening + the groups' totals = the score. Placing the bars is the only
arithmetic here; which entries exist is decided by leadvibe.explain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from leadvibe.engine.facts import EntryKind
from leadvibe.web.pages.chart import ScoreChart
from leadvibe.web.pages.display import Choice, Link, Moment

PERCENT = 100
KIND_LABELS = {
    EntryKind.DECAY: "Decay",
    EntryKind.MERGE: "Merge",
    EntryKind.ADJUSTMENT: "Adjustment",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of the waterfall in percent of its width: where it begins and ends in the chart."""

    x: float
    width: float
    before_x: float
    after_x: float
    direction: str
    """up, down, or flat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One ledger entry: `before` + `delta` = `after`, the numbers already signed and grouped."""

    at: Moment
    event_id: str = ""
    event_url: str = ""
    """The lead's page with `?event=<id>#event-<id>`; empty for entries without an event."""
    rule: str
    """What awarded it: "demo_request" or, for other kinds, "Decay after 30 days"."""
    weight: str
    multiplier: str = ""
    """Empty when it is 1."""
    before: str
    delta: str
    after: str
    direction: str
    """up, down, or flat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplanationGroup:
    """All entries of one event type (or of one kind: decay, merge, adjustment) in the window."""

    label: str
    icon: str
    """Of the channel the events came through."""
    count: str
    """"12 events"."""
    total: str
    running: str
    """The sum so far, down to and including this group."""
    bar: Bar
    entries: tuple[LedgerRow, ...]
    """Newest first."""
    more: Link | None = None
    """Where the rest is, when the group has more entries than the page shows."""
    is_open: bool = False
    """Unfolded from the start: the group whose `more` link led here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """The day whose end is explained; what the date field and the slider beside it offer."""

    day: str
    """ISO date: today unless it `is_past`."""
    label: str
    """"12 Nov 2026", or "now"."""
    is_past: bool
    first_day: str
    today: str
    days_back: int
    """How far the slider goes."""
    place: int
    """Where it stands: days from today, 0 or negative."""
    action_url: str
    kept: tuple[tuple[str, str], ...]
    """Names and values that a form must send along, as a GET form drops its address's query."""
    now_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    score: str
    """What the rows end in: the score of the chosen ruleset."""
    score_bar: Bar
    opening: str
    """The score before the window; "0" with `opens_at_zero` when the window is all time."""
    opening_bar: Bar
    opens_at_zero: bool
    gained: str
    """Sum within the window, signed."""
    groups: tuple[ExplanationGroup, ...]
    windows: tuple[Choice, ...]
    """24 h, 7 d, 30 d, 90 d, all time; their URLs keep the chosen ruleset."""
    window_label: str
    """"in the last 30 days", "in the 30 days until then", "so far", or "until then"."""
    rulesets: tuple[Choice, ...] = ()
    """Their URLs keep the chosen window; the selector shows when there are several."""
    ruleset_name: str = ""
    """Named in the heading when there is no selector."""
    note: str = ""
    """Something the reader must know, such as "This ruleset is paused"."""
    as_of: AsOf
    chart: ScoreChart


def place_bars(opening: int, totals: Sequence[int]) -> tuple[Bar, tuple[Bar, ...], Bar]:
    """Place the opening bar, one bar for each total, and the closing bar on one scale.

    The scale always includes 0, so lengths can be compared.
    """
    running = list(accumulate(totals, initial=opening))
    low, high = min(0, *running), max(0, *running)
    span = (high - low) or 1

    def bar(before: int, after: int) -> Bar:
        left, right = sorted((before, after))
        return Bar(
            x=round((left - low) * PERCENT / span, 2),
            width=round((right - left) * PERCENT / span, 2),
            before_x=round((before - low) * PERCENT / span, 2),
            after_x=round((after - low) * PERCENT / span, 2),
            direction=direction(after - before),
        )

    return bar(0, opening), tuple(bar(a, b) for a, b in pairwise(running)), bar(0, running[-1])


def direction(delta: int) -> str:
    if delta == 0:
        return "flat"
    return "up" if delta > 0 else "down"
