"""The query string of the leads list: it is the page's whole state, and people may type it.

Reads it into what leadlist understands, says what is wrong with it, and writes the addresses of
the same list with something changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import Any
from uuid import UUID

from leadvibe.engine.levels import UNCLASSIFIED
from leadvibe.engine.rules import Level
from leadvibe.leadlist.types import LeadFilter, ScoreRange, Sort, SortKey
from leadvibe.leadviews.queries import known_columns
from leadvibe.leadviews.types import FILTERS, VIEW_PARAMETERS, Column
from leadvibe.lib.ids import parse_id
from leadvibe.lib.paging import PageRequest
from leadvibe.web import recorded_filter
from leadvibe.web.lead_paths import LEADS
from leadvibe.web.list_params import BadParameterError, midnight, read_date
from leadvibe.web.pages.display import query_url

UNCLASSIFIED_VALUE = "unclassified"
DEFAULT_SORT = "-score"
DEFAULT_SIZE = 25
SIZES = (25, 50, 100)
LARGEST_SIZE = 200
NO_FILTER = LeadFilter()
BEST_FIRST = Sort()
LAST_PAGE = 1_000_000_000  # further than any list goes; beyond, offsets no longer fit a bigint
LARGEST_SCORE = 2_147_483_647  # of the column
LONGEST_TEXT = 200

ACTIVE_WITHIN = MappingProxyType({"7d": timedelta(days=7), "30d": timedelta(days=30)})
KEPT = ("columns", "view", "peek")
"""What the address says besides: how the list is shown, and which lead beside it."""

PARAMETERS = (*FILTERS, "sort", "size", "page", *KEPT)
DEFAULTS = MappingProxyType({"sort": DEFAULT_SORT, "size": str(DEFAULT_SIZE), "page": "1"})
IN_PANEL = (
    "owner", "profile_level", "segment", "account", "watched", "min_score", "max_score",
    "event_type", "created_from", "created_to", "recorded",
)  # fmt: skip
"""Filters behind the Filters button."""

ME, NOBODY = "me", "none"
WATCHED = "yes"

_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadQuery:
    """A list that somebody asks for. With an `error` the rest is what could be read."""

    params: Mapping[str, str]
    """What was given, without empty values and defaults."""
    lead_filter: LeadFilter = NO_FILTER
    sort: Sort = BEST_FIRST
    request: PageRequest = field(default_factory=lambda: PageRequest(size=DEFAULT_SIZE))
    columns: tuple[Column, ...] = ()
    """Chosen by the address; empty where it leaves that to the view or the member."""
    view_id: UUID | None = None
    error: str = ""
    recorded: tuple[recorded_filter.Condition, ...] = ()
    """What must be recorded of the leads, as it was written."""

    @property
    def filters(self) -> dict[str, str]:
        return {name: self.params[name] for name in FILTERS if name in self.params}

    @property
    def kept_by_views(self) -> dict[str, str]:
        """Return what a view keeps of the address."""
        return {name: self.params[name] for name in VIEW_PARAMETERS if name in self.params}

    @property
    def query(self) -> str:
        """The query string of this very page."""
        return self.here().partition("?")[2]

    def here(self, **changes: str) -> str:
        """Return the address of this page with something changed that leaves its leads alone."""
        return self.url(**{"page": self.params.get("page", ""), **changes})

    @property
    def is_best_first(self) -> bool:
        """Say that the first lead of the page is the best of the unit."""
        return not self.is_filtered and "sort" not in self.params and self.request.page == 1

    @property
    def is_filtered(self) -> bool:
        return any(name in self.params for name in FILTERS)

    def url(self, **changes: str) -> str:
        """Return the address of this list with something changed, from its first page on."""
        wanted = {"page": ""} | {
            name: "" if value == DEFAULTS.get(name) else value for name, value in changes.items()
        }
        return query_url(LEADS, self.params, **wanted)

    def clear_url(self) -> str:
        return self.url(**dict.fromkeys(FILTERS, ""))

    def export_url(self, path: str) -> str:
        """Return where the whole of this list is found under another path."""
        return query_url(path, self.params, size="", page="", peek="")

    def refused(self, error: str) -> LeadQuery:
        return replace(self, error=error)


def read_lead_query(
    arguments: Mapping[str, str],
    levels: Sequence[Level],
    *,
    profile_levels: Sequence[Level] = (),
    member_id: UUID | None = None,
    now: datetime,
) -> LeadQuery:
    """Read a query string as `member_id` means it.

    Both kinds of levels divide a score, lowest first.
    """
    params = _read_params(arguments)
    columns = known_columns(params.get("columns", "").split(","))
    view_id = parse_id(params.get("view", ""))
    try:
        about_people = _read_people(params, profile_levels, member_id)
        recorded = recorded_filter.read_conditions(params.get("recorded", ""))
        return LeadQuery(
            params=params,
            lead_filter=_read_filter(params, levels, now=now)._replace(
                **about_people, recorded=tuple(it.comparison for it in recorded) or None
            ),
            recorded=recorded,
            columns=columns,
            view_id=view_id,
            sort=_read_sort(params),
            request=_read_page(params),
        )
    except BadParameterError as error:
        return LeadQuery(params=params, columns=columns, view_id=view_id, error=str(error))


def _read_params(arguments: Mapping[str, str]) -> dict[str, str]:
    cleaned = {name: _clean(arguments.get(name, "")) for name in PARAMETERS}
    cleaned["recorded"] = recorded_filter.added(cleaned["recorded"], arguments)
    return {name: value for name, value in cleaned.items() if value and value != DEFAULTS.get(name)}


def _clean(text: str) -> str:
    return "".join(filter(str.isprintable, text)).strip()


def _read_filter(
    params: Mapping[str, str], levels: Sequence[Level], *, now: datetime
) -> LeadFilter:
    low, high = _score(params, "min_score", "lowest"), _score(params, "max_score", "highest")
    if low is not None and high is not None and low > high:
        raise BadParameterError("The lowest score is above the highest: swap them.")
    created_from, created_before = _created_between(params)
    return LeadFilter(
        search=_text(params, "q", "search"),
        min_score=low,
        max_score=high,
        score_ranges=_level_ranges(params.get("level"), levels),
        event_type=_text(params, "event_type", "event type") or None,
        active_since=_active_since(params.get("last_active"), now),
        created_from=created_from,
        created_before=created_before,
    )


def _read_people(
    params: Mapping[str, str], profile_levels: Sequence[Level], member_id: UUID | None
) -> dict[str, Any]:
    """Read what is about who leads are, and whose."""
    owner, watched = params.get("owner"), params.get("watched")
    if watched not in {None, WATCHED}:
        raise BadParameterError(f"“{watched}” says nothing about watching: it can only be yes.")
    return {
        "owner_id": _owner_id(owner, member_id),
        "is_unowned": True if owner == NOBODY else None,
        "watched_by": member_id if watched else None,
        "account_id": _text(params, "account", "account") or None,
        "segment_id": _id(params, "segment"),
        "profile_level": _profile_level(params.get("profile_level"), profile_levels),
    }


def _owner_id(owner: str | None, member_id: UUID | None) -> UUID | None:
    if owner in {None, NOBODY}:
        return None
    return member_id if owner == ME else _id({"owner": owner or ""}, "owner")


def _id(params: Mapping[str, str], name: str) -> UUID | None:
    if name not in params:
        return None
    found = parse_id(params[name])
    if found is None:
        raise BadParameterError(f"There is no such {name}: choose one from the list.")
    return found


def _profile_level(name: str | None, levels: Sequence[Level]) -> str | None:
    if name is None:
        return None
    if name.lower() == UNCLASSIFIED_VALUE:
        return UNCLASSIFIED
    if all(level.name != name for level in levels):
        names = ", ".join([*(level.name for level in levels), UNCLASSIFIED])
        raise BadParameterError(f"There is no profile level “{name}”: choose one of {names}.")
    return name


def _text(params: Mapping[str, str], name: str, label: str) -> str:
    text = params.get(name, "")
    if len(text) > LONGEST_TEXT:
        raise BadParameterError(f"The {label} is longer than {LONGEST_TEXT} characters: cut it.")
    return text


def _score(params: Mapping[str, str], name: str, label: str) -> int | None:
    text = params.get(name)
    if text is None:
        return None
    score = int(text) if _WHOLE_NUMBER.fullmatch(text) else None
    if score is None or abs(score) > LARGEST_SCORE:
        raise BadParameterError(f"The {label} score is not a whole number: type one, such as 50.")
    return score


def _created_between(params: Mapping[str, str]) -> tuple[datetime | None, datetime | None]:
    """Return the bounds of two dates, both of them included."""
    first, last = read_date(params, "created_from"), read_date(params, "created_to")
    if first and last and first > last:
        raise BadParameterError("The first day of creation is after the last: swap them.")
    # There is no day after the last one of the calendar, and no lead created on it.
    end = last + timedelta(days=1) if last and last < date.max else None
    return midnight(first), midnight(end)


def _active_since(value: str | None, now: datetime) -> datetime | None:
    if value is None or value == "any":
        return None
    if value in ACTIVE_WITHIN:
        return now - ACTIVE_WITHIN[value]
    try:
        return midnight(date.fromisoformat(value))
    except ValueError:
        choices = ", ".join(ACTIVE_WITHIN)
        raise BadParameterError(
            f"“{value}” is not a period of activity: choose one of any, {choices}, or a date."
        ) from None


def _level_ranges(name: str | None, levels: Sequence[Level]) -> tuple[ScoreRange, ...] | None:
    if name is None:
        return None
    ranges = tuple(ScoreRange(one.min_score, one.max_score) for one in levels if one.name == name)
    if ranges:
        return ranges
    if name.lower() == UNCLASSIFIED_VALUE:
        return gaps(levels)
    names = ", ".join([*(level.name for level in levels), UNCLASSIFIED])
    raise BadParameterError(f"There is no level “{name}”: choose one of {names}.")


def gaps(levels: Sequence[Level]) -> tuple[ScoreRange, ...]:
    """Return the scores that no level holds, given levels from the lowest to the highest."""
    if not levels:
        return (ScoreRange(None, None),)
    between = [
        ScoreRange(lower.max_score + 1, upper.min_score - 1)
        for lower, upper in pairwise(levels)
        if lower.max_score is not None and lower.max_score + 1 < upper.min_score
    ]
    top = levels[-1].max_score
    above = [] if top is None else [ScoreRange(top + 1, None)]
    return (ScoreRange(None, levels[0].min_score - 1), *between, *above)


def _read_sort(params: Mapping[str, str]) -> Sort:
    value = params.get("sort", DEFAULT_SORT)
    key = value.removeprefix("-")
    if key not in frozenset(SortKey):
        raise BadParameterError(
            f"The list cannot be sorted by “{value}”: choose one of {', '.join(SortKey)}."
        )
    return Sort(SortKey(key), is_descending=value.startswith("-"))


def _read_page(params: Mapping[str, str]) -> PageRequest:
    page = _number(params, "page", default=1, at_most=LAST_PAGE)
    size = _number(params, "size", default=DEFAULT_SIZE, at_most=LARGEST_SIZE)
    return PageRequest(page=page, size=size)


def _number(params: Mapping[str, str], name: str, *, default: int, at_most: int) -> int:
    text = params.get(name, str(default))
    number = int(text) if _WHOLE_NUMBER.fullmatch(text) else 0
    if not 1 <= number <= at_most:
        raise BadParameterError(f"The {name} is not a whole number from 1 to {at_most:,}.")
    return number
