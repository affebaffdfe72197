"""Calls: templates/calls/page.html, its list the fragment calls/_list.html (target #call-list)."""

from __future__ import annotations

from dataclasses import dataclass

from leadvibe.web.forms.calls import LogCallForm
from leadvibe.web.pages.display import Choice, Level, Moment, Pager, Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    name: str
    url: str
    company: str
    phone: str
    phone_url: str
    email: str
    score: str
    level: Level
    status: str
    holder: str
    """Who has the lead; empty when nobody has."""
    due: Moment | None
    due_label: str
    """Overdue or Today."""
    due_tone: Tone = Tone.NEUTRAL
    last_event: str
    last_at: Moment | None
    claim_url: str
    """Empty when somebody has the lead, or it is not for the reader to claim."""
    log_url: str
    form: LogCallForm | None
    is_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsPage:
    tabs: tuple[Choice, ...]
    """Whose calls."""
    counts: tuple[str, ...]
    """How many calls each tab has."""
    unsaved: tuple[CallRow, ...]
    """The lead of a refused form that is in neither list by now."""
    due: tuple[CallRow, ...]
    best: tuple[CallRow, ...]
    shows_best: bool
    """The best leads follow what is due, and so stand on its last page."""
    pager: Pager | None
    hint: str
    """What an empty list says to do."""
    leads_url: str
    can_edit: bool
    today: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """What has come of the leads of a source."""

    name: str
    leads: str
    open: str
    qualified: str
    won: str
    lost: str
    value: str
    qualification_rate: str
    win_rate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTable:
    title: str
    head: str
    rows: tuple[SourceRow, ...]
    total: tuple[SourceRow, ...] = ()
    """One row about all leads, or none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesPage:
    ranges: tuple[Choice, ...]
    action_url: str
    first: str
    last: str
    label: str
    """The days, spelled."""
    error: str
    tables: tuple[SourceTable, ...]
