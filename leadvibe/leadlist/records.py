"""Leads by what is recorded of them (leads.records): filtered, sorted and paged.

What a lead does not have stands last in either direction, and leads that are alike are told apart
by their id, so that pages neither repeat nor leave out anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import dict_row

from leadvibe.identity.types import Scope
from leadvibe.leadlist.kept_counts import find_kept_count
from leadvibe.leadlist.types import Comparison
from leadvibe.leads import queries as lead_queries
from leadvibe.leads.fields import FIELDS
from leadvibe.leads.queries import like_pattern
from leadvibe.leads.statuses import Outcome, Status
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import driver
from leadvibe.lib.paging import Page, PageRequest, Total
from leadvibe.lib.recently import Recently

COLUMNS = frozenset(
    {
        "name", "email", "phone", "intake", "status", "outcome", "created_at", "updated_at",
        "qualified_at", "owner_id", *(field.name for field in FIELDS),
    }
)  # fmt: skip
"""What can be compared and sorted by."""

_ALWAYS = frozenset({"intake", "status", "outcome", "created_at", "updated_at"})
"""Columns that every lead has a value of."""

_NEWEST_FIRST = frozenset({"created_at", "updated_at"})
"""Columns whose index holds the latest first, and ids in order within one instant."""

_COMPARISONS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "eq": lambda column: f"{column} = %s",
        "in": lambda column: f"{column} = ANY(%s)",
        "gte": lambda column: f"{column} >= %s",
        "gt": lambda column: f"{column} > %s",
        "lte": lambda column: f"{column} <= %s",
        "lt": lambda column: f"{column} < %s",
    }
)


_SEARCHED: Mapping[str, str] = MappingProxyType(
    {
        "emails": "array_to_string(r.emails, E'\\n')",
        "phones": "array_to_string(r.phones, E'\\n')",
        "display_name": """(
            SELECT l.name FROM leads l WHERE l.unit_id = r.unit_id AND l.lead_id = r.lead_id
        )""",
    }
)
"""What can be looked into that is no column."""


_IS_HELD = "(r.claimed_until IS NULL OR r.claimed_until > %s)"
_UNTOUCHED = (Comparison("status", "eq", Status.NOT_CONTACTED),)


class HeldBy(NamedTuple):
    """Only leads that a member has, or nobody for None: a claim that has ended holds nothing."""

    member_id: UUID | None
    now: datetime


class Order(NamedTuple):
    column: str
    is_descending: bool = False


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """Which leads, and in which order. `search` is looked for in what is `searched`."""

    conditions: tuple[Comparison, ...] = ()
    held_by: HeldBy | None = None
    search: str = ""
    searched: tuple[str, ...] = ("name", "email", "phone")
    """Text columns, `emails`, `phones` for all of them, or `display_name`."""
    orders: tuple[Order, ...] = (Order("created_at", is_descending=True),)


@dataclass(frozen=True, slots=True)
class Record:
    """What is recorded of a lead. `display_name` is what lists call it."""

    lead_id: str
    display_name: str
    name: str | None
    email: str | None
    phone: str | None
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    intake: str
    status: Status
    outcome: Outcome
    created_at: datetime
    updated_at: datetime
    qualified_at: datetime | None
    owner_id: UUID | None
    claimed_until: datetime | None
    fields: Mapping[str, Any]
    """Values of leads.fields, by name; None where there is none."""

    def holder_at(self, now: datetime) -> UUID | None:
        """Return who has the lead at an instant: nobody when that claim has ended."""
        is_over = self.claimed_until is not None and self.claimed_until <= now
        return None if is_over else self.owner_id


_SELECTED = ", ".join(
    f"r.{name}"
    for name in (
        "lead_id", "name", "email", "phone", "emails", "phones", "intake", "status", "outcome",
        "created_at", "updated_at", "qualified_at", "owner_id", "claimed_until",
        *(field.name for field in FIELDS),
    )
)  # fmt: skip
_COUNT_AGAIN = timedelta(seconds=10)
_QUICKLY_COUNTED = 20_000
"""Leads that are counted each time: in a few milliseconds, and nobody's count is old."""

_counts: Recently[int] = Recently(_COUNT_AGAIN, is_worth_it=lambda count: count > _QUICKLY_COUNTED)
_FROM = "lead_records r JOIN leads l ON l.unit_id = r.unit_id AND l.lead_id = r.lead_id"


