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
from leadvibe.leadlist.kept_counts import count_unheld, find_kept_count
from leadvibe.leadlist.queries import GRAM_LENGTH
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

_HELD_TOGETHER = _ALWAYS | {"value", "qualified_at"}
"""Columns that an index over any one of them, or over a text, has the others of."""

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

RARE = 3_000
"""A search that finds no more leads than this reads them all; a common one walks the list."""

SURE = 500
"""Where the total of a common search stops, until a page behind is asked for."""

MANY = 5_000
"""The same for conditions that no index has all of."""

STEPS = 5_000
"""Leads looked at in the order of the list before all that a search finds are read and sorted."""

FEW = 15_000
"""Leads that are all looked at for a text, where a search is narrowed down to them."""

_counts: Recently[int] = Recently(_COUNT_AGAIN, is_worth_it=lambda count: count > _QUICKLY_COUNTED)
_FROM = "lead_records r JOIN leads l ON l.unit_id = r.unit_id AND l.lead_id = r.lead_id"


def list_records(scope: Scope, query: RecordQuery, request: PageRequest) -> Page[Record]:
    """Return a page of leads, and how many there are in all."""
    if query.search:
        return _search(scope, query, request)
    items = _list(scope, query, request.size, request.offset)
    return Page(items, _total(scope, query, request), request)


def _total(scope: Scope, query: RecordQuery, request: PageRequest) -> Total:
    """Count those a query asks for; no further than MANY where leads themselves must be read."""
    if _reads_leads(query) and request.offset + request.size < MANY:
        where, values = _where(scope, query)
        count = _count(where, values, at_most=MANY + 1)
        return Total(min(count, MANY), is_capped=count > MANY)
    return Total(count_records(scope, query))


def _reads_leads(query: RecordQuery) -> bool:
    """Say whether two columns are asked for that no index holds both of."""
    return len({it.column for it in query.conditions} - _HELD_TOGETHER) > 1


def _list(scope: Scope, query: RecordQuery, size: int, offset: int) -> list[Record]:
    first = query.orders[0]
    if first.column == "outcome" and len(query.orders) > 1:
        return _outcome_by_outcome(scope, query, size, offset)
    if first.column in _ALWAYS or any(it.column == first.column for it in query.conditions):
        where, values = _where(scope, query)
        return _read(where, values, query.orders, size, offset)
    return _in_two_parts(scope, query, size, offset)


def count_records(scope: Scope, query: RecordQuery) -> int:
    """Return how many leads there are that a query asks for.

    Of more than can be counted at once, the answer may be some seconds old.
    """
    if query == RecordQuery(searched=query.searched, orders=query.orders):
        return lead_queries.count_listed(scope)
    if query.search:
        return _count_recently(scope, query)
    if query.held_by is not None:
        member_id, now = query.held_by
        unheld = count_unheld(scope, query.conditions, now=now) if member_id is None else None
        return _count(*_where(scope, query)) if unheld is None else unheld
    kept = find_kept_count(scope, query.conditions)
    return _count_recently(scope, query) if kept is None else kept


def _count_recently(scope: Scope, query: RecordQuery) -> int:
    where, values = _where(scope, query)
    key = (where, *(tuple(it) if isinstance(it, list) else it for it in values))
    return _counts.find(key, lambda: _count(where, values), now=utc_now(), is_afresh=False).answer


def _count(
    where: str, values: Sequence[Any], *, at_most: int | None = None, source: str = "lead_records"
) -> int:
    statement = f"SELECT count(*) FROM {source} r WHERE {where}"  # noqa: S608 - names of ours
    if at_most is not None:
        first = f"SELECT FROM {source} r WHERE {where} LIMIT {at_most}"
        statement = f"SELECT count(*) FROM ({first}) first"  # noqa: S608 - names of ours
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


