"""The events page: templates/events/page.html, with _list.html and _panel.html for htmx.

Targets are #event-list and #event-panel; both are asked for at the page's own address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from leadvibe.web.pages.display import Alert, Choice, Fact, Link, Moment
from leadvibe.web.pages.leads import Chip


class EventRow(NamedTuple):
    """An event in the list, every cell ready to print."""

    id: str
    url: str
    """The page with the event open."""
    event_type: str
    summary: str
    lead: Link | None
    channel: str
    icon: str
    at: Moment
    points: str
    direction: str
    reason: str
    """Why it does not count, in a few words; empty for one that does."""
    is_open: bool
    can_select: bool


class HistogramBar(NamedTuple):
    """A bar in a chart of 1000 by 100: `x` and `width` of its column, `height` of the bar."""

    x: float
    width: float
    y: float
    height: float
    label: str
    """"12 November 2026: 1,024 events"."""
    period: str
    events: str
    url: str
    first: str
    last: str
    """What `from` and `to` are for the bar alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    bars: tuple[HistogramBar, ...]
    title: str
    """"1,204 counted events"."""
    note: str
    """What the bars leave out, when they do."""
    top: str
    """What the highest bar stands for."""
    first: str
    last: str
    """What the ends of the axis are called."""


class MetaControls(NamedTuple):
    """The controls of a condition on the metadata."""

    number: int
    key: str
    operators: tuple[Choice, ...]
    value: str
    remove_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilters:
    """The toolbar's form, a GET to `action_url`; parameter names are the field names below."""

    action_url: str
    q: str
    types: tuple[Choice, ...]
    """`type`, any number of them."""
    channels: tuple[Choice, ...]
    states: tuple[Choice, ...]
    ranges: tuple[Choice, ...]
    range: str
    lead: str
    first: str
    """`from` and `to`, both included."""
    last: str
    day_input: str
    """date, or datetime-local when the ends name a time."""
    reason: str
    rows: tuple[MetaControls, ...]
    keys: tuple[str, ...]
    """Metadata keys, offered while typing."""
    is_or: bool
    more_count: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a rule gave, as the panel shows it."""

    ruleset: str
    rule: str
    weight: str
    multiplier: str
    before: str
    delta: str
    after: str
    direction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPanel:
    """One event, explained. `close_url` is the list without it."""

    id: str
    event_type: str
    summary: str
    close_url: str
    lead: Link | None
    lead_note: str
    channel: str
    icon: str
    happened_at: Moment
    arrived_at: Moment
    came_after: str
    """"12 s later", or empty."""
    source: str
    scored_under: str
    counts: bool
    verdict: str
    """Whether it counts, and why (not), in a sentence."""
    hint: str
    """What to do about that; empty for nothing."""
    effects: tuple[Effect, ...]
    triggers: tuple[Link, ...]
    metadata: tuple[Fact, ...]
    filters: tuple[Link, ...]
    """Beside each of the metadata: the list of events that say the same."""
    raw: str
    timeline_url: str
    same_type_url: str
    rules_url: str
    delete_url: str
    """Empty when the member may not delete it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsPage:
    filters: EventFilters
    chips: tuple[Chip, ...]
    clear_url: str
    histogram: Histogram | None
    reasons: tuple[Choice, ...]
    """Why events do not count, with how many; shown in the suppressed view."""
    rows: tuple[EventRow, ...]
    newest_url: str
    older_url: str
    reached: str
    """How far back a search went that has not come to its end; empty for one that has."""
    continue_url: str
    wider_url: str
    """All time, when a shorter one holds nothing."""
    has_events: bool
    can_delete: bool
    delete_url: str
    export_url: str
    import_url: str
    panel: EventPanel | None
    alert: Alert | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRow:
    lead: Link
    ruleset: str
    before: str
    after: str
    delta: str
    direction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionPage:
    """What deleting chosen events would do: templates/events/delete.html."""

    title: str
    ids: tuple[str, ...]
    types: tuple[Fact, ...]
    scores: tuple[ScoreRow, ...]
    unchanged: str
    more: str
    post_url: str
    back_url: str