def list_records(scope: Scope, query: RecordQuery, request: PageRequest) -> Page[Record]:
    """Return a page of leads, and how many there are in all."""
    where, values = _where(scope, query)
    total = count_records(scope, query)
    first = query.orders[0]
    if first.column in _ALWAYS or any(it.column == first.column for it in query.conditions):
        items = _read(where, values, query.orders, request.size, request.offset)
    else:
        items = _in_two_parts(scope, query, first, request)
    return Page(items, Total(total), request)


def count_records(scope: Scope, query: RecordQuery) -> int:
    """Return how many leads there are that a query asks for.

    Of more than can be counted at once, the answer may be some seconds old.
    """
    if query == RecordQuery(searched=query.searched, orders=query.orders):
        return lead_queries.count_listed(scope)
    if query.search:
        return _count_recently(scope, query)
    # Most leads are nobody's, and nobody has called most of them: the others are counted instead.
    if query.held_by is not None and query.held_by.member_id is None:
        rest = replace(query, held_by=None)
        where, values = _where(scope, rest)
        held = f"{where} AND r.owner_id IS NOT NULL AND {_IS_HELD}"
        return count_records(scope, rest) - _count(held, [*values, query.held_by.now])
    if query.held_by is not None:
        return _count(*_where(scope, query))
    if query.conditions == _UNTOUCHED:
        where, values = _where(scope, replace(query, conditions=()))
        everybody = count_records(scope, replace(query, conditions=()))
        return everybody - _count(f"{where} AND r.status <> 'not_contacted'", values)
    kept = find_kept_count(scope, query.conditions)
    return _count_recently(scope, query) if kept is None else kept


def _count_recently(scope: Scope, query: RecordQuery) -> int:
    where, values = _where(scope, query)
    key = (where, *(tuple(it) if isinstance(it, list) else it for it in values))
    return _counts.find(key, lambda: _count(where, values), now=utc_now(), is_afresh=False).answer


def _count(where: str, values: Sequence[Any]) -> int:
    statement = f"SELECT count(*) FROM lead_records r WHERE {where}"  # noqa: S608 - names of ours
    row = driver().execute(statement, values).fetchone()
    assert row is not None
    return int(row[0])


def find_record(scope: Scope, lead_id: str) -> Record | None:
    """Return what is recorded of a lead that stands for itself."""
    statement = f"""
        SELECT l.name AS display_name, {_SELECTED} FROM {_FROM}
        WHERE r.unit_id = %s AND r.lead_id = %s AND r.is_listed
    """  # noqa: S608 - names of ours
    with driver().cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(statement, (scope.unit_id, lead_id)).fetchone()
    return _record(row) if row else None


def read_records(scope: Scope, lead_ids: Sequence[str]) -> dict[str, Record]:
    """Return what is recorded of leads that stand for themselves, by lead."""
    statement = f"""
        SELECT l.name AS display_name, {_SELECTED} FROM {_FROM}
        WHERE r.unit_id = %s AND r.lead_id = ANY(%s) AND r.is_listed
    """  # noqa: S608 - names of ours
    with driver().cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement, (scope.unit_id, list(lead_ids))).fetchall()
    return {row["lead_id"]: _record(row) for row in rows}


def read_columns(
    scope: Scope, lead_ids: Sequence[str], columns: Sequence[str]
) -> dict[str, Mapping[str, Any]]:
    """Return some columns of the records of leads, by lead."""
    statement = f"""
        SELECT lead_id, {", ".join(columns)} FROM lead_records
        WHERE unit_id = %s AND lead_id = ANY(%s)
    """  # noqa: S608 - names of ours
    with driver().cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement, (scope.unit_id, list(lead_ids))).fetchall()
    return {row["lead_id"]: row for row in rows}


def find_by_address(scope: Scope, *, kind: str, value: str, limit: int) -> list[str]:
    """Return ids of leads that are known by an e-mail address or phone number, the oldest first."""
    statement = """
        SELECT r.lead_id FROM lead_aliases a
        JOIN lead_records r ON r.unit_id = a.unit_id AND r.lead_id = a.lead_id
        WHERE a.unit_id = %s AND a.kind = %s AND a.value = %s AND r.is_listed
        ORDER BY r.created_at, r.lead_id LIMIT %s
    """
    rows = driver().execute(statement, (scope.unit_id, kind, value, limit))
    return [lead_id for (lead_id,) in rows]


