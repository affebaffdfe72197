"""Orders: what leads bought, shown beside what they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Self
from uuid import uuid4

from pydantic import BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError, to_json

from leadvibe.api.answers import Counted
from leadvibe.api.fields import PageQuery, Text
from leadvibe.api.ranges import NamedRange, span_of
from leadvibe.events.orders import search_orders
from leadvibe.events.types import Order, OrderFilter
from leadvibe.identity.types import Principal
from leadvibe.leads.aliases import make_alias
from leadvibe.leads.queries import get_lead
from leadvibe.lib.clock import utc_now
from leadvibe.pipeline.intake import (
    CLOCK_SKEW,
    MAX_ALIASES,
    IncomingAlias,
    Moment,
    ShortText,
    check_metadata,
)
from leadvibe.pipeline.ordering import record_order

MOST_ITEMS = 500


class NewOrder(BaseModel):
    """Something a lead bought. The lead is named as in an event; unknown ones make a new lead."""

    order_id: ShortText | None = Field(
        None, description="Your own id; sent again, it replaces what was said of the order."
    )
    lead_id: ShortText | None = Field(None, description="The lead's id, when you know it.")
    aliases: list[IncomingAlias] = Field(default_factory=list, max_length=MAX_ALIASES)
    amount: Decimal = Field(
        max_digits=18, decimal_places=4, description="In whole units of the currency: 49.90."
    )
    currency: Annotated[
        str, StringConstraints(strip_whitespace=True, to_upper=True, pattern="^[A-Za-z]{3}$")
    ] = Field(description="Three letters, such as EUR.")
    status: ShortText = Field("completed", description="Such as paid, shipped or refunded.")
    ordered_at: Moment | None = Field(None, description="When; now when left out.")
    items: list[dict[str, Any]] = Field(
        default_factory=list, max_length=MOST_ITEMS, description="What it consists of."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.lead_id is None and not self.aliases:
            raise PydanticCustomError(
                "no_identity",
                "is missing: name the lead by lead_id or by at least one of aliases",
                {"field": "aliases"},
            )
        return self


class OrdersQuery(PageQuery):
    """Which page of which orders."""

    lead_id: Text | None = Field(None, description="Only orders of this lead.")
    status: Text | None = Field(None, description="Only orders of this status.")
    range: NamedRange = Field(NamedRange.ALL, description="Only orders made within it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderItem:
    """An order. `original_lead_id` is whose it was before leads were merged."""

    order_id: str
    lead_id: str
    amount: float
    currency: str
    status: str
    ordered_at: datetime
    created_at: datetime
    items: Sequence[Mapping[str, Any]]
    original_lead_id: str | None


def list_orders(principal: Principal, query: OrdersQuery) -> Counted[OrderItem]:
    """The unit's orders, the latest first."""
    scope = principal.scope
    span = span_of(query.range, now=utc_now())
    lead_id = None if query.lead_id is None else get_lead(scope, query.lead_id).lead_id
    wanted = OrderFilter(lead_id, query.status, span.start, span.end)
    page = search_orders(scope, wanted, query.request)
    return Counted([_item(order) for order in page.items], page.total.count)


def create_order(principal: Principal, body: NewOrder) -> OrderItem:
    """Record an order, or what has become of one: it is shown with the lead and never scored."""
    check_metadata(to_json(body.items))
    now = utc_now()
    ordered_at = body.ordered_at or now
    order = record_order(
        principal.scope,
        order_id=body.order_id or f"or_{uuid4().hex}",
        lead_id=body.lead_id,
        aliases=tuple(make_alias(it.alias_kind, it.raw_value) for it in body.aliases),
        amount=body.amount,
        currency=body.currency,
        status=body.status,
        ordered_at=now if ordered_at > now + CLOCK_SKEW else ordered_at,
        items=body.items,
        now=now,
    )
    return _item(order)


def _item(order: Order) -> OrderItem:
    return OrderItem(
        order_id=order.order_id,
        lead_id=order.lead_id,
        amount=float(order.amount),
        currency=order.currency,
        status=order.status,
        ordered_at=order.ordered_at,
        created_at=order.received_at,
        items=order.items,
        original_lead_id=order.original_lead_id,
    )
