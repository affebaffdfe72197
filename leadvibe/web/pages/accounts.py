"""Accounts: templates/accounts/page.html with _list.html alone for htmx, and account.html."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from leadvibe.web.pages.charts import Chart
from leadvibe.web.pages.display import Alert, Choice, Level, Link, Moment, Pager
from leadvibe.web.pages.leads import Chip, SortHeader


class AccountRow(NamedTuple):
    """One account, every cell ready to print."""

    id: str
    url: str
    name: str
    domain: str
    level: Level
    score: str
    engagement: str
    leads: str
    sessions: str
    owner: str
    last_at: Moment | None
    is_surging: bool


class UnresolvedRow(NamedTuple):
    """A lead that belongs to no account."""

    id: str
    url: str
    name: str
    detail: tuple[str, ...]
    level: Level
    score: str
    last_at: Moment | None


class AccountOption(NamedTuple):
    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFilters:
    """The toolbar's form, a GET; parameter names are the field names but for `first` and `last`."""

    action_url: str
    q: str = ""
    levels: tuple[Choice, ...] = ()
    owners: tuple[Choice, ...] = ()
    sorts: tuple[Choice, ...] = ()
    leads: tuple[Choice, ...] = ()
    min_score: str = ""
    first: str = ""
    last: str = ""
    is_surging: bool = False
    size: str = ""
    error: str = ""
    more_count: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountList:
    tabs: tuple[Choice, ...]
    is_unresolved: bool = False
    filters: AccountFilters
    headers: tuple[SortHeader, ...] = ()
    rows: tuple[AccountRow, ...] = ()
    unresolved: tuple[UnresolvedRow, ...] = ()
    pager: Pager
    chips: tuple[Chip, ...] = ()
    clear_url: str
    export_url: str = ""
    here: str
    """Where a form leads back to."""
    is_filtered: bool = False
    is_sorting: bool = False
    """No account is there yet because leads are still being sorted into them."""
    can_edit: bool = False
    segments: tuple[Choice, ...] = ()
    has_new_segment: bool = False
    post_url: str
    """POST `ids` with `do`: export, delete, assign with `account`, or segment with `segment` or
    `new_segment`."""
    options: tuple[AccountOption, ...] = ()
    options_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsOff:
    enable_url: str = ""
    """POST; empty when the member may not switch accounts on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One line of the metadata's form; a new one has a name to be typed, too."""

    place: str
    key: str
    value: str
    was: str = ""
    """What it was when it was shown."""
    error: str = ""
    is_new: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedRule:
    text: str
    points: str
    direction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RollUp:
    """A score of the account's own, and the rules that it meets."""

    name: str
    score: str
    rules: tuple[MatchedRule, ...]
    note: str = ""


class PersonRow(NamedTuple):
    name: str
    detail: tuple[str, ...]
    url: str
    score: str
    level: Level
    owner: str
    last_at: Moment | None


class AccountEventRow(NamedTuple):
    lead: str
    url: str
    event_type: str
    channel: str
    icon: str
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBatch:
    """Events from a position on; `id` is the element that waits for this batch."""

    id: str
    rows: tuple[AccountEventRow, ...]
    older_url: str = ""
    older_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentsOfAccount:
    url: str
    links: tuple[Link, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage:
    name: str
    domain: str = ""
    id: str
    url: str
    list_url: str
    level: Level
    score: str
    engagement: str = ""
    top_lead: Link | None = None
    leads: str = ""
    sessions: str = ""
    owner: str = ""
    is_surging: bool = False
    last_active: Moment | None = None
    created_at: Moment | None = None
    facts: tuple[tuple[str, str], ...] = ()
    """Industry, employees and revenue; empty values are not known."""
    properties: tuple[Property, ...] = ()
    alert: Alert | None = None
    roll_ups: tuple[RollUp, ...] = ()
    people: tuple[PersonRow, ...] = ()
    people_pager: Pager | None = None
    active: str = ""
    """"12 people" active within 30 days."""
    chart: Chart | None = None
    events: EventBatch | None = None
    segments: SegmentsOfAccount | None = None
    can_edit: bool = False
