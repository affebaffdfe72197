"""What leads bought: kept beside their events, shown with them, and never scored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic_core import to_json

from leadvibe.events.types import Order, OrderFilter
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver
from leadvibe.lib.paging import Page, PageRequest, Total

_COLUMNS = """
    order_id, lead_id, original_lead_id, amount, currency, status, ordered_at, received_at, items
"""


def save_order(
    scope: Scope,
    lead_id: str,
    order_id: str,
    *,
    amount: Decimal,
    currency: str,
    status: str,
    ordered_at: datetime,
    items: list[dict[str, Any]],
    now: datetime,
) -> Order:
    """Store an order, or put it in the place of what was said of it before."""
    statement = f"""
        INSERT INTO orders (unit_id, {_COLUMNS})
        VALUES (%s, %s, %s, NULL, %s, %s, %s, %s, %s, %s::jsonb)
        ON CONFLICT (unit_id, order_id) DO UPDATE SET
            lead_id = excluded.lead_id,
            original_lead_id = CASE WHEN orders.lead_id = excluded.lead_id
                                    THEN orders.original_lead_id END,
            amount = excluded.amount, currency = excluded.currency, status = excluded.status,
            ordered_at = excluded.ordered_at, items = excluded.items
        RETURNING {_COLUMNS}
    """  # noqa: S608 - names of ours
    document = to_json(items).decode()
    values = (order_id, lead_id, amount, currency, status, ordered_at, now, document)
    row = driver().execute(statement, (scope.unit_id, *values)).fetchone()
    assert row is not None
    return Order(*row)


def search_orders(scope: Scope, wanted: OrderFilter, request: PageRequest) -> Page[Order]:
    """Return one page of orders, the latest first, with the exact total."""
    items = list(_read(scope, wanted, limit=request.size, offset=request.offset))
    return Page(items, Total(_count(scope, wanted)), request)


def list_orders(scope: Scope, wanted: OrderFilter, *, limit: int) -> list[Order]:
    """Return the latest orders, the last one first."""
    return list(_read(scope, wanted, limit=limit))


def list_history(
    scope: Scope,
    lead_id: str,
    *,
    limit: int,
    before: datetime | None = None,
    behind: tuple[datetime, str] | None = None,
) -> list[Order]:
    """Return what a lead ordered, the latest first: before an instant, or from behind an order."""
    at, order_id = behind or (None, None)
    statement = f"""
        SELECT {_COLUMNS} FROM orders
        WHERE unit_id = %(unit)s AND lead_id = %(lead)s
          AND (%(before)s::timestamptz IS NULL OR ordered_at < %(before)s)
          AND (%(at)s::timestamptz IS NULL OR (ordered_at, order_id) < (%(at)s, %(id)s::text))
        ORDER BY ordered_at DESC, order_id DESC LIMIT %(limit)s
    """  # noqa: S608 - names of ours
    bound = {
        "unit": scope.unit_id,
        "lead": lead_id,
        "before": before,
        "at": at,
        "id": order_id,
        "limit": limit,
    }
    return [Order(*row) for row in driver().execute(statement, bound)]


def find_first_since(scope: Scope, since: Mapping[str, datetime]) -> dict[str, datetime]:
    """Return when each lead ordered for the first time since an instant of its own, if it did."""
    statement = """
        SELECT o.lead_id, min(o.ordered_at)
        FROM unnest(%s::text[], %s::timestamptz[]) AS wanted (lead_id, since)
        JOIN orders o ON o.unit_id = %s AND o.lead_id = wanted.lead_id
            AND o.ordered_at >= wanted.since
        GROUP BY o.lead_id
    """
    bound = (list(since), list(since.values()), scope.unit_id)
    return dict(driver().execute(statement, bound).fetchall())


def _read(scope: Scope, wanted: OrderFilter, *, limit: int, offset: int = 0) -> Iterator[Order]:
    statement = f"""
        SELECT {_COLUMNS} FROM orders WHERE {_conditions(wanted)}
        ORDER BY ordered_at DESC, order_id LIMIT %(limit)s OFFSET %(offset)s
    """  # noqa: S608 - text of ours
    bound = {"unit": scope.unit_id, **wanted._asdict(), "limit": limit, "offset": offset}
    yield from (Order(*row) for row in driver().execute(statement, bound))


def _count(scope: Scope, wanted: OrderFilter) -> int:
    statement = f"SELECT count(*) FROM orders WHERE {_conditions(wanted)}"  # noqa: S608 - text of ours
    row = driver().execute(statement, {"unit": scope.unit_id, **wanted._asdict()}).fetchone()
    assert row is not None
    return int(row[0])


_TESTS = {
    "lead_id": "lead_id = %(lead_id)s",
    "status": "status = %(status)s",
    "ordered_from": "ordered_at >= %(ordered_from)s",
    "ordered_before": "ordered_at < %(ordered_before)s",
}


def _conditions(wanted: OrderFilter) -> str:
    given = (name for name, value in wanted._asdict().items() if value is not None)
    return " AND ".join(["unit_id = %(unit)s", *(_TESTS[name] for name in given)])