def _outcome_by_outcome(scope: Scope, query: RecordQuery, size: int, offset: int) -> list[Record]:
    """Read the leads of each outcome in the order of the rest, which an index has."""
    wanted = set(Outcome)
    for column, operator, value in query.conditions:
        if column == "outcome" and operator != "exists":
            wanted &= {value} if operator == "eq" else set(value)
    found: list[Record] = []
    for outcome in sorted(wanted, reverse=query.orders[0].is_descending):
        part = replace(_with(query, Comparison("outcome", "eq", outcome)), orders=query.orders[1:])
        passed = count_records(scope, part) if offset else 0
        if offset and passed <= offset:
            offset -= passed
            continue
        found += _list(scope, part, size - len(found), offset)
        offset = 0
        if len(found) == size:
            break
    return found


def _in_two_parts(scope: Scope, query: RecordQuery, size: int, offset: int) -> list[Record]:
    """Read those that have what is sorted by, and then those that do not.

    Each part comes out of an index; together, nobody would know that the first is enough.
    """
    having, lacking = _parts(query)
    where, values = _where(scope, having)
    found = _read(where, values, query.orders, size, offset)
    if len(found) == size:
        return found
    passed = offset - count_records(scope, having) if not found and offset else 0
    where, values = _where(scope, lacking)
    left = size - len(found)
    return found + _read(where, values, lacking.orders, left, max(passed, 0), has_first=False)


def _parts(query: RecordQuery) -> tuple[RecordQuery, RecordQuery]:
    """Return who has what is sorted by first, and who has not, in the order of the rest."""
    column = query.orders[0].column
    others = query.orders[1:] or (Order("created_at", is_descending=True),)
    lacking = _with(query, Comparison(column, "exists", False))
    return _with(query, Comparison(column, "exists", True)), replace(lacking, orders=others)


def _search(scope: Scope, query: RecordQuery, request: PageRequest) -> Page[Record]:
    """Return a page of a search, whose total stops at SURE where more would be read for it.

    Who has a rare text is known by the index of texts. A common one is looked for in the order of
    the list, where a page of hits turns up soon.
    """
    size, offset = request.size, request.offset
    ids = _find_ids(scope, query.search.strip())
    if len(ids) <= RARE:
        where, values = _where(scope, query, among=ids)
        items = _gather(where, values, query.orders, request)
        is_all = len(items) < size and not offset
        return Page(items, Total(len(items) if is_all else _count(where, values)), request)
    # Those with the text may lack the rest, and any few leads may lack the text.
    sure = _count(*_where(scope, query, among=ids), at_most=SURE)
    if sure < SURE:
        sure = max(sure, _count_sure(scope, query))
    # The last page of those that are sure says itself how many there are: others may follow.
    if offset + size < sure:
        items = _walk(scope, query, size, offset)
        if len(items) == size:
            return Page(items, Total(sure, is_capped=True), request)
    few = _find_among_few(scope, query)
    if few is not None:
        where, values = _where(scope, query, among=few)
        return Page(_gather(where, values, query.orders, request), Total(len(few)), request)
    where, values = _where(scope, query)
    items = _gather(where, values, query.orders, request)
    is_all = len(items) < size and not offset
    return Page(items, Total(len(items) if is_all else _count_recently(scope, query)), request)


def _gather(
    where: str, values: list[Any], orders: tuple[Order, ...], request: PageRequest
) -> list[Record]:
    """Read all leads that are found, and sort them: no order is walked to find them."""
    source = f"(SELECT r.* FROM lead_records r WHERE {where} OFFSET 0)"  # noqa: S608 - names of ours
    size, offset = request.size, request.offset
    return _read("true", values, orders, size, offset, source=source, has_first=False)


def _find_ids(scope: Scope, text: str) -> list[str]:
    """Return leads that a text is known of, and one more than RARE of them at most."""
    statement = """
        SELECT lead_id FROM lead_search
        WHERE unit_id = %s AND grams @> search_wanted(%s, %s) AND text LIKE lower(%s) LIMIT %s
    """
    unit_id = scope.unit_id
    values = (unit_id, unit_id, text, like_pattern(text), RARE + 1)
    # Planned for each text: how common it is decides where to look.
    return [it for (it,) in driver().execute(statement, values, prepare=False)]


