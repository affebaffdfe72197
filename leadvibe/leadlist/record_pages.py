"""A page of a list of leads, found in indexes alone.

Few leads are all read, out of the index that has the fewest, and sorted. Of many, a page turns up
soon in the order of the list, which an index has; where it does not, they are all read after all.
The planner would choose between these by multiplying how common each condition is, and what is
asked for together is not met independently: nobody is qualified and open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from leadvibe.identity.types import Scope
from leadvibe.leadlist import kept_counts, record_sql, record_totals
from leadvibe.leadlist.record_sql import ALWAYS, HELD, Where
from leadvibe.leadlist.record_types import NEWEST, Order, Record, RecordQuery
from leadvibe.leadlist.types import Comparison
from leadvibe.leads.fields import KEPT_SHORT
from leadvibe.leads.record_counts import FACETS
from leadvibe.leads.statuses import Outcome

FEW = 10_000
"""Leads that are all read and sorted for a page: in some milliseconds."""

STEPS = 20_000
"""Entries of an index that are looked at for a page in its order: in some milliseconds, too."""

FAR = 1_000
"""Leads before a page that are too many to find it in so many steps."""


def read_page(
    scope: Scope, query: RecordQuery, *, total: int, size: int, offset: int
) -> list[Record]:
    """Return a page of the leads asked for; there are `total` of them."""
    if query.conditions and query.held_by is None and _is_soon_gathered(query, total):
        found = _gather(scope, query, size, offset)
        if found is not None:
            return found
    return _in_order(scope, query, size, offset)


def _in_order(scope: Scope, query: RecordQuery, size: int, offset: int) -> list[Record]:
    query = query.without_settled_orders()
    first = query.orders[0]
    if first.column == "outcome":
        return _outcome_by_outcome(scope, query, size, offset)
    if first.column in ALWAYS or any(it.column == first.column for it in query.conditions):
        return _walk(scope, query, size, offset)
    return _part_by_part(scope, query, size, offset)


def _outcome_by_outcome(scope: Scope, query: RecordQuery, size: int, offset: int) -> list[Record]:
    """Read the leads of each outcome in the order of the rest, which an index has."""
    found: list[Record] = []
    for part in parts_by_outcome(query):
        if _is_known_empty(scope, part):
            continue
        passed = record_totals.count_records(scope, part) if offset else 0
        if offset and passed <= offset:
            offset -= passed
            continue
        found += _in_order(scope, part, size - len(found), offset)
        offset = 0
        if len(found) == size:
            break
    return found


def parts_by_outcome(query: RecordQuery) -> Iterator[RecordQuery]:
    """Yield the parts of a list that is sorted by outcome first, each in the order of the rest."""
    first, *others = query.orders
    rest = tuple(others) or (Order("created_at", is_descending=not first.is_descending),)
    wanted: set[str] = set(Outcome)
    for column, operator, value in query.conditions:
        if column == "outcome" and operator != "exists":
            wanted &= {value} if operator == "eq" else set(value)
    for outcome in sorted(wanted, reverse=first.is_descending):
        yield replace(query.narrowed(Comparison("outcome", "eq", outcome)), orders=rest)


def _is_known_empty(scope: Scope, query: RecordQuery) -> bool:
    """Say whether it is kept that nobody has the outcome and something else that is asked for."""
    *others, outcome = query.conditions
    asked = {it.column for it in others if it[1:] != ("exists", False)} & FACETS
    return any(
        kept_counts.find_kept_count(scope, (outcome, Comparison(column, "exists", True))) == 0
        for column in asked
    )


def _part_by_part(scope: Scope, query: RecordQuery, size: int, offset: int) -> list[Record]:
    """Read those that have what is sorted by, and then those that do not.

    Each part comes out of an index; together, nobody would know that the first is enough.
    """
    having, lacking = in_two_parts(query)
    found = _walk(scope, having, size, offset)
    if len(found) == size:
        return found
    passed = offset - record_totals.count_records(scope, having) if not found and offset else 0
    return found + _in_order(scope, lacking, size - len(found), max(passed, 0))


def in_two_parts(query: RecordQuery) -> tuple[RecordQuery, RecordQuery]:
    """Return who has what is sorted by first, and who has not, in the order of the rest."""
    column = query.orders[0].column
    others = query.orders[1:] or (NEWEST,)
    having = query.narrowed(Comparison(column, "exists", True))
    return having, replace(query.narrowed(Comparison(column, "exists", False)), orders=others)


class Way(NamedTuple):
    """The index over `column` that a list is walked by.

    Some conditions say where to begin and to end; others must be looked at on the way.
    """

    column: str
    bounds: list[Comparison]
    others: list[Comparison]


def find_way(query: RecordQuery) -> Way:
    """Say by which index the order of a list is: within a text or an outcome, the newest first."""
    column = query.orders[0].column
    bounds = [it for it in query.conditions if it.column == column]
    within = (it for it in query.conditions if it[:2] in _NEWEST_WITHIN)
    alike = next(within, None) if column == "created_at" else None
    if alike:
        bounds.append(alike)
    others = [it for it in query.conditions if it not in bounds]
    bounds += _implied(query.conditions, column)
    return Way(alike.column if alike else column, bounds, others)


def _walk(scope: Scope, query: RecordQuery, size: int, offset: int) -> list[Record]:
    """Look for a page in the order of the list; those found have what is sorted by first."""
    way = find_way(query)
    is_held = query.held_by is None and all(map(record_sql.is_held, way.others))
    if way.others and is_held and offset <= FAR:
        found = _walk_some(scope, query, way, size, offset)
        if len(found) == size:
            return found
        gathered = _gather(scope, query, size, offset)
        if gathered is not None:
            return gathered
    return record_sql.read(record_sql.where(scope, query), query.orders, size, offset)


def _walk_some(scope: Scope, query: RecordQuery, way: Way, size: int, offset: int) -> list[Record]:
    within = record_sql.where_listed(scope) & record_sql.meeting(way.bounds)
    met = record_sql.meeting(way.others, by=way.column)
    certain = record_sql.meeting(way.others)
    if len(query.orders) == 1:
        first = record_sql.first_of(within, query.orders, STEPS)
        found, source = Where(met.text, (*first.values, *met.values)), f"({first.text}) r"
    else:
        # The index has the first order alone: whoever is alike in it is sorted by the others.
        first = record_sql.first_alike(within, query.orders[0], STEPS)
        alike = record_sql.first_alike(met, query.orders[0], size + offset, source=first)
        found = Where("true", alike.values)
        source = f"({alike.text}) few JOIN lead_records r USING (unit_id, lead_id)"
    return record_sql.read(found, query.orders, size, offset, source=source, certain=certain)


_NEWEST_WITHIN = frozenset((column, "eq") for column in ("outcome", *KEPT_SHORT))
_BEFORE, _AFTER = frozenset({"lt", "lte"}), frozenset({"gt", "gte"})


def _implied(conditions: Iterable[Comparison], column: str) -> Iterator[Comparison]:
    """Yield what follows for a column from a lead's being made before it is last changed."""
    for known, operator, value in conditions:
        if (known, column) == ("updated_at", "created_at") and operator in _BEFORE:
            yield Comparison(column, operator, value)
        if (known, column) == ("created_at", "updated_at") and operator in _AFTER:
            yield Comparison(column, operator, value)


