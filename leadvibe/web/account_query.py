"""The query string of the accounts page: it is the page's whole state, and people may type it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType

from leadvibe.engine.levels import UNCLASSIFIED
from leadvibe.engine.rules import Level
from leadvibe.leadlist.accounts import AccountFilter, AccountSort, AccountSortKey
from leadvibe.leadlist.types import ScoreRange
from leadvibe.lib.paging import PageRequest
from leadvibe.web.account_paths import ACCOUNTS
from leadvibe.web.lead_query import LARGEST_SCORE, LAST_PAGE, SIZES, UNCLASSIFIED_VALUE, gaps
from leadvibe.web.list_params import BadParameterError, midnight, read_date
from leadvibe.web.pages.display import query_url

UNRESOLVED = "unresolved"
WITHOUT = "none"
"""Value of `leads`: accounts that nobody belongs to any more."""
DEFAULTS = MappingProxyType({"sort": "-engagement", "size": "25", "page": "1"})
FILTERS = ("q", "level", "min_score", "owner", "from", "to", "leads", "surging")
PARAMETERS = ("tab", *FILTERS, "sort", "size", "page")
MORE_FILTERS = ("min_score", "from", "to", "leads")
SURGE_LASTS = timedelta(hours=24)
LONGEST_TEXT = 200

_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,10}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountQuery:
    """A list that somebody asks for. With an `error` the rest is what could be read."""

    params: Mapping[str, str]
    """What was given, without empty values and defaults."""
    account_filter: AccountFilter = field(default_factory=AccountFilter)
    sort: AccountSort = field(default_factory=AccountSort)
    request: PageRequest = field(default_factory=lambda: PageRequest(size=SIZES[0]))
    error: str = ""

    @property
    def is_unresolved(self) -> bool:
        """Say whether it is about leads without an account."""
        return self.params.get("tab") == UNRESOLVED

    @property
    def is_filtered(self) -> bool:
        return any(name in self.params for name in FILTERS)

    def url(self, **changes: str) -> str:
        """Return the address of this list with something changed, from its first page on."""
        wanted = {"page": ""} | {
            name: "" if value == DEFAULTS.get(name) else value for name, value in changes.items()
        }
        return query_url(ACCOUNTS, self.params, **wanted)

    def here(self) -> str:
        return query_url(ACCOUNTS, self.params)

    def clear_url(self) -> str:
        return self.url(**dict.fromkeys(FILTERS, ""))


def read_account_query(
    arguments: Mapping[str, str], levels: Sequence[Level], *, now: datetime
) -> AccountQuery:
    """Read a query string; `levels` are those of accounts, lowest first."""
    cleaned = {name: _clean(arguments.get(name, "")) for name in PARAMETERS}
    params = {name: value for name, value in cleaned.items() if value != DEFAULTS.get(name, "")}
    params = {name: value for name, value in params.items() if value}
    try:
        return AccountQuery(
            params=params,
            account_filter=_read_filter(params, levels, now=now),
            sort=_read_sort(params),
            request=PageRequest(
                _number(params, "page", default=1, at_most=LAST_PAGE),
                _number(params, "size", default=SIZES[0], at_most=SIZES[-1]),
            ),
        )
    except BadParameterError as error:
        return AccountQuery(params=params, error=str(error))


def _clean(text: str) -> str:
    return "".join(filter(str.isprintable, text)).strip()


def _read_filter(
    params: Mapping[str, str], levels: Sequence[Level], *, now: datetime
) -> AccountFilter:
    first, last = read_date(params, "from"), read_date(params, "to")
    if first and last and first > last:
        raise BadParameterError("The first day is after the last: swap them.")
    if len(params.get("q", "")) > LONGEST_TEXT:
        raise BadParameterError(f"The search is longer than {LONGEST_TEXT} letters: shorten it.")
    end = last + timedelta(days=1) if last and last < date.max else None
    return AccountFilter(
        search=params.get("q", ""),
        score=_at_least(params),
        score_ranges=_level_ranges(params.get("level"), levels),
        created_from=midnight(first),
        created_before=midnight(end),
        surged_since=now - SURGE_LASTS if "surging" in params else None,
        owner=params.get("owner", ""),
        has_leads=params.get("leads") != WITHOUT,
    )


def _at_least(params: Mapping[str, str]) -> ScoreRange | None:
    text = params.get("min_score")
    if text is None:
        return None
    score = int(text) if _WHOLE_NUMBER.fullmatch(text) else None
    if score is None or abs(score) > LARGEST_SCORE:
        raise BadParameterError("The lowest score is not a whole number: type one, such as 50.")
    return ScoreRange(score, None)


def _level_ranges(name: str | None, levels: Sequence[Level]) -> tuple[ScoreRange, ...] | None:
    if name is None:
        return None
    ranges = tuple(ScoreRange(one.min_score, one.max_score) for one in levels if one.name == name)
    if ranges:
        return ranges
    if name.lower() == UNCLASSIFIED_VALUE:
        return gaps(levels)
    names = ", ".join([*(level.name for level in levels), UNCLASSIFIED])
    raise BadParameterError(f"There is no account level “{name}”: choose one of {names}.")


def _read_sort(params: Mapping[str, str]) -> AccountSort:
    value = params.get("sort", DEFAULTS["sort"])
    key = value.removeprefix("-")
    if key not in frozenset(AccountSortKey):
        raise BadParameterError(
            f"The list cannot be sorted by “{value}”: choose one of {', '.join(AccountSortKey)}."
        )
    return AccountSort(AccountSortKey(key), is_descending=value.startswith("-"))


def _number(params: Mapping[str, str], name: str, *, default: int, at_most: int) -> int:
    text = params.get(name, str(default))
    number = int(text) if _WHOLE_NUMBER.fullmatch(text) else 0
    if not 1 <= number <= at_most:
        raise BadParameterError(f"The {name} is not a whole number from 1 to {at_most:,}.")
    return number
