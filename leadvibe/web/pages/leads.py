"""The leads list: templates/leads/page.html, and _list.html alone for htmx (target #lead-list).

Behind its buttons stand _panel.html (#lead-panel) and _columns.html (#lead-columns), which are
loaded when they are opened; beside the list _peek.html (#lead-peek) shows one lead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from leadvibe.web.pages.bulk import BulkStrip
from leadvibe.web.pages.display import Choice, Level, Moment, Pager
from leadvibe.web.pages.peek import Peek


class LeadRow(NamedTuple):
    """One lead, every cell ready to print; kept flat because the list is the hottest page."""

    id: str
    url: str
    why_url: str
    """The explanation of the score: the lead's URL with `#why`."""
    name: str
    detail: tuple[str, ...]
    """A second line: the best alias when the name is not one, the company, both or nothing."""
    score: str
    score_share: int
    """Length of the score bar in percent; scale by the highest score in the unit."""
    level: str
    level_color: str
    event_type: str
    """Type of the last counted event; empty when there is none."""
    last_at: Moment | None
    events: str
    sessions: str
    created_at: Moment
    ruleset_scores: tuple[str, ...] = ()
    """One per `LeadList.ruleset_columns`, in that order."""
    profile_score: str = ""
    profile_level: Level | None = None
    aliases: str = ""
    owner: str = ""
    account: str = ""
    account_score: str = ""
    account_level: Level | None = None
    title: str = ""
    company: str = ""
    recorded: tuple[str | Moment, ...] = ()
    """One per `LeadList.recorded_columns`, in that order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SortHeader:
    """A column head that sorts: `url` sorts by it, or turns the direction when it is current."""

    label: str
    url: str
    direction: str = ""
    """ascending, descending, or empty when the list is sorted by something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SortHeaders:
    lead: SortHeader
    score: SortHeader
    last_active: SortHeader
    created: SortHeader


class RecordedColumn(NamedTuple):
    """A column of what is recorded of leads."""

    label: str
    is_number: bool


class Chip(NamedTuple):
    """A filter in force, in words, and the URL of the list without it."""

    label: str
    value: str
    remove_url: str


class Hidden(NamedTuple):
    """A field of a form that people do not see."""

    name: str
    value: str


class Tab(NamedTuple):
    """A view to choose."""

    label: str
    url: str
    is_current: bool = False
    is_shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentView:
    """The saved view that the list shows; `reset_url` is empty unless the list differs from it."""

    name: str
    is_shared: bool
    can_change: bool
    update_url: str
    """POST with `query`, `name` or `shared`, and `seen`."""
    delete_url: str
    seen: str
    """When it was last changed, so that nobody overwrites what another has just saved."""
    reset_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewBar:
    """The tabs above the list, and what can be done with the view it shows."""

    tabs: tuple[Tab, ...]
    query: str
    """The list as it is, for a form that saves it."""
    current: CurrentView | None = None
    is_new: bool = False
    """The list is none of the views, and may be saved as one."""
    create_url: str = "/app/leads/views"
    can_share: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFilters:
    """The toolbar's form, a GET to `action_url`; parameter names are the field names below."""

    action_url: str = "/app/leads"
    q: str = ""
    levels: tuple[Choice, ...] = ()
    """`level`: "" for any, a level's name, or `unclassified`."""
    last_active: tuple[Choice, ...] = ()
    """`last_active`: "" for any, 7d, 30d."""
    sorts: tuple[Choice, ...] = ()
    """`sort`: "" for -score, or score, last_active, created, name; "-" turns them round."""
    kept: tuple[Hidden, ...] = ()
    """What else the address says about how the list is shown."""
    error: str = ""
    """What is wrong with the filters and how to put it right; the list is then empty."""
    more_count: str = ""
    """How many of the filters behind the Filters button are in force; empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterPanel:
    """The filters behind the button. While it is closed, `url` loads it and `kept` stand in."""

    url: str
    kept: tuple[Hidden, ...] = ()
    is_loaded: bool = False
    min_score: str = ""
    max_score: str = ""
    event_type: str = ""
    created_from: str = ""
    """ISO dates, both inclusive, UTC."""
    created_to: str = ""
    account: str = ""
    is_watched: bool = False
    owners: tuple[Choice, ...] = ()
    segments: tuple[Choice, ...] = ()
    profile_levels: tuple[Choice, ...] = ()
    """Empty when the unit scores no profiles."""
    has_accounts: bool = False
    event_types: tuple[str, ...] = ()
    """Known types, offered while typing."""
    recorded: str = ""
    """Conditions on what is recorded, kept while another is added by `fields` and `operators`."""
    fields: tuple[Choice, ...] = ()
    operators: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnPanel:
    """The columns to choose from. While it is closed, `url` loads them."""

    url: str
    choices: tuple[Choice, ...] = ()
    recorded: tuple[Choice, ...] = ()
    """Columns of what is recorded: many, and folded."""
    is_loaded: bool = False
    query: str = ""
    save_url: str = "/app/leads/columns"
    """POST with `column`s and `query`, or with `usual` for those that everybody sees."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadList:
    rows: tuple[LeadRow, ...]
    filters: LeadFilters
    sort: SortHeaders
    pager: Pager
    views: ViewBar
    panel: FilterPanel
    columns: ColumnPanel
    shows: frozenset[str] = frozenset()
    """The columns, as leadviews.types names them."""
    chips: tuple[Chip, ...] = ()
    clear_url: str = "/app/leads"
    has_leads: bool = True
    """False when the unit has no lead at all: the page then shows how to get some in."""
    ruleset_columns: tuple[str, ...] = ()
    """Names of further active rulesets whose scores get a column; the primary one has its own."""
    recorded_columns: tuple[RecordedColumn, ...] = ()
    has_usual_columns: bool = True
    """Nobody has chosen others: a list without much room leaves out what is less telling."""
    matching: str = ""
    """How many leads match, on this page and all others."""
    has_more: bool = False
    """There are others than those on this page."""
    query: str = ""
    export_url: str = ""
    strip: BulkStrip | None = None
    """What was last done to many leads, while the address names it."""
    peek: Peek | None = None
    peek_kept: tuple[Hidden, ...] = ()
    """The rest of the address, for a form that adds a lead to look at."""
    empty_title: str = ""
    empty_text: str = ""
    """What is said, and what can be done about it, when no lead matches."""
    can_write: bool = False
    can_configure: bool = False
    in_segment: bool = False
    """Whether the list is narrowed to a segment."""
    import_url: str = ""
    """Empty when the member may not import."""
    credentials_url: str = ""
    """Empty when the member may not make any."""
    sample_url: str = ""
    """POST; empty when the member may not load sample data."""
    sample_progress_url: str = ""
    """Where to watch it; empty unless it is on its way."""