def _gather(scope: Scope, query: RecordQuery, size: int, offset: int) -> list[Record] | None:
    """Read and sort all that are asked for, by the index that has the fewest, if any has them."""
    held = [it for it in query.conditions if record_sql.is_held(it)]
    plan = record_totals.plan_count(scope, held)
    if not plan.column:
        return None
    text, values = plan.condition(scope)
    known = ", ".join(sorted({"unit_id", "lead_id", "created_at", *_sorted_by(query) & HELD}))
    # All of them first: the planner would walk an order otherwise that it thinks is short.
    source = f"(SELECT {known} FROM lead_records r WHERE {text} OFFSET 0) r"  # noqa: S608 - names of ours
    others = record_sql.meeting(it for it in query.conditions if it not in held)
    if len(held) < len(query.conditions) or not _sorted_by(query) <= HELD:
        source = f"{source.removesuffix(' r')} few JOIN lead_records r USING (unit_id, lead_id)"
    return record_sql.read(
        Where(others.text, (*values, *others.values)), query.orders, size, offset,
        has_first=False, source=source, certain=record_sql.meeting(query.conditions),
    )  # fmt: skip


def _sorted_by(query: RecordQuery) -> set[str]:
    return {it.column for it in query.orders}


def _is_soon_gathered(query: RecordQuery, total: int) -> bool:
    """Say whether few are asked for, and fewer yet where the rows of all must be read."""
    most = FEW if _sorted_by(query) <= HELD else FEW // 4
    return total <= most and all(map(record_sql.is_held, query.conditions))
