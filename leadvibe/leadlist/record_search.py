"""Leads that a text is recorded of: in their names, addresses and numbers, and in the company.

Looks into lead_record_texts, which is narrow: reading who has a text, and counting them, takes a
few milliseconds for some ten thousand. A page of a text that more have turns up soon in the order
of the list, and there the leads are looked at one by one. So are all that are asked for besides,
where these are few.
"""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

from leadvibe.identity.types import Scope
from leadvibe.leadlist import record_sql, record_totals
from leadvibe.leadlist.queries import GRAM_LENGTH
from leadvibe.leadlist.record_pages import find_way, in_two_parts, parts_by_outcome
from leadvibe.leadlist.record_sql import ALWAYS, Where
from leadvibe.leadlist.record_types import Record, RecordQuery
from leadvibe.leads import queries as lead_queries
from leadvibe.leads.queries import like_pattern
from leadvibe.lib.db import driver
from leadvibe.lib.paging import Page, PageRequest, Total

FEW = 3_000
"""Leads that are looked at one by one for the text, wherever they stand: in some milliseconds."""

COMMON = 20_000
"""Leads with a text that are still counted for a first page: in some hundredths of a second."""

TEXT_PER_LEAD = 1 / 6
"""What it takes to read a text as it stands, of what it takes to read that of a given lead."""

SAMPLED_PERCENT = 0.5
"""Leads that are looked at to guess how common a text is: in some milliseconds."""

ENTRIES = 40_000
"""Entries of an index that are looked at, in the order of the list, for leads to look at."""

MOST_STEPS = 20_000
"""Leads looked at in the order of the list before all that a search finds are read and sorted."""

MANY = 1_000
"""Where the total of a search stops that is not counted."""

LOOKED_THROUGH = 30_000
"""Leads that are looked through for so many."""

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


def search_records(scope: Scope, query: RecordQuery, request: PageRequest) -> Page[Record]:
    """Return a page of a search, sorted by columns that lead_record_texts has.

    Where more than COMMON leads have the text, the total may be too small, and MANY at most.
    """
    search = _Search(scope, query)
    few = _find_few(search, FEW)
    if few is None:
        having = _guess_having(search)
        # No index knows of one or two letters: all texts are read then.
        read = having if len(search.text) >= GRAM_LENGTH else lead_queries.count_listed(scope)
        if read > COMMON:
            # A walk in vain may take as long again as reading all, and no longer.
            steps = int(min(read * TEXT_PER_LEAD, MOST_STEPS))
            is_worth_it = _may_turn_up(search, request, having, steps)
            if is_worth_it and (found := _find_on_the_way(search, request, steps)):
                return found
            few = _find_few(search, steps)
    if few is not None:
        return _read_at_once(search, request, search.has_text(), few)
    narrowed, source = search.narrowed()
    return _read_at_once(search, request, search.found() & narrowed, Where(source))


def _find_few(search: _Search, most: int) -> Where | None:
    """Say who is asked for whatever text they have, where these are few."""
    scope, query = search.scope, search.query
    if not query.conditions and query.held_by is None:
        return None
    wanted = record_totals.find_at_most(scope, query, most)
    if wanted is None:
        return None
    few = f"SELECT r.unit_id, r.lead_id FROM lead_records r WHERE {wanted.text} OFFSET 0"  # noqa: S608 - names of ours
    return Where(f"({few}) few JOIN {_TEXTS} USING (unit_id, lead_id)", wanted.values)


def _guess_having(search: _Search) -> float:
    """Guess from the same few leads each time; statistics multiply what three letters have."""
    sampled = f"{_TEXTS} TABLESAMPLE SYSTEM ({SAMPLED_PERCENT}) REPEATABLE (1)"
    found = record_sql.count(search.of_unit() & search.has_text(), source=sampled)
    return found * 100 / SAMPLED_PERCENT


def _may_turn_up(search: _Search, request: PageRequest, having: float, steps: int) -> bool:
    """Guess whether the first leads of the list have a page of those who have the text."""
    scope, query = search
    share = having / max(lead_queries.count_listed(scope), 1)
    entries = record_sql.where_listed(scope) & record_sql.meeting(find_way(query).bounds)
    wanted = record_sql.estimate(record_sql.where(scope, query))
    looked_at = min(wanted * min(ENTRIES / record_sql.estimate(entries), 1), steps)
    return looked_at * share >= request.offset + request.size


