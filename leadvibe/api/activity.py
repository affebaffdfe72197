"""A lead's activity in one stream, and the channels it may have come through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from leadvibe.api.fields import LARGEST_INTEGER, Instant, Text
from leadvibe.api.ranges import NamedRange, Span, span_of
from leadvibe.events import channels
from leadvibe.events.types import Order
from leadvibe.explain.activity import ActivityFilter, ScoredEvent
from leadvibe.explain.activity import list_activity as read_activity
from leadvibe.identity.types import Principal
from leadvibe.leads.queries import get_lead
from leadvibe.lib.clock import utc_now

ALL = "all"
MOST_AT_ONCE = 5_000


class ActivityRange(StrEnum):
    """A named range, or one of one's own."""

    ALL = NamedRange.ALL.value
    TODAY = NamedRange.TODAY.value
    YESTERDAY = NamedRange.YESTERDAY.value
    LAST_24H = NamedRange.LAST_24H.value
    LAST_7D = NamedRange.LAST_7D.value
    LAST_30D = NamedRange.LAST_30D.value
    LAST_90D = NamedRange.LAST_90D.value
    CUSTOM = "custom"


class ActivityQuery(BaseModel):
    """Which part of a lead's activity is asked for. The range is about orders, too."""

    range: ActivityRange = Field(ActivityRange.LAST_7D, description="When it happened.")
    start: Instant | None = Field(None, description="With range=custom: from then on.")
    end: Instant | None = Field(None, description="With range=custom: until just before then.")
    channel: Text = Field(ALL, description="Only events of this channel.")
    min_score: int | None = Field(
        None,
        alias="minScore",
        ge=0,
        le=LARGEST_INTEGER,
        description="Only events with at least so many points in the primary ruleset.",
    )
    max_latency: int | None = Field(
        None,
        alias="maxLatency",
        ge=1,
        le=2**53,
        description="Only events that came in at most so many milliseconds after they happened.",
    )
    has_delta: Literal["1", "true", "0", "false"] = Field(
        "0", alias="hasDelta", description="Only events that changed a score."
    )
    limit: int = Field(
        1_000, ge=1, le=MOST_AT_ONCE, description="How many events, and orders, at most."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.range is not ActivityRange.CUSTOM:
            return self
        for field, value in (("start", self.start), ("end", self.end)):
            if value is None:
                raise PydanticCustomError(
                    "incomplete", "is missing: range=custom needs it", {"field": field}
                )
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise PydanticCustomError("backwards", "must come after start", {"field": "end"})
        return self

    def read(self, *, now: datetime) -> ActivityFilter:
        span = self._span(now=now)
        return ActivityFilter(
            occurred_from=span.start,
            occurred_before=span.end,
            channel=None if self.channel == ALL else self.channel.strip().lower(),
            min_score=self.min_score,
            max_latency_ms=self.max_latency,
            has_delta=self.has_delta in {"1", "true"},
        )

    def _span(self, *, now: datetime) -> Span:
        if self.range is ActivityRange.CUSTOM:
            return Span(self.start, self.end)
        return span_of(NamedRange(self.range.value), now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityEvent:
    """An event; `score_delta` is what it gave in the primary ruleset, null if no rule scored it.

    What Leadvibe wrote itself, such as DECAY, is in the channel `system`.
    """

    type: Literal["event"]
    id: UUID
    lead_id: str | None
    event_type: str
    timestamp: datetime
    created_at: datetime
    metadata: Mapping[str, Any]
    channel: str
    suppressed: bool
    suppression_reason: str | None
    original_lead_id: str | None
    score_delta: int | None
    latency_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityOrder:
    """Something the lead bought: shown beside its events, and never scored."""

    type: Literal["order"]
    order_id: str
    lead_id: str
    timestamp: datetime
    amount: float
    currency: str
    status: str
    items: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityStream:
    """The latest first; `has_more` says that there is older activity than fits."""

    events: list[ActivityEvent]
    orders: list[ActivityOrder]
    timeline: list[ActivityEvent | ActivityOrder]
    has_more: bool


def list_activity(principal: Principal, lead_id: str, query: ActivityQuery) -> ActivityStream:
    """What a lead did and bought: its events, its orders, and both in one timeline."""
    scope = principal.scope
    lead = get_lead(scope, lead_id)
    found = read_activity(scope, lead.lead_id, query.read(now=utc_now()), limit=query.limit)
    events = [_event(one) for one in found.events]
    orders = [_order(one) for one in found.orders]
    timeline: list[ActivityEvent | ActivityOrder] = [*events, *orders]
    timeline.sort(key=lambda it: it.timestamp, reverse=True)
    return ActivityStream(
        events=events,
        orders=orders,
        timeline=timeline[: query.limit],
        has_more=found.has_more or len(timeline) > query.limit,
    )


def list_channels(principal: Principal) -> list[str]:
    """The channels that events of the unit have come through."""
    return channels.list_channels(principal.scope)


def _event(one: ScoredEvent) -> ActivityEvent:
    event = one.event
    return ActivityEvent(
        type="event",
        id=event.event_id,
        lead_id=event.lead_id,
        event_type=event.event_type,
        timestamp=event.occurred_at,
        created_at=event.received_at,
        metadata=event.metadata,
        channel=event.channel,
        suppressed=event.suppression_reason is not None,
        suppression_reason=event.suppression_reason,
        original_lead_id=event.original_lead_id,
        score_delta=one.delta,
        latency_ms=one.latency_ms,
    )


def _order(order: Order) -> ActivityOrder:
    return ActivityOrder(
        type="order",
        order_id=order.order_id,
        lead_id=order.lead_id,
        timestamp=order.ordered_at,
        amount=float(order.amount),
        currency=order.currency,
        status=order.status,
        items=order.items,
    )
