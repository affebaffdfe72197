"""Filters: templates/filters/page.html with _filters.html, the two editors, and what was taken out.

Editors post to their own address, with `do`: save, preview, or what changes their conditions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wtforms import Form

from leadvibe.web.pages.display import Alert, Choice, Fact, Moment
from leadvibe.web.pages.live import LiveNote
from leadvibe.web.pages.triggers import ConditionRow


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterRow:
    id: str
    name: str
    """The event type of a velocity filter, the name of another."""
    words: str
    """What it takes out."""
    is_active: bool
    suppressed: str
    suppressed_url: str
    """Empty when it took nothing out lately."""
    changed_by: str
    changed_at: Moment
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FiltersPage:
    tabs: tuple[Choice, ...]
    velocity: tuple[FilterRow, ...]
    metadata: tuple[FilterRow, ...]
    total: str
    """How many events of the last 30 days do not count."""
    new_velocity_url: str
    new_metadata_url: str
    live: LiveNote
    can_edit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialLead:
    name: str
    url: str
    events: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterPreview:
    """What the filter would have done lately; `note` says what it could not be asked."""

    title: str
    sentences: tuple[str, ...] = ()
    leads: tuple[TrialLead, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorPage:
    title: str
    is_velocity: bool
    form: Form
    hint: str
    """The window in other words."""
    conditions: Sequence[ConditionRow]
    can_add: bool
    errors: Mapping[str, str]
    event_types: tuple[str, ...]
    properties: tuple[str, ...]
    url: str
    cancel_url: str
    delete_url: str
    """Empty for a new one."""
    preview: FilterPreview | None
    live: LiveNote
    alert: Alert | None = None
    focus: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressedRow:
    event_type: str
    at: Moment
    reason: str
    lead_name: str
    lead_url: str
    """Empty when the event named nobody."""
    facts: Sequence[Fact] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressedPage:
    title: str
    back_url: str
    rows: tuple[SuppressedRow, ...]
    note: str
