"""The leads list: templates/leads/page.html, and _list.html alone for htmx (target #lead-list)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from leadvibe.web.pages.display import Choice, Moment, Pager


class LeadRow(NamedTuple):
    """One lead, every cell ready to print; kept flat because the list is the hottest page."""

    url: str
    why_url: str
    """The explanation of the score: the lead's URL with `#why`."""
    name: str
    detail: str
    """A second line: the best alias when the name is not one, the company, or nothing."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A filter in force, in words, and the URL of the list without it."""

    label: str
    value: str
    remove_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFilters:
    """The toolbar's form, a GET to `action_url`; parameter names are the field names below."""

    action_url: str = "/app/leads"
    q: str = ""
    min_score: str = ""
    max_score: str = ""
    event_type: str = ""
    created_from: str = ""
    """ISO dates, both inclusive, UTC."""
    created_to: str = ""
    levels: tuple[Choice, ...] = ()
    """`level`: "" for any, a level's name, or `unclassified`."""
    last_active: tuple[Choice, ...] = ()
    """`last_active`: "" for any, 7d, 30d."""
    sorts: tuple[Choice, ...] = ()
    """`sort`: "" for -score, or score, last_active, created, name; "-" turns them round."""
    size: str = ""
    """`size` when it is not the default, else empty."""
    event_types: tuple[str, ...] = ()
    """Known types, offered while typing."""
    error: str = ""
    """What is wrong with the filters and how to put it right; the list is then empty."""
    more_count: str = ""
    """How many of the filters behind the Filters button are in force; empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadList:
    rows: tuple[LeadRow, ...]
    filters: LeadFilters
    sort: SortHeaders
    pager: Pager
    chips: tuple[Chip, ...] = ()
    clear_url: str = "/app/leads"
    has_leads: bool = True
    """False when the unit has no lead at all: the page then shows how to get some in."""
    ruleset_columns: tuple[str, ...] = ()
    """Names of further active rulesets whose scores get a column; the primary one has its own."""
    import_url: str = ""
    """Empty when the member may not import."""
    credentials_url: str = ""
    """Empty when the member may not make any."""
    sample_url: str = ""
    """POST; empty when the member may not load sample data."""
    sample_progress_url: str = ""
    """Where to watch it; empty unless it is on its way."""
