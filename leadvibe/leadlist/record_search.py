"""Leads that a text is recorded of: in their names, addresses and numbers, and in the company.

Looks into lead_record_texts, which is narrow: reading who has a text, and counting them, takes a
few milliseconds for some ten thousand. A page of a text that more have turns up soon in the order
of the list, and there the leads are looked at one by one.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import NamedTuple

from leadvibe.identity.types import Scope
from leadvibe.leadlist import record_sql
from leadvibe.leadlist.queries import GRAM_LENGTH
from leadvibe.leadlist.record_sql import ALWAYS, HELD, Where
from leadvibe.leadlist.record_types import Order, Record, RecordQuery
from leadvibe.leadlist.types import Comparison
from leadvibe.leads.queries import like_pattern
from leadvibe.lib.db import driver
from leadvibe.lib.paging import Page, PageRequest, Total

RARE = 5_000
"""A search that finds no more leads than this reads them all; a common one walks the list."""

COMMON = 50_000
"""Leads with a text that are still counted for a first page: in a twentieth of a second."""

SAMPLED_PERCENT = 0.5
"""Leads that are looked at to guess how common a text is: in some milliseconds."""

STEPS = 10_000
"""Leads looked at in the order of the list before all that a search finds are read and sorted."""

MANY = 1_000
"""Where the total of a search stops that is not counted."""

_SORTED = HELD | {"next_call_at"}
"""Columns that a search is sorted by without reading leads."""

_TEXTS = "lead_record_texts t"
_JOINED = f"{_TEXTS} JOIN lead_records r ON r.unit_id = t.unit_id AND r.lead_id = t.lead_id"


class _Search(NamedTuple):
    scope: Scope
    query: RecordQuery

    @property
    def text(self) -> str:
        return self.query.search.strip()

    def has_text(self) -> Where:
        """Say that a lead has the text; of some leads, without the index."""
        pattern = like_pattern(self.text)
        contact = Where("t.contact LIKE lower(%s)", (pattern,))
        if not self.query.searches_more:
            return contact
        return Where("(t.contact LIKE lower(%s) OR t.more LIKE lower(%s))", (pattern, pattern))

    def of_unit(self) -> Where:
        return Where("t.unit_id = %s", (self.scope.unit_id,))

    def found(self) -> Where:
        """Say that a lead has the text, by the index as far as it knows such a text."""
        if len(self.text) < GRAM_LENGTH:
            return self.of_unit() & self.has_text()
        grams, values = (
            "record_grams(t.unit_id, t.contact, t.more)",
            (self.scope.unit_id, self.text),
        )
        known = Where(f"{grams} @> record_grams(%s, lower(%s), '')", values)
        if self.query.searches_more:
            either = f"({known.text} OR {grams} @> record_grams(%s, '', lower(%s)))"
            known = Where(either, values * 2)
        # Apart from one another: what the index has found is not made of each lead again.
        return self.of_unit() & known & self.has_text()

    def narrowed(self) -> tuple[Where, str]:
        """Say what else is asked for, and of what: of texts alone if they know all of it."""
        conditions, held = self.query.conditions, record_sql.held(self.query)
        if all(it.column == "status" or record_sql.is_held(it) for it in conditions):
            met = [record_sql.as_held(it, by=_TEXTS) for it in conditions]
            text, values = reduce(Where.__and__, met, held)
            return Where(text.replace("r.", "t."), values), _TEXTS
        met_all = record_sql.where_listed(self.scope) & record_sql.meeting(conditions)
        return met_all & held, _JOINED

    def is_sorted_by_texts(self) -> bool:
        return all(it.column in _SORTED for it in self.query.orders)


def search_records(scope: Scope, query: RecordQuery, request: PageRequest) -> Page[Record]:
    """Return a page of a search. Its total stops at MANY where more than COMMON have the text."""
    search = _Search(scope, query)
    if len(search.text) < GRAM_LENGTH or _is_common(search):
        return _page_of_common(search, request)
    if search.narrowed()[1] == _TEXTS and search.is_sorted_by_texts():
        return _read_at_once(search, request)
    total = _count_all(search)
    return Page(_page(search, request, total), Total(total), request)


def _read_at_once(search: _Search, request: PageRequest) -> Page[Record]:
    """Count and sort what is found in one pass over the texts."""
    found, values = search.found() & search.narrowed()[0]
    orders = search.query.orders
    sorted_by = ", ".join(sorted({"lead_id", "created_at", *(it.column for it in orders)}))
    statement = f"""
        WITH found AS MATERIALIZED (SELECT {sorted_by} FROM {_TEXTS} WHERE {found})
        SELECT (SELECT count(*) FROM found), ARRAY(
            SELECT lead_id FROM found r
            ORDER BY {record_sql.order_by(orders, has_first=False)}
            LIMIT %s OFFSET %s
        )
    """  # noqa: S608 - names of ours
    bound = (*values, request.size, request.offset)
    [(total, ids)] = driver().execute(statement, bound, prepare=False).fetchall()
    records = record_sql.read_by_id(search.scope, ids)
    return Page([records[it] for it in ids], Total(total), request)


def _is_common(search: _Search) -> bool:
    """Guess from the same few leads each time; statistics multiply what three letters have."""
    sampled = f"{_TEXTS} TABLESAMPLE SYSTEM ({SAMPLED_PERCENT}) REPEATABLE (1)"
    found = record_sql.count(search.of_unit() & search.has_text(), source=sampled)
    return found * 100 / SAMPLED_PERCENT > COMMON


def _page(search: _Search, request: PageRequest, total: int) -> list[Record]:
    """Return a page of a search that finds so many."""
    expected = min(request.size, max(total - request.offset, 0))
    if total > RARE:
        items = _walk(search, request)
        if len(items) == expected:
            return items
    return _gather(search, request) if expected else []


def _page_of_common(search: _Search, request: PageRequest) -> Page[Record]:
    sure, is_all = _count_some(search)
    if is_all:
        return Page(_page(search, request, sure), Total(sure), request)
    # The last page of those that are sure says itself how many there are: others may follow.
    if request.offset + request.size < sure:
        items = _walk(search, request)
        if len(items) == request.size:
            return Page(items, Total(sure, is_capped=True), request)
    total = _count_all(search)
    return Page(_page(search, request, total), Total(total), request)


def _count_all(search: _Search) -> int:
    narrowed, source = search.narrowed()
    return record_sql.count(search.found() & narrowed, source=source)


def _count_some(search: _Search) -> tuple[int, bool]:
    """Count up to MANY leads with a common text, and say whether these are all."""
    narrowed, source = search.narrowed()
    wanted = record_sql.where(search.scope, search.query)
    is_long = record_sql.is_more_than(STEPS, wanted)
    if is_long and source == _TEXTS:
        condition = search.of_unit() & search.has_text() & narrowed
    else:
        condition = Where(search.has_text().text, (*wanted.values, *search.has_text().values))
        some = f"SELECT r.* FROM lead_records r WHERE {wanted.text} LIMIT {STEPS}"  # noqa: S608 - names of ours
        source = f"({some}) r JOIN {_TEXTS} USING (unit_id, lead_id)"
    number = record_sql.count(condition, at_most=MANY + 1, source=source)
    is_all = number <= MANY and (not is_long or source == _TEXTS)
    return min(number, MANY), is_all


def _gather(search: _Search, request: PageRequest) -> list[Record]:
    """Read all leads that are found, and sort them: no order is walked to find them."""
    narrowed, source = search.narrowed()
    found, values = search.found() & narrowed
    which = "t" if source == _TEXTS and search.is_sorted_by_texts() else "r"
    source = _TEXTS if which == "t" else _JOINED
    source = f"(SELECT {which}.* FROM {source} WHERE {found} OFFSET 0) r"  # noqa: S608 - names of ours
    everyone = Where("true", values)
    orders, size, offset = search.query.orders, request.size, request.offset
    return record_sql.read(everyone, orders, size, offset, has_first=False, source=source)


def _walk(search: _Search, request: PageRequest) -> list[Record]:
    """Return a page of a search out of the first leads of the list, or less when it takes more."""
    query, first = search.query, search.query.orders[0]
    if first.column in ALWAYS or any(it.column == first.column for it in query.conditions):
        return _read_walking(search, request.size, request.offset)
    having, lacking = (search._replace(query=it) for it in in_two_parts(query))
    found = _read_walking(having, request.size, request.offset)
    wanted = record_sql.where(search.scope, having.query)
    if len(found) == request.size or request.offset or record_sql.is_more_than(STEPS, wanted):
        return found
    return found + _read_walking(lacking, request.size - len(found), 0, has_first=False)


def _read_walking(
    search: _Search, size: int, offset: int, *, has_first: bool = True
) -> list[Record]:
    text, values = record_sql.where(search.scope, search.query)
    orders, has_text = search.query.orders, search.has_text()
    order = record_sql.order_by(orders, has_first=has_first)
    some = f"SELECT r.* FROM lead_records r WHERE {text} ORDER BY {order} LIMIT {STEPS}"  # noqa: S608 - names of ours
    source = f"({some}) r JOIN {_TEXTS} ON t.unit_id = r.unit_id AND t.lead_id = r.lead_id"
    condition = Where(has_text.text, (*values, *has_text.values))
    return record_sql.read(condition, orders, size, offset, has_first=has_first, source=source)


def in_two_parts(query: RecordQuery) -> tuple[RecordQuery, RecordQuery]:
    """Return who has what is sorted by first, and who has not, in the order of the rest."""
    column = query.orders[0].column
    others = query.orders[1:] or (Order("created_at", is_descending=True),)
    having = query.narrowed(Comparison(column, "exists", True))
    return having, replace(query.narrowed(Comparison(column, "exists", False)), orders=others)
