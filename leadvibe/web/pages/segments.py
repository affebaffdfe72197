"""Segments: templates/segments/page.html (all), segment.html (one and its members), builder.html.

Fragments for htmx: a count (_count.html, target #count-ID), what the tab shows (_view.html): the
members (_members.html), what they are like (_analysis.html) or who was picked (_picks.html), why
one is a member (_why.html), the builder's form (_form.html) and whom its rules match
(_preview.html). Each is asked for at the page's own URL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wtforms import Form

from leadvibe.web.pages.display import Alert, Choice, Level, Link, Moment, Pager
from leadvibe.web.pages.segment_analysis import Analysis


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleWords:
    """A rule in words: "plan", "is", "pro"."""

    joiner: str
    """and, or: to what stands before it."""
    name: str = ""
    subject: str
    operator: str
    value: str = ""
    note: str = ""
    """Such as "paused"; empty when nothing is special about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupWords:
    joiner: str
    rules: tuple[RuleWords, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberCount:
    """The number of members, or where to ask for it."""

    id: str
    """Of the element."""
    url: str = ""
    label: str = ""
    """"1,204"; empty when it is still to be counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRow:
    id: str
    name: str
    description: str = ""
    is_active: bool = True
    rules_label: str = ""
    """"3 rules"."""
    count: MemberCount
    url: str
    edit_url: str = ""
    export_url: str = ""
    update_url: str = ""
    """POST `active` with 1 or 0."""
    copy_url: str = ""
    """POST."""
    delete_url: str = ""
    """POST."""
    delete_text: str = ""
    """What goes with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentsPage:
    segments: tuple[SegmentRow, ...]
    can_edit: bool = False
    new_url: str = "/app/segments/new"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    url: str
    name: str
    detail: tuple[str, ...]
    score: str
    level: Level
    last_at: Moment | None
    why_id: str
    why_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PickRow:
    """A lead that somebody added to a segment or keeps out of it."""

    url: str
    name: str
    is_in: bool
    by: str
    at: Moment
    post_url: str
    """POST `pick`: in, out or rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentPage:
    """One segment, its rules in words, and who is in it."""

    segment: SegmentRow
    updated_by: str
    updated_at: Moment
    groups: tuple[GroupWords, ...] = ()
    tabs: tuple[Choice, ...]
    is_analysis: bool = False
    """Whether that tab is shown, with what it found; no `analysis` where there are no members."""
    analysis: Analysis | None = None
    members: tuple[MemberRow, ...] = ()
    is_picks: bool = False
    picks: tuple[PickRow, ...] = ()
    picks_label: str = ""
    """"12 added, 3 kept out"; empty when nobody was picked."""
    pager: Pager | None = None
    can_edit: bool = False
    can_pick: bool = False
    here_url: str = ""
    alert: Alert | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleReason:
    words: RuleWords
    is_met: bool | None
    """None for a rule that is not asked."""
    found: str = ""
    """What the lead has there; empty when that is no single value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyPage:
    """Why a lead is in a segment, or why it is not."""

    id: str
    segment_name: str
    segment_url: str
    lead_name: str
    lead_url: str
    is_member: bool
    picked: PickRow | None = None
    """Set where somebody decided, whatever the rules say."""
    can_pick: bool = False
    post_url: str = ""
    """POST `pick`: in, out or rules."""
    reasons: tuple[RuleReason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuilderRule:
    """One rule of the form; every control is named `rules-NUMBER-` and so on."""

    number: int
    label: str
    """"Rule 2", for screen readers."""
    rule_id: str
    name: str
    group: int
    is_active: bool
    is_first: bool
    """Of its group, whose joiner its own is then."""
    joiners: tuple[Choice, ...]
    types: tuple[Choice, ...]
    operators: tuple[Choice, ...]
    event_type: str
    field: str
    value: str
    has_event_type: bool
    has_field: bool
    has_value: bool
    levels: tuple[Choice, ...] = ()
    """What the value is chosen from, when it is a level's name."""
    field_list: str = ""
    """Id of the suggestions for the property."""
    value_hint: str = ""
    can_move_up: bool
    can_move_down: bool
    note: str = ""
    errors: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuilderGroup:
    number: int
    joiners: tuple[Choice, ...] = ()
    """How it is joined to the groups before; empty for the first."""
    joiner_name: str = ""
    rules: tuple[BuilderRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestions:
    id: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRow:
    name: str
    url: str
    score: str
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Whom the rules match as they stand in the form."""

    title: str
    """"128 leads match now"."""
    note: str = ""
    leads: tuple[PreviewRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BuilderPage:
    title: str
    form: Form
    """name, description, active, state."""
    groups: tuple[BuilderGroup, ...] = ()
    suggestions: tuple[Suggestions, ...] = ()
    post_url: str
    """POST everything with `do`: save, preview, or what is to happen to a rule."""
    cancel_url: str
    can_add: bool = True
    preview: Preview | None = None
    """None until it was asked for."""
    alert: Alert | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentsOfLead:
    """What a lead is in, on the lead's page."""

    url: str
    """Of the lead's page that shows them."""
    post_url: str = ""
    """POST `segment`."""
    others: tuple[Choice, ...] = ()
    """What it can be added to."""
    links: tuple[Link, ...] | None = None
    """None while they are to be asked for: it is some work to find them."""
