"""The query string of the lead list: every name is known, or the request is refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from leadvibe.dialects.octanist.dates import MILLISECOND, read_time
from leadvibe.dialects.octanist.errors import BadFilterError
from leadvibe.dialects.octanist.lead_fields import (
    BY_KEY,
    EQUALS,
    EXISTS,
    FIELDS,
    SORTABLE,
    SOURCES,
    STATUSES,
    Kind,
    LeadField,
)
from leadvibe.leadlist.record_types import Order, RecordQuery
from leadvibe.leadlist.types import Comparison
from leadvibe.leads.aliases import as_searched
from leadvibe.leads.fields import as_recorded
from leadvibe.lib.errors import InvalidError
from leadvibe.lib.paging import PageRequest

DEFAULT_LIMIT, LARGEST_LIMIT = 50, 100
LARGEST_PAGE = 1_000_000_000
"""Beyond, what is skipped could be more than the database can count."""

DEFAULT_SORT = "createdAt:desc"
LONGEST_SEARCH = 200
UPDATED_AFTER = "updated_after"
PAGING = ("limit", "page", "sort", "search", "fields")
"""All of them: who was made or changed by the second of two addresses is found by it, too."""

_OLD_STATUS = {"win": "won"}
_OLD_SORT = {"updated_at": "updatedAt"}


class Filter(NamedTuple):
    """A parameter that narrows the list down."""

    name: str
    field: LeadField
    operator: str


FILTERS: Mapping[str, Filter] = {
    name: Filter(name, field, operator)
    for field in FIELDS
    for operator in field.operators
    for name in [field.key if operator == EQUALS else f"{field.key}[{operator}]"]
}
"""Each parameter that there is, by its name."""


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What a client asks for. `chosen` are the fields that it wants, None for all."""

    query: RecordQuery
    page: PageRequest
    chosen: frozenset[str] | None


def read_list_query(given: Mapping[str, Sequence[str]]) -> ListQuery:
    """Return what a query string asks for.

    Raises InvalidError for the page, the order and the fields, BadFilterError and BadDateError.
    """
    single = {name: _only(name, values) for name, values in given.items()}
    paging = {name: single.pop(name) for name in PAGING if name in single}
    after = single.pop(UPDATED_AFTER, None)
    if after is not None:
        single.setdefault("updatedAt[gte]", after)
    conditions = [it for name, text in single.items() for it in _conditions(name, text)]
    return ListQuery(
        RecordQuery(
            conditions=tuple(conditions),
            search=_search(paging.get("search", "")),
            orders=tuple(_orders(paging.get("sort", DEFAULT_SORT))),
        ),
        PageRequest(
            _number("page", paging.get("page", "1"), LARGEST_PAGE),
            _number("limit", paging.get("limit", str(DEFAULT_LIMIT)), LARGEST_LIMIT),
        ),
        _chosen(paging.get("fields", "")),
    )


def _only(name: str, values: Sequence[str]) -> str:
    if len(values) == 1:
        return values[0]
    problem = "is given more than once: give it once"
    if name in PAGING:
        raise invalid(name, problem)
    raise _bad_filter(name, problem)


def _conditions(name: str, text: str) -> Iterator[Comparison]:
    wanted = FILTERS.get(name)
    if wanted is None:
        raise _bad_filter(name, _why_unknown(name))
    column, kind = wanted.field.column, wanted.field.kind
    if wanted.operator == EXISTS:
        yield Comparison(column, "exists", _read_exists(name, text))
    elif kind is Kind.TIME:
        yield from _within(column, wanted.operator, read_time(name, text))
    elif kind is Kind.STATUS:
        statuses = [_OLD_STATUS.get(it.strip(), it.strip()) for it in text.split(",")]
        yield Comparison(column, "in", [_one_of(name, it, STATUSES) for it in statuses])
    else:
        yield Comparison(column, wanted.operator, _VALUES[kind](name, text))


