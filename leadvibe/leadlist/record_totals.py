"""How many leads there are that conditions ask for, exactly, and without reading leads.

What is kept (kept_counts) is asked first. Else leads are counted in the index over one condition
that the fewest meet, which holds what the others ask for. Where even they are many, those are
counted that do *not* meet a condition, and taken off what is kept of the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import combinations, groupby, product
from typing import NamedTuple

from leadvibe.identity.types import Scope
from leadvibe.leadlist import kept_counts, record_sql
from leadvibe.leadlist.record_sql import Where
from leadvibe.leadlist.record_types import RecordQuery
from leadvibe.leadlist.types import Comparison
from leadvibe.leads import queries as lead_queries
from leadvibe.leads.fields import CLICK_BITS, KEPT_SHORT
from leadvibe.lib.clock import utc_now
from leadvibe.lib.recently import Recently

QUICKLY_COUNTED = 20_000
"""Leads that are counted each time: in a few milliseconds, and nobody's count is old."""

MOST_SUBTRACTED = 2
"""Conditions that are counted by who does not meet them: each doubles the counting."""

_SOON_COUNTED = 100_000
"""Entries of an index that are counted without looking for a way to count fewer."""

_INDEXED = frozenset(
    {"value", "qualified_at", "updated_at", "created_at", "outcome", *KEPT_SHORT, *CLICK_BITS}
)
"""Columns whose index holds all that lists are narrowed by."""

_OPPOSITE = {"gte": "lt", "gt": "lte", "lte": "gt", "lt": "gte"}
_LACKABLE = frozenset({"value", "qualified_at"})
_COUNTED_AROUND = frozenset({"updated_at", "qualified_at"})
"""Of these days are kept, but nothing that is asked for besides."""

_counts: Recently[int] = Recently(
    timedelta(seconds=10), is_worth_it=lambda count: count > QUICKLY_COUNTED
)

Conditions = tuple[Comparison, ...]


def count_records(scope: Scope, query: RecordQuery) -> int:
    """Return how many leads there are that a query asks for, whatever it searches for.

    Of more than can be counted at once, the answer may be some seconds old.
    """
    conditions = query.conditions
    if not conditions and query.held_by is None:
        return lead_queries.count_listed(scope)
    if query.held_by is not None:
        member_id, now = query.held_by
        unheld = kept_counts.count_unheld(scope, conditions, now=now) if member_id is None else None
        return record_sql.count(record_sql.where(scope, query)) if unheld is None else unheld
    kept = kept_counts.find_kept_count(scope, conditions)
    if kept is not None:
        return kept
    key = (scope.unit_id, *map(_hashable, conditions))
    return _counts.find(
        key, lambda: _count(scope, conditions), now=utc_now(), is_afresh=False
    ).answer


def find_at_most(scope: Scope, query: RecordQuery, number: int) -> Where | None:
    """Say who is asked for, whatever is searched, if it is soon known that they are few enough."""
    wanted = record_sql.where(scope, query)
    if query.held_by is None:
        plan = plan_count(scope, query.conditions)
        if not plan.column or plan.leads > max(_SOON_COUNTED, number):
            return None
        wanted = plan.condition(scope)
    return None if record_sql.is_more_than(number, wanted) else wanted


def _hashable(condition: Comparison) -> Comparison:
    value = condition.value
    return condition._replace(value=tuple(value) if isinstance(value, list) else value)


class Plan(NamedTuple):
    """Conditions that are met, and by the index over which of their columns leads are found.

    The column is empty where no index has all of those who meet a condition.
    """

    conditions: Conditions
    column: str
    leads: float
    """How many about meet what is asked of that column."""

    def condition(self, scope: Scope) -> Where:
        return record_sql.where_listed(scope) & record_sql.meeting(self.conditions, by=self.column)


def _count(scope: Scope, conditions: Conditions) -> int:
    plan = plan_count(scope, conditions)
    if plan.leads > _SOON_COUNTED:
        less = _plan_subtraction(scope, conditions)
        if less is not None and sum(it.leads for it in less.terms) < plan.leads:
            return less.count(scope)
    return record_sql.count(plan.condition(scope))


