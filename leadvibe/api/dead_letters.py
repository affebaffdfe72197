"""Events that were accepted and could not be processed: look, retry, discard."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import from_json

from leadvibe.api.answers import Counted
from leadvibe.api.fields import DeadLetterReceipt, PageQuery
from leadvibe.events import queries, service
from leadvibe.events.types import DeadLetter
from leadvibe.http.workers import ring_for_pipeline
from leadvibe.identity.types import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterItem:
    """An event that could not be processed, with the reason and what was sent."""

    receipt: int
    event_id: UUID
    source: str
    error: str
    received_at: datetime
    failed_at: datetime
    event: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    message: str
    event_id: UUID


def list_dead_letters(principal: Principal, query: PageQuery) -> Counted[DeadLetterItem]:
    """The unit's failed events, the latest failure first."""
    scope, page = principal.scope, query.request
    found = queries.list_dead_letters(scope, limit=page.size, offset=page.offset)
    return Counted([_item(letter) for letter in found], queries.count_dead_letters(scope))


def retry(principal: Principal, receipt: DeadLetterReceipt) -> Retried:
    """Put a failed event back into the queue."""
    letter = queries.get_dead_letter(principal.scope, receipt)
    service.retry_dead_letter(principal.scope, receipt)
    ring_for_pipeline()
    return Retried(message="event queued again", event_id=letter.event_id)


def discard(principal: Principal, receipt: DeadLetterReceipt) -> None:
    """Throw a failed event away for good."""
    service.discard_dead_letter(principal.scope, receipt)


def _item(letter: DeadLetter) -> DeadLetterItem:
    return DeadLetterItem(
        receipt=letter.receipt,
        event_id=letter.event_id,
        source=letter.source,
        error=letter.error,
        received_at=letter.received_at,
        failed_at=letter.failed_at,
        event=from_json(letter.payload),
    )
