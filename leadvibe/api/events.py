"""Events: lists, exports, explanations and deletion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AliasChoices, BaseModel, Field
from pydantic_core import PydanticCustomError

from leadvibe.api.answers import Counted, Csv
from leadvibe.api.fields import EventId, PageQuery, Text
from leadvibe.api.ranges import NamedRange, span_of
from leadvibe.events import queries
from leadvibe.events.types import Event, EventFilter
from leadvibe.explain.queries import explain_event
from leadvibe.explain.types import RulesetDelta
from leadvibe.identity.types import Principal, Scope
from leadvibe.leads.queries import get_lead
from leadvibe.lib.clock import utc_now
from leadvibe.lib.spreadsheets import write_csv
from leadvibe.pipeline import deletion

MOST_DELETED_AT_ONCE = 500
EXPORT_HEADER = ("id", "lead_id", "event_type", "timestamp")


def _key_and_value(text: str) -> str:
    if not text.partition(":")[0] or ":" not in text:
        raise PydanticCustomError("pair", "must be key:value, such as utm_campaign:fall2025")
    return text


Pair = Annotated[Text, AfterValidator(_key_and_value)]


class EventsFilter(BaseModel):
    """Which events are asked for."""

    metadata: list[Pair] = Field(
        default_factory=list,
        max_length=20,
        description="key:value pairs; a value also matches the number or truth value it spells.",
    )
    logic: Literal["and", "or"] = Field("and", description="How metadata pairs combine.")
    event_type: Text | None = Field(None, description="Only this event type.")
    lead_id: Text | None = Field(None, description="Only events of this lead.")
    range: NamedRange = Field(NamedRange.ALL, description="Only events that happened within it.")

    def read(self, *, now: datetime) -> EventFilter:
        span = span_of(self.range, now=now)
        pairs = (text.partition(":") for text in self.metadata)
        return EventFilter(
            event_type=self.event_type,
            lead_id=self.lead_id,
            occurred_from=span.start,
            occurred_before=span.end,
            metadata=tuple((key, value) for key, _, value in pairs),
            any_metadata=self.logic == "or",
        )


class EventsQuery(PageQuery, EventsFilter):
    """Which page of which events."""


class LeadEventsQuery(PageQuery):
    """Which page of a lead's events."""

    event_type: Text | None = Field(None, description="Only this event type.")


class Deletion(BaseModel):
    """Which events to delete."""

    ids: list[UUID] = Field(
        validation_alias=AliasChoices("ids", "event_ids"),
        min_length=1,
        max_length=MOST_DELETED_AT_ONCE,
        description="Ids of events; those that are unknown are passed over.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventItem:
    """An event. `suppression_reason` is null for one that counts.

    `lead_id` is null for a suppressed event that names nobody we know.
    """

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


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesetImpact:
    """What one event did to its lead's score in one ruleset."""

    ruleset_id: UUID
    ruleset_name: str
    rule_id: UUID | None
    before: int
    delta: int
    after: int
    base_weight: int
    multiplier: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EventImpact:
    """What one event did to its lead's scores; empty when no rule scores it."""

    event_id: UUID
    lead_id: str | None
    event_type: str
    occurred_at: datetime
    rulesets: list[RulesetImpact]


@dataclass(frozen=True, slots=True)
class Deleted:
    deleted: int


def list_events(principal: Principal, query: EventsQuery) -> Counted[EventItem]:
    """The unit's events, the newest first."""
    page = queries.search_events(principal.scope, query.read(now=utc_now()), query.request)
    return Counted([_item(event) for event in page.items], page.total.count)


def list_lead_events(
    principal: Principal, lead_id: str, query: LeadEventsQuery
) -> Counted[EventItem]:
    """A lead's events, the newest first."""
    lead = get_lead(principal.scope, lead_id)
    wanted = EventFilter(lead_id=lead.lead_id, event_type=query.event_type)
    page = queries.search_events(principal.scope, wanted, query.request)
    return Counted([_item(event) for event in page.items], page.total.count)


def export_events(principal: Principal, query: EventsFilter) -> Csv:
    """All matching events as a CSV file, the newest first."""
    scope, wanted = principal.scope, query.read(now=utc_now())
    return Csv("events.csv", lambda: write_events(scope, wanted))


def delete_events(principal: Principal, body: Deletion) -> Deleted:
    """Delete events for good; the scores of their leads become what they were without them.

    What Leadvibe wrote itself, such as DECAY, is passed over: it follows from the others.
    """
    return Deleted(deletion.delete_events(principal.scope, body.ids, now=utc_now()))


def explain(principal: Principal, event_id: EventId) -> EventImpact:
    """What the event did to its lead's score in every ruleset."""
    found = explain_event(principal.scope, event_id)
    return EventImpact(
        event_id=found.event_id,
        lead_id=found.lead_id,
        event_type=found.event_type,
        occurred_at=found.occurred_at,
        rulesets=[_impact(delta) for delta in found.rulesets],
    )


def write_events(scope: Scope, wanted: EventFilter) -> Iterator[str]:
    """Yield CSV text of matching events, as they are read."""
    return write_csv(EXPORT_HEADER, _lines(scope, wanted))


def _lines(scope: Scope, wanted: EventFilter) -> Iterator[tuple[str, str, str, str]]:
    for line in queries.stream_lines(scope, wanted):
        yield str(line.event_id), line.lead_id or "", line.event_type, _written(line.occurred_at)


def _written(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _item(event: Event) -> EventItem:
    return EventItem(
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
    )


def _impact(delta: RulesetDelta) -> RulesetImpact:
    return RulesetImpact(
        ruleset_id=delta.ruleset_id,
        ruleset_name=delta.ruleset_name,
        rule_id=delta.rule_id,
        before=delta.before,
        delta=delta.delta,
        after=delta.after,
        base_weight=delta.base_weight,
        multiplier=delta.multiplier_percent / 100,
    )
