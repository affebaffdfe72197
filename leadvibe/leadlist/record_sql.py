"""Statements on records: what conditions and orders are in SQL, and how a page is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import reduce
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import dict_row

from leadvibe.identity.types import Scope
from leadvibe.leadlist.record_types import Order, Record, RecordQuery
from leadvibe.leadlist.types import Comparison
from leadvibe.leads.fields import CLICK_BITS, FIELDS, KEPT_SHORT, short_key
from leadvibe.leads.statuses import Outcome, Status
from leadvibe.lib.db import driver

COLUMNS = frozenset(
    {
        "name", "email", "phone", "intake", "status", "outcome", "created_at", "updated_at",
        "qualified_at", "owner_id", *(field.name for field in FIELDS),
    }
)  # fmt: skip
"""What can be compared and sorted by."""

ALWAYS = frozenset({"intake", "status", "outcome", "created_at", "updated_at"})
"""Columns that every lead has a value of."""

HELD = frozenset({"outcome", "intake", "created_at", "updated_at", "qualified_at", "value"})
"""Columns that indexes over others, and lead_record_texts, have as they are."""

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

SELECTED = ", ".join(
    f"r.{name}"
    for name in (
        "lead_id", "display_name", "name", "email", "phone", "emails", "phones", "intake",
        "status", "outcome", "created_at", "updated_at", "qualified_at", "owner_id",
        "claimed_until", *(field.name for field in FIELDS),
    )
)  # fmt: skip


class Where(NamedTuple):
    """A condition in SQL on a record called `r`, and the values in it."""

    text: str
    values: tuple[Any, ...] = ()

    def __and__(self, other: Where) -> Where:
        return Where(f"{self.text} AND {other.text}", (*self.values, *other.values))


EVERYBODY = Where("true")


def where_listed(scope: Scope) -> Where:
    return Where("r.unit_id = %s AND r.is_listed", (scope.unit_id,))


def where(scope: Scope, query: RecordQuery) -> Where:
    """Say which leads are asked for, but for what is searched."""
    return where_listed(scope) & meeting(query.conditions) & held(query)


def meeting(conditions: Iterable[Comparison], *, by: str = "") -> Where:
    """Say all conditions, by what the index over a column holds if one is named."""
    parts = [as_held(it, by=by) for it in conditions] or [EVERYBODY]
    return reduce(Where.__and__, parts)


def compared(condition: Comparison) -> Where:
    column, operator, value = condition
    if operator == "exists":
        return Where(f"r.{column} IS {'NOT ' if value else ''}NULL")
    return Where(_COMPARISONS[operator](f"r.{column}"), (value,))


def is_held(condition: Comparison) -> bool:
    """Say whether indexes and lead_record_texts have what a condition asks for."""
    column, operator, _ = condition
    is_short = (column in KEPT_SHORT and operator == "eq") or (
        column in CLICK_BITS and operator == "exists"
    )
    return column in HELD or is_short


def as_held(condition: Comparison, *, by: str) -> Where:
    """Say a condition by what the index over a column holds besides, if it does."""
    column, operator, value = condition
    if column in {by, *HELD} or not by or not is_held(condition):
        return compared(condition)
    if operator == "exists":
        return Where(f"r.clicks & {CLICK_BITS[column]} {'<>' if value else '='} 0")
    return Where(f"r.{column}_key = %s", (short_key(value),))


def held(query: RecordQuery) -> Where:
    if query.held_by is None:
        return EVERYBODY
    member_id, now = query.held_by
    if member_id is None:
        return Where("(r.owner_id IS NULL OR r.claimed_until <= %s)", (now,))
    return _held_by(member_id, now)


def _held_by(member_id: UUID, now: datetime) -> Where:
    is_held = "r.owner_id = %s AND (r.claimed_until IS NULL OR r.claimed_until > %s)"
    return Where(is_held, (member_id, now))


def count(condition: Where, *, at_most: int | None = None, source: str = "lead_records r") -> int:
    """Count leads, and stop at a number of them if one is given."""
    text, values = condition
    statement = f"SELECT count(*) FROM {source} WHERE {text}"  # noqa: S608 - names of ours
    if at_most is not None:
        first = f"SELECT FROM {source} WHERE {text} LIMIT {at_most}"
        statement = f"SELECT count(*) FROM ({first}) first"  # noqa: S608 - names of ours
    # Planned for each value: how common it is decides by which index leads are counted.
    row = driver().execute(statement, values, prepare=False).fetchone()
    assert row is not None
    return int(row[0])


def is_more_than(number: int, condition: Where) -> bool:
    """Say whether there are more leads than a number."""
    statement = f"SELECT 1 FROM lead_records r WHERE {condition.text} OFFSET {number} LIMIT 1"  # noqa: S608 - names of ours
    return driver().execute(statement, condition.values, prepare=False).fetchone() is not None


def estimate(condition: Where, source: str = "lead_records r") -> float:
    """Return about how many leads there are, as the planner sees it: a third of a millisecond."""
    statement = f"EXPLAIN (FORMAT JSON) SELECT FROM {source} WHERE {condition.text}"
    [[plan]] = driver().execute(statement, condition.values, prepare=False).fetchall()
    return float(plan[0]["Plan"]["Plan Rows"])


def read(
    condition: Where,
    orders: tuple[Order, ...],
    limit: int,
    offset: int,
    *,
    has_first: bool = True,
    source: str = "lead_records r",
    certain: Where = EVERYBODY,
) -> list[Record]:
    """Read leads in order; those found have what is sorted by first, unless said.

    `certain` is said of those on the page once more: short keys can be alike by chance.
    """
    order = order_by(orders, has_first=has_first)
    # The page is found in the index alone, as far as it can be; only its rows are read in full.
    statement = f"""
        SELECT {SELECTED}
        FROM (
            SELECT r.unit_id, r.lead_id FROM {source} WHERE {condition.text}
            ORDER BY {order} LIMIT %s OFFSET %s
        ) page
        JOIN lead_records r ON r.unit_id = page.unit_id AND r.lead_id = page.lead_id
        WHERE {certain.text}
        ORDER BY {order}
    """  # noqa: S608 - names of ours
    with driver().cursor(row_factory=dict_row) as cursor:
        bound = (*condition.values, limit, offset, *certain.values)
        rows = cursor.execute(statement, bound, prepare=False)
        return [record(row) for row in rows.fetchall()]


def first_of(
    condition: Where, orders: tuple[Order, ...], number: int, *, has_first: bool = True
) -> Where:
    """Say how the first leads in an order are read."""
    order = order_by(orders, has_first=has_first)
    text = f"SELECT r.* FROM lead_records r WHERE {condition.text} ORDER BY {order} LIMIT {number}"  # noqa: S608 - names of ours
    return Where(text, condition.values)


def first_alike(
    condition: Where, order: Order, number: int, *, source: Where | None = None
) -> Where:
    """Say how the first leads in an order are read, and all others that are alike to the last."""
    text, values = source or Where("lead_records")
    said = order_by((order,), has_first=True).rpartition(", ")[0]
    first = f"FETCH FIRST {number} ROWS WITH TIES"
    read = f"({text}) r" if source else f"{text} r"
    return Where(
        f"SELECT r.* FROM {read} WHERE {condition.text} ORDER BY {said} {first}",  # noqa: S608 - names of ours
        (*values, *condition.values),
    )


def read_by_id(scope: Scope, lead_ids: Sequence[str]) -> dict[str, Record]:
    """Return what is recorded of leads that stand for themselves, by lead."""
    statement = f"""
        SELECT {SELECTED} FROM lead_records r
        WHERE r.unit_id = %s AND r.lead_id = ANY(%s) AND r.is_listed
    """  # noqa: S608 - names of ours
    with driver().cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement, (scope.unit_id, list(lead_ids))).fetchall()
    return {row["lead_id"]: record(row) for row in rows}


def order_by(orders: Sequence[Order], *, has_first: bool) -> str:
    parts, first = [], orders[0]
    for order in orders:
        direction = "DESC" if order.is_descending else "ASC"
        # An index that holds only leads with a value is read in either direction.
        is_there = (has_first and order is first) or order.column in ALWAYS
        nulls = "" if is_there else " NULLS LAST"
        parts.append(f"r.{order.column} {direction}{nulls}")
    if len(orders) == 1 and first.column == "outcome":
        # As its index has them: a whole outcome would be sorted for a page of it otherwise.
        parts.append(f"r.created_at {'ASC' if first.is_descending else 'DESC'}")
    elif len(orders) == 1 and not has_first and first.column not in ALWAYS:
        parts.append(f"CASE WHEN r.{first.column} IS NULL THEN r.created_at END DESC NULLS LAST")
    # As the index has them that a list is walked by: within an outcome, the next order is first.
    leading = orders[1] if first.column == "outcome" and len(orders) > 1 else first
    is_backward = leading.is_descending is not (leading.column in _NEWEST_FIRST)
    return ", ".join((*parts, "r.lead_id DESC" if is_backward else "r.lead_id"))


def record(row: Mapping[str, Any]) -> Record:
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
