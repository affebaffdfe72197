"""The intake of events, one or many at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, ValidationError, WithJsonSchema, model_validator

from leadvibe.api.params import invalid
from leadvibe.api.repeats import KEY_HEADER, read_key
from leadvibe.events.types import Arrival
from leadvibe.http.bodies import problems_of
from leadvibe.http.workers import ring_for_pipeline
from leadvibe.identity.types import Principal
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError, LeadvibeError
from leadvibe.pipeline import intake
from leadvibe.pipeline.intake import IncomingEvent

SOURCE = "api"
MOST_EVENTS = 1_000
LARGEST_BATCH_BYTES = 32 * 1024 * 1024
HEADERS = ((KEY_HEADER, "Stands for message_id: an event that comes twice counts once."),)
BATCH_HEADERS = (
    (KEY_HEADER, "With their place in the batch, it stands for the message_id of events."),
)


class IncomingBatch(BaseModel):
    """Many events at once, also as a bare list. Each is checked by itself: none stops another."""

    events: Annotated[
        list[Any],
        WithJsonSchema({
            "type": "array",
            "items": {"$ref": "#/components/schemas/IncomingEvent"},
            "minItems": 1,
            "maxItems": MOST_EVENTS,
        }),
    ] = Field(min_length=1, max_length=MOST_EVENTS)  # fmt: skip

    @model_validator(mode="before")
    @classmethod
    def _take_bare_list(cls, data: Any) -> Any:
        return {"events": data} if isinstance(data, list) else data


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """An event that is stored for good; its scores follow within moments."""

    message: str
    event_id: UUID
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchItem:
    """What became of one event of a batch, by its place in it."""

    index: int
    status: Literal["accepted", "rejected"]
    event_id: UUID | None = None
    error: str | None = None
    fields: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    message: str
    accepted: int
    rejected: int
    results: list[BatchItem]


def ingest(principal: Principal, body: IncomingEvent) -> Ingested:
    """Accept an event: once this answers 202 it is stored, and will be scored within moments."""
    event = _with_key(body, read_key())
    (arrival,) = intake.accept(principal.scope, [event], source=SOURCE, now=utc_now())
    ring_for_pipeline()
    return Ingested(message="event ingested", event_id=arrival.event_id, metadata=event.metadata)


def ingest_batch(principal: Principal, body: IncomingBatch) -> BatchResult:
    """Accept up to 1,000 events, each by itself; refused only when none of them is good."""
    now = utc_now()
    key = read_key()
    read = [
        _read(document, key and f"{key}/{index}", now=now)
        for index, document in enumerate(body.events)
    ]
    arrivals = [it for it in read if isinstance(it, Arrival)]
    if not arrivals:
        raise _all_refused(read)
    intake.post(principal.scope, arrivals)
    ring_for_pipeline()
    return BatchResult(
        message="events ingested",
        accepted=len(arrivals),
        rejected=len(read) - len(arrivals),
        results=[_result(index, it) for index, it in enumerate(read)],
    )


def _with_key(event: IncomingEvent, key: str | None) -> IncomingEvent:
    """Take the key for the event's message id, unless it has one itself."""
    if key is None or event.message_id is not None:
        return event
    return event.model_copy(update={"message_id": key})


def _read(document: Any, key: str | None, *, now: datetime) -> Arrival | LeadvibeError:
    try:
        event = _with_key(IncomingEvent.model_validate(document), key)
        return intake.arrive(event, source=SOURCE, now=now)
    except ValidationError as error:
        return invalid(problems_of(error))
    except LeadvibeError as error:
        return error


def _result(index: int, read: Arrival | LeadvibeError) -> BatchItem:
    if isinstance(read, Arrival):
        return BatchItem(index=index, status="accepted", event_id=read.event_id)
    return BatchItem(index=index, status="rejected", error=read.message, fields=read.fields)


def _all_refused(read: Sequence[Arrival | LeadvibeError]) -> InvalidError:
    return invalid({
        f"events.{index}.{field}": problem
        for index, error in enumerate(read)
        if isinstance(error, LeadvibeError)
        for field, problem in error.fields.items()
    })  # fmt: skip