def _in_two_parts(
    scope: Scope, query: RecordQuery, first: Order, request: PageRequest
) -> list[Record]:
    """Read those that have what is sorted by, and then those that do not.

    Each part comes out of an index; together, nobody would know that the first is enough.
    """
    having = _with(query, Comparison(first.column, "exists", True))
    where, values = _where(scope, having)
    found = _read(where, values, query.orders, request.size, request.offset)
    if len(found) == request.size:
        return found
    passed = request.offset - count_records(scope, having) if not found else 0
    where, values = _where(scope, _with(query, Comparison(first.column, "exists", False)))
    others = query.orders[1:] or (Order("created_at", is_descending=True),)
    size = request.size - len(found)
    return found + _read(where, values, others, size, max(passed, 0), has_first=False)


def _with(query: RecordQuery, condition: Comparison) -> RecordQuery:
    return replace(query, conditions=(*query.conditions, condition))


def _read(
    where: str,
    values: list[Any],
    orders: tuple[Order, ...],
    limit: int,
    offset: int,
    *,
    has_first: bool = True,
) -> list[Record]:
    """Read leads in order; those `where` finds have what is sorted by first, unless said."""
    order = _order_by(orders, has_first=has_first)
    # The page is found in the index alone, as far as it can be; only its rows are read in full.
    statement = f"""
        SELECT l.name AS display_name, {_SELECTED}
        FROM (
            SELECT r.unit_id, r.lead_id FROM lead_records r WHERE {where}
            ORDER BY {order} LIMIT %s OFFSET %s
        ) page
        JOIN lead_records r ON r.unit_id = page.unit_id AND r.lead_id = page.lead_id
        JOIN leads l ON l.unit_id = page.unit_id AND l.lead_id = page.lead_id
        ORDER BY {order}
    """  # noqa: S608 - names of ours
    with driver().cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement, (*values, limit, offset)).fetchall()
    return [_record(row) for row in rows]


def _order_by(orders: tuple[Order, ...], *, has_first: bool) -> str:
    parts, first = [], orders[0]
    for order in orders:
        direction = "DESC" if order.is_descending else "ASC"
        # An index that holds only leads with a value is read in either direction.
        is_there = (has_first and order is first) or order.column in _ALWAYS
        nulls = "" if is_there else " NULLS LAST"
        parts.append(f"r.{order.column} {direction}{nulls}")
    if orders == (first,) and first.column == "outcome":
        # As its index has them: a whole outcome would be sorted for a page of it otherwise.
        parts.append(f"r.created_at {'ASC' if first.is_descending else 'DESC'}")
    is_backward = first.is_descending is not (first.column in _NEWEST_FIRST)
    return ", ".join((*parts, "r.lead_id DESC" if is_backward else "r.lead_id"))


def _where(scope: Scope, query: RecordQuery) -> tuple[str, list[Any]]:
    parts = ["r.unit_id = %s", "r.is_listed"]
    values: list[Any] = [scope.unit_id]
    for column, operator, value in query.conditions:
        if operator == "exists":
            parts.append(f"r.{column} IS {'NOT ' if value else ''}NULL")
            continue
        parts.append(_COMPARISONS[operator](f"r.{column}"))
        values.append(value)
    if query.held_by is not None:
        held, bound = _held(*query.held_by)
        parts.append(held)
        values += bound
    if query.search:
        text = query.search.strip()
        parts.append(
            """r.lead_id IN (
                SELECT s.lead_id FROM lead_search s
                WHERE s.unit_id = %s AND s.grams @> search_wanted(%s, %s)
            )"""
        )
        values += [scope.unit_id, scope.unit_id, text]
        likes = " OR ".join(f"{_SEARCHED.get(it, f'r.{it}')} ILIKE %s" for it in query.searched)
        parts.append(f"({likes})")
        values += [like_pattern(text)] * len(query.searched)
    return " AND ".join(parts), values


def _held(member_id: UUID | None, now: datetime) -> tuple[str, list[Any]]:
    if member_id is None:
        return "(r.owner_id IS NULL OR r.claimed_until <= %s)", [now]
    return f"r.owner_id = %s AND {_IS_HELD}", [member_id, now]


def _record(row: Mapping[str, Any]) -> Record:
    return Record(
        lead_id=row["lead_id"],
        display_name=row["display_name"],
        name=row["name"],
        email=row["email"],
        phone=row["phone"],
        emails=tuple(row["emails"]),
        phones=tuple(row["phones"]),
        intake=row["intake"],
        status=Status(row["status"]),
        outcome=Outcome(row["outcome"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        qualified_at=row["qualified_at"],
        owner_id=row["owner_id"],
        claimed_until=row["claimed_until"],
        fields=MappingProxyType({field.name: row[field.name] for field in FIELDS}),
    )