def plan_count(scope: Scope, wanted: Iterable[Comparison]) -> Plan:
    """Choose the column that the fewest leads meet the conditions on."""
    conditions = tuple(wanted)
    ways = [
        Plan(conditions, column, _estimate(scope, those))
        for column, those in _by_column(conditions)
        if column in _INDEXED and _is_found_by_index(those)
    ]
    return min(ways, key=lambda it: it.leads, default=Plan(conditions, "", float("inf")))


def _by_column(conditions: Conditions) -> Iterator[tuple[str, Conditions]]:
    for column, those in groupby(
        sorted(conditions, key=lambda it: it.column), lambda it: it.column
    ):
        yield column, tuple(those)


def _is_found_by_index(conditions: Conditions) -> bool:
    """Say whether an index that leaves out who lacks the column has those asked for."""
    return not any(operator == "exists" and not value for _, operator, value in conditions)


def _estimate(scope: Scope, conditions: Conditions) -> float:
    return record_sql.estimate(record_sql.where_listed(scope) & record_sql.meeting(conditions))


class _Subtraction(NamedTuple):
    """What is kept of some conditions, less those that do not meet one of the others, or more.

    Who does not meet either of two is taken off twice: those are added again.
    """

    kept: int
    terms: Sequence[Plan]
    signs: Sequence[int]

    def count(self, scope: Scope) -> int:
        parts = zip(self.terms, self.signs, strict=True)
        return self.kept + sum(sign * _count_term(scope, term) for term, sign in parts)


def _plan_term(scope: Scope, conditions: Conditions) -> Plan:
    """Plan how to count leads, which takes none of them where it is kept."""
    if kept_counts.is_kept(conditions):
        return Plan(conditions, "", 0)
    return plan_count(scope, conditions)


def _count_term(scope: Scope, term: Plan) -> int:
    kept = kept_counts.find_kept_count(scope, term.conditions)
    return record_sql.count(term.condition(scope)) if kept is None else kept


def _plan_subtraction(scope: Scope, conditions: Conditions) -> _Subtraction | None:
    """Turn around what is not kept; None where that cannot be said, or would take too many."""
    kept: list[Comparison] = []
    turned: list[tuple[Conditions, list[Conditions]]] = []
    for column, those in _by_column(conditions):
        if column not in _COUNTED_AROUND and kept_counts.is_kept((*kept, *those)):
            kept += those
        else:
            turned.append((those, _opposites(column, those)))
    compared = [those[0] for those, _ in turned if those[0].operator != "exists"]
    kept += [Comparison(it.column, "exists", True) for it in compared if it.column in _LACKABLE]
    total = kept_counts.find_kept_count(scope, kept)
    if total is None or len(turned) > MOST_SUBTRACTED or not all(it for _, it in turned):
        return None
    terms: list[Plan] = []
    signs: list[int] = []
    for size in range(1, len(turned) + 1):
        for some in combinations([opposites for _, opposites in turned], size):
            for chosen in product(*some):
                asked = (*kept, *(one for part in chosen for one in part))
                terms.append(_plan_term(scope, _without_needless(asked)))
                signs.append((-1) ** size)
    return _Subtraction(total, terms, signs)


def _opposites(column: str, conditions: Conditions) -> list[Conditions]:
    """Return conditions of which each lead that has the column, but not as asked, meets one."""
    if len(conditions) == 1 and conditions[0].operator == "exists":
        return [] if conditions[0].value else [(Comparison(column, "exists", True),)]
    opposites: list[Conditions] = []
    for name, operator, value in conditions:
        if operator not in _OPPOSITE:
            return []
        opposites.append((Comparison(name, _OPPOSITE[operator], value),))
    # Of two bounds, nobody is outside both unless they are crossed, and then nobody is within.
    return opposites if _is_span(conditions) else []


def _is_span(conditions: Conditions) -> bool:
    lowest = [value for _, operator, value in conditions if operator in {"gt", "gte"}]
    highest = [value for _, operator, value in conditions if operator in {"lt", "lte"}]
    return (
        len(lowest) <= 1
        and len(highest) <= 1
        and (not lowest or not highest or bool(lowest[0] < highest[0]))
    )


def _without_needless(conditions: Iterable[Comparison]) -> Conditions:
    """Leave out that a column has a value, where it is compared besides."""
    given = tuple(conditions)
    compared = {it.column for it in given if it.operator != "exists"}
    return tuple(
        it for it in given if not (it.operator == "exists" and it.value and it.column in compared)
    )