def _count_sure(scope: Scope, query: RecordQuery) -> int:
    """Return how many of some leads a search finds, up to SURE: there are at least as many."""
    where, values = _where(scope, replace(query, search=""))
    likes, patterns = _likes(query)
    some = f"(SELECT r.* FROM lead_records r WHERE {where} LIMIT {STEPS})"  # noqa: S608 - names of ours
    return _count(likes, [*values, *patterns], at_most=SURE, source=some)


def _find_among_few(scope: Scope, query: RecordQuery) -> list[str] | None:
    """Return all that a search finds, where the rest of the query leaves only FEW to look at."""
    if len(query.search.strip()) < GRAM_LENGTH or _is_long(scope, query, FEW):
        return None
    where, values = _where(scope, replace(query, search=""))
    likes, patterns = _likes(query)
    statement = f"SELECT r.lead_id FROM lead_records r WHERE {where} AND {likes}"  # noqa: S608 - names of ours
    return [it for (it,) in driver().execute(statement, [*values, *patterns])]


def _walk(scope: Scope, query: RecordQuery, size: int, offset: int) -> list[Record]:
    """Return a page of a search out of the first leads of the list, or less when it takes more."""
    first = query.orders[0]
    if first.column in _ALWAYS or any(it.column == first.column for it in query.conditions):
        return _read_walking(scope, query, size, offset)
    having, lacking = _parts(query)
    found = _read_walking(scope, having, size, offset)
    if len(found) == size or offset or _is_long(scope, having, STEPS):
        return found
    return found + _read_walking(scope, lacking, size - len(found), 0, has_first=False)


def _read_walking(
    scope: Scope, query: RecordQuery, size: int, offset: int, *, has_first: bool = True
) -> list[Record]:
    where, values = _where(scope, replace(query, search=""))
    likes, patterns = _likes(query)
    order = _order_by(query.orders, has_first=has_first)
    source = f"(SELECT r.* FROM lead_records r WHERE {where} ORDER BY {order} LIMIT {STEPS})"  # noqa: S608 - names of ours
    bound = [*values, *patterns]
    return _read(likes, bound, query.orders, size, offset, has_first=has_first, source=source)


def _is_long(scope: Scope, query: RecordQuery, most: int) -> bool:
    """Say whether there are more leads than can be looked at one by one, text or not."""
    where, values = _where(scope, replace(query, search=""))
    statement = f"SELECT 1 FROM lead_records r WHERE {where} OFFSET {most} LIMIT 1"  # noqa: S608 - names of ours
    return driver().execute(statement, values).fetchone() is not None


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
    source: str = "lead_records",
) -> list[Record]:
    """Read leads in order; those `where` finds have what is sorted by first, unless said."""
    order = _order_by(orders, has_first=has_first)
    # The page is found in the index alone, as far as it can be; only its rows are read in full.
    statement = f"""
        SELECT l.name AS display_name, {_SELECTED}
        FROM (
            SELECT r.unit_id, r.lead_id FROM {source} r WHERE {where}
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


def _where(
    scope: Scope, query: RecordQuery, *, among: list[str] | None = None
) -> tuple[str, list[Any]]:
    """Say which leads are asked for; `among` are those that have what is searched, if known."""
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
        likes, patterns = _likes(query)
        known, bound = _known(scope, query.search.strip(), among)
        parts += [known, likes]
        values += [*bound, *patterns]
    return " AND ".join(parts), values


def _known(scope: Scope, text: str, among: list[str] | None) -> tuple[str, list[Any]]:
    if among is not None:
        return "r.lead_id = ANY(%s)", [among]
    known = """r.lead_id IN (
        SELECT s.lead_id FROM lead_search s
        WHERE s.unit_id = %s AND s.grams @> search_wanted(%s, %s)
    )"""
    return known, [scope.unit_id, scope.unit_id, text]


def _likes(query: RecordQuery) -> tuple[str, list[Any]]:
    likes = " OR ".join(f"{_SEARCHED.get(it, f'r.{it}')} ILIKE %s" for it in query.searched)
    return f"({likes})", [like_pattern(query.search.strip())] * len(query.searched)


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