def _why_unknown(name: str) -> str:
    key, _, operator = name.partition("[")
    field = BY_KEY.get(key)
    if field is None or not field.operators:
        return "is no filter"
    known = ", ".join(f"[{it}]" for it in field.operators if it != EQUALS)
    operator = operator.removesuffix("]")
    return f"does not take [{operator}]" + (f", only {known}" if known else "")


def _within(column: str, operator: str, at: datetime) -> Iterator[Comparison]:
    """Compare as if our times had no more than the milliseconds that clients are told."""
    floor = at - timedelta(microseconds=at.microsecond % 1000)
    ceiling = floor if floor == at else floor + MILLISECOND
    if operator in {"gte", EQUALS}:
        yield Comparison(column, "gte", ceiling)
    if operator == "gt":
        yield Comparison(column, "gte", floor + MILLISECOND)
    if operator in {"lte", EQUALS}:
        yield Comparison(column, "lt", floor + MILLISECOND)
    if operator == "lt":
        yield Comparison(column, "lt", ceiling)


def _read_exists(name: str, text: str) -> bool:
    if text not in {"true", "false"}:
        raise _bad_filter(name, "must be true or false")
    return text == "true"


def _read_text(name: str, text: str) -> str:
    if "\x00" in text:
        raise _bad_filter(name, "contains a NUL character: remove it")
    if not text.strip():
        raise _bad_filter(name, "must have a value: leave it out to see all leads")
    return as_recorded(text)


def _read_number(name: str, text: str) -> float:
    try:
        number = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _bad_filter(name, "must be a number")
    return number


def _read_source(name: str, text: str) -> str:
    return _one_of(name, text.strip(), SOURCES)


def _one_of(name: str, text: str, choices: Sequence[str]) -> str:
    if text not in choices:
        raise _bad_filter(name, f"must be one of: {', '.join(choices)}")
    return text


_VALUES: Mapping[Kind, Callable[[str, str], str | float]] = {
    Kind.TEXT: _read_text,
    Kind.NUMBER: _read_number,
    Kind.SOURCE: _read_source,
}


def _orders(text: str) -> Iterator[Order]:
    wanted: dict[str, bool] = {}
    parts = [part.strip().partition(":") for part in text.split(",")]
    current = {key for key, _, _ in parts}
    for given, _, direction in parts:
        key = _OLD_SORT.get(given, given)
        if key not in SORTABLE or direction not in {"asc", "desc"}:
            choices = ", ".join(SORTABLE)
            raise invalid("sort", f"must be field:asc or field:desc, with a field of: {choices}")
        if key != given and key in current:
            continue  # the new name wins
        if key in wanted:
            raise invalid("sort", f"names {key} more than once")
        wanted[key] = direction == "desc"
    for key, is_descending in wanted.items():
        yield Order(BY_KEY[key].column, is_descending=is_descending)


def _number(name: str, text: str, largest: int) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(largest))
    if not is_number or not 1 <= int(text) <= largest:
        raise invalid(name, f"must be a whole number from 1 to {largest:,}")
    return int(text)


def _search(text: str) -> str:
    if "\x00" in text:
        raise invalid("search", "contains a NUL character: remove it")
    if len(text) > LONGEST_SEARCH:
        raise invalid("search", f"must be at most {LONGEST_SEARCH} characters of text")
    return as_searched(text)


def _chosen(text: str) -> frozenset[str] | None:
    names = frozenset(name.strip() for name in text.split(",")) - {""}
    if unknown := sorted(names - BY_KEY.keys()):
        raise invalid("fields", f"names what no lead has: {', '.join(unknown)}")
    return names or None


def invalid(name: str, problem: str) -> InvalidError:
    return InvalidError(f"{name} {problem}.", fields={name: problem})


def _bad_filter(name: str, problem: str) -> BadFilterError:
    return BadFilterError(f"{name} {problem}.", fields={name: problem})