def _find_on_the_way(search: _Search, request: PageRequest, steps: int) -> Page[Record] | None:
    """Look for a page among the first leads of the list, unless it takes more of them."""
    items = _walk(search, request.size + 1, request.offset, steps)
    if len(items) <= request.size:
        return None
    total = max(_count_some(search), request.offset + len(items))
    return Page(items[: request.size], Total(total, is_capped=True), request)


def _read_at_once(
    search: _Search, request: PageRequest, found: Where, source: Where
) -> Page[Record]:
    """Count and sort what is found in one pass."""
    orders = search.query.orders
    sorted_by = ", ".join(
        f"t.{it}" for it in sorted({"lead_id", "created_at", *(it.column for it in orders)})
    )
    statement = f"""
        WITH found AS MATERIALIZED (SELECT {sorted_by} FROM {source.text} WHERE {found.text})
        SELECT (SELECT count(*) FROM found), ARRAY(
            SELECT lead_id FROM found r
            ORDER BY {record_sql.order_by(orders, has_first=False)}
            LIMIT %s OFFSET %s
        )
    """  # noqa: S608 - names of ours
    bound = (*source.values, *found.values, request.size, request.offset)
    [(total, ids)] = driver().execute(statement, bound, prepare=False).fetchall()
    records = record_sql.read_by_id(search.scope, ids)
    # One that was merged since the statement before is left out.
    return Page([records[it] for it in ids if it in records], Total(total), request)


def _count_some(search: _Search) -> int:
    """Count leads with a common text among some leads, and no more than MANY."""
    narrowed, source = search.narrowed()
    if source != _TEXTS:
        return 0
    unit = search.of_unit()
    some = f"(SELECT t.* FROM {_TEXTS} WHERE {unit.text} LIMIT {LOOKED_THROUGH}) t"  # noqa: S608 - names of ours
    text, values = search.has_text() & narrowed
    return record_sql.count(Where(text, (*unit.values, *values)), at_most=MANY, source=some)


def _walk(search: _Search, size: int, offset: int, steps: int) -> list[Record]:
    """Return a page of a search out of the first leads of the list, or less when it takes more."""
    query, first = search.query, search.query.orders[0]
    if first.column == "outcome" and len(query.orders) > 1:
        part = next(parts_by_outcome(query), None)
        return _walk(search._replace(query=part), size, offset, steps) if part else []
    if first.column in ALWAYS or any(it.column == first.column for it in query.conditions):
        return _read_walking(search, size, offset, steps)
    having, lacking = (search._replace(query=it) for it in in_two_parts(query))
    found = _read_walking(having, size, offset, steps)
    if len(found) == size or offset or not _is_walked_whole(having, steps):
        return found
    return found + _read_walking(lacking, size - len(found), 0, steps, has_first=False)


def _is_walked_whole(search: _Search, steps: int) -> bool:
    """Say whether no lead that has what is sorted by was left out on the way."""
    scope, query = search.scope, search.query
    entries = record_sql.where_listed(scope) & record_sql.meeting(find_way(query).bounds)
    wanted = record_sql.where(scope, query)
    return not record_sql.is_more_than(ENTRIES, entries) and not record_sql.is_more_than(
        steps, wanted
    )


def _read_walking(
    search: _Search, size: int, offset: int, steps: int, *, has_first: bool = True
) -> list[Record]:
    query, has_text = search.query, search.has_text()
    way = find_way(query)
    within = record_sql.where_listed(search.scope) & record_sql.meeting(way.bounds)
    entries = record_sql.first_of(within, query.orders, ENTRIES, has_first=has_first)
    text, values = record_sql.meeting(way.others, by=way.column) & record_sql.held(query)
    # Said again, or the planner would not know that all that follows is in this order.
    order = record_sql.order_by(query.orders, has_first=has_first)
    some = f"SELECT r.* FROM ({entries.text}) r WHERE {text} ORDER BY {order} LIMIT {steps}"  # noqa: S608 - names of ours
    source = f"({some}) r JOIN {_TEXTS} ON t.unit_id = r.unit_id AND t.lead_id = r.lead_id"
    return record_sql.read(
        Where(has_text.text, (*entries.values, *values, *has_text.values)),
        query.orders, size, offset,
        has_first=has_first, source=source, certain=record_sql.meeting(way.others),
    )  # fmt: skip
