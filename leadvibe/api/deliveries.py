"""Deliveries: what was sent to whom, how each attempt went, and sending it again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from leadvibe.api.answers import Counted
from leadvibe.api.fields import DeliveryId, PageQuery, Text
from leadvibe.http.workers import job_queue
from leadvibe.identity.types import Principal
from leadvibe.lib.clock import utc_now
from leadvibe.notifications import deliveries, queries
from leadvibe.notifications.addresses import shown_address
from leadvibe.notifications.types import (
    AttemptOutcome,
    Delivery,
    DeliveryAttempt,
    DeliveryFilter,
    DeliveryState,
    Happening,
    Transport,
)


class DeliveryQuery(PageQuery):
    """Which deliveries, and which page of them."""

    state: DeliveryState | None = Field(
        None, description="waiting, delivered, failed, or folded into another."
    )
    transport: Transport | None = Field(None, description="webhook, email, slack and so on.")
    trigger_id: UUID | None = Field(None, description="Of this trigger alone.")
    lead_id: Text | None = Field(None, description="About this lead alone.")
    destination_id: UUID | None = Field(None, description="To this destination alone.")

    @property
    def filter(self) -> DeliveryFilter:
        return DeliveryFilter(
            state=self.state,
            transport=self.transport,
            trigger_id=self.trigger_id,
            lead_id=self.lead_id,
            destination_id=self.destination_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryItem:
    """A notice on its way to a destination, or there. `due_at` is its next attempt, if any.

    `address` hides what in it is secret; `recipient` is the member it is personal to.
    """

    delivery_id: UUID
    event: Happening
    destination_id: UUID
    transport: Transport
    address: str
    channel_id: UUID | None
    trigger_id: UUID | None
    trigger_name: str
    lead_id: str
    lead_name: str
    recipient: str | None
    state: DeliveryState
    attempts: int
    problem: str | None
    created_at: datetime
    due_at: datetime | None
    finished_at: datetime | None
    folded_into: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptItem:
    """One attempt, with the beginning of what was said and answered."""

    attempt: int
    started_at: datetime
    milliseconds: int
    outcome: AttemptOutcome
    status: int | None
    problem: str | None
    request: str
    response: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryDetail:
    """A delivery with its attempts, the first of them first, and with the notice that it tells."""

    delivery_id: UUID
    event: Happening
    destination_id: UUID
    transport: Transport
    address: str
    channel_id: UUID | None
    trigger_id: UUID | None
    trigger_name: str
    lead_id: str
    lead_name: str
    recipient: str | None
    state: DeliveryState
    attempts: list[AttemptItem]
    problem: str | None
    created_at: datetime
    due_at: datetime | None
    finished_at: datetime | None
    folded_into: UUID | None
    notice: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resent:
    message: str
    delivery_id: UUID


def list_deliveries(principal: Principal, query: DeliveryQuery) -> Counted[DeliveryItem]:
    """The unit's deliveries, the newest first."""
    scope, wanted = principal.scope, query.filter
    found = queries.list_deliveries(scope, wanted, query.request)
    items = [DeliveryItem(**_shown(it), attempts=it.attempts) for it in found]
    return Counted(items, queries.count_deliveries(scope, wanted))


def get_delivery(principal: Principal, delivery_id: DeliveryId) -> DeliveryDetail:
    """A delivery, what was said and answered at each attempt, and what is told."""
    scope = principal.scope
    found = queries.get_delivery(scope, delivery_id)
    return DeliveryDetail(
        **_shown(found),
        attempts=[_attempt(it) for it in queries.list_attempts(scope, delivery_id)],
        notice=queries.get_notice_document(scope, found.notice_id),
    )


def resend(principal: Principal, delivery_id: DeliveryId) -> Resent:
    """Send a delivery again under its id, whatever became of it; one that waits is tried now."""
    deliveries.resend(principal.scope, delivery_id, now=utc_now())
    deliveries.ring_for_deliveries(job_queue())
    return Resent(message="delivery is on its way again", delivery_id=delivery_id)


def _shown(delivery: Delivery) -> dict[str, Any]:
    return {
        "delivery_id": delivery.delivery_id,
        "event": delivery.event,
        "destination_id": delivery.destination_id,
        "transport": delivery.transport,
        "address": shown_address(delivery.transport, delivery.address),
        "channel_id": delivery.channel_id,
        "trigger_id": delivery.trigger_id,
        "trigger_name": delivery.trigger_name,
        "lead_id": delivery.lead_id,
        "lead_name": delivery.lead_name,
        "recipient": delivery.recipient,
        "state": delivery.state,
        "problem": delivery.problem,
        "created_at": delivery.created_at,
        "due_at": delivery.due_at,
        "finished_at": delivery.finished_at,
        "folded_into": delivery.folded_into,
    }


def _attempt(attempt: DeliveryAttempt) -> AttemptItem:
    return AttemptItem(
        attempt=attempt.attempt,
        started_at=attempt.started_at,
        milliseconds=attempt.milliseconds,
        outcome=attempt.outcome,
        status=attempt.status,
        problem=attempt.problem,
        request=attempt.request,
        response=attempt.response,
    )
