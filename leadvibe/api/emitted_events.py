"""What triggers emitted: lists of each kind, the newest first, and the same as CSV files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from leadvibe.api.answers import Counted, Csv
from leadvibe.api.fields import Instant, PageQuery, Text
from leadvibe.api.trigger_fields import shown_type
from leadvibe.engine.triggers import TriggerKind
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.spreadsheets import write_csv
from leadvibe.notifications.types import Happening
from leadvibe.triggers import queries
from leadvibe.triggers.types import EmittedEvent, EmittedFilter

Item = TypeVar("Item", bound="EmittedItem")


class EmittedSpan(BaseModel):
    """When, and for whom."""

    lead_id: Text | None = Field(None, description="Only those about this lead.")
    start: Instant | None = Field(None, description="Only those fired from then on.")
    end: Instant | None = Field(None, description="Only those fired before then.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.start and self.end and self.end <= self.start:
            raise PydanticCustomError("backwards", "must come after start", {"field": "end"})
        return self

    def read(self) -> EmittedFilter:
        return EmittedFilter(lead_id=self.lead_id, fired_from=self.start, fired_before=self.end)


class EmittedFields(EmittedSpan):
    """Which events of triggers are asked for."""

    trigger_id: UUID | None = Field(None, description="Only those of this trigger.")

    def read(self) -> EmittedFilter:
        return replace(super().read(), trigger_id=self.trigger_id)


class SequenceEventFields(EmittedSpan):
    """Which events of sequences are asked for."""

    sequence_id: UUID | None = Field(None, description="Only those of this sequence.")

    def read(self) -> EmittedFilter:
        return replace(super().read(), trigger_id=self.sequence_id)


class SurgeEventFields(EmittedFields):
    """Which events of surge triggers are asked for."""

    channel: Text = Field("", description="Only through this channel, such as web.")

    def read(self) -> EmittedFilter:
        return replace(super().read(), channel=self.channel.strip().lower() or None)


class EmittedQuery(PageQuery, EmittedFields):
    """Which page of which events of triggers."""


class SequenceEventsQuery(PageQuery, SequenceEventFields):
    """Which page of which events of sequences."""


class SurgeEventsQuery(PageQuery, SurgeEventFields):
    """Which page of which events of surge triggers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmittedItem:
    """A trigger fired. `occurred_at` is the event's time, `fired_at` when it was noticed.

    `cause_event_id` is null when that was no single event; `score` is what the lead had then.
    """

    id: UUID
    event: Happening
    lead_id: str
    score: int
    channel: str
    fired_at: datetime
    occurred_at: datetime
    cause_event_id: UUID | None
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneEventItem(EmittedItem):
    trigger_id: UUID
    trigger_name: str
    event_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceEventItem(EmittedItem):
    """`event_types` are those of the events that took part, in their order."""

    sequence_id: UUID
    sequence_name: str
    event_types: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternEventItem(EmittedItem):
    """`event_types` are those of the events that took part, in their order."""

    trigger_id: UUID
    trigger_name: str
    event_type: str
    event_types: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SurgeEventItem(EmittedItem):
    """`event_count` is how many events took part."""

    trigger_id: UUID
    trigger_name: str
    event_type: str
    event_count: int


def list_milestone_events(principal: Principal, query: EmittedQuery) -> Counted[MilestoneEventItem]:
    """What milestone triggers emitted, the newest first."""
    return _list(principal.scope, TriggerKind.MILESTONE, query, query, _milestone)


def export_milestone_events(principal: Principal, query: EmittedFields) -> Csv:
    """What milestone triggers emitted as a CSV file, the newest first."""
    return _export(principal.scope, TriggerKind.MILESTONE, query, _milestone, MilestoneEventItem)


def list_sequence_events(
    principal: Principal, query: SequenceEventsQuery
) -> Counted[SequenceEventItem]:
    """What sequence triggers emitted, the newest first."""
    return _list(principal.scope, TriggerKind.SEQUENCE, query, query, _sequence)


def export_sequence_events(principal: Principal, query: SequenceEventFields) -> Csv:
    """What sequence triggers emitted as a CSV file, the newest first."""
    return _export(principal.scope, TriggerKind.SEQUENCE, query, _sequence, SequenceEventItem)


def list_pattern_events(principal: Principal, query: EmittedQuery) -> Counted[PatternEventItem]:
    """What pattern triggers emitted, the newest first."""
    return _list(principal.scope, TriggerKind.PATTERN, query, query, _pattern)


def export_pattern_events(principal: Principal, query: EmittedFields) -> Csv:
    """What pattern triggers emitted as a CSV file, the newest first."""
    return _export(principal.scope, TriggerKind.PATTERN, query, _pattern, PatternEventItem)


def list_surge_events(principal: Principal, query: SurgeEventsQuery) -> Counted[SurgeEventItem]:
    """What surge triggers emitted, the newest first."""
    return _list(principal.scope, TriggerKind.SURGE, query, query, _surge)


def export_surge_events(principal: Principal, query: SurgeEventFields) -> Csv:
    """What surge triggers emitted as a CSV file, the newest first."""
    return _export(principal.scope, TriggerKind.SURGE, query, _surge, SurgeEventItem)


def _list(
    scope: Scope,
    kind: TriggerKind,
    wanted: EmittedSpan,
    page: PageQuery,
    show: Callable[[EmittedEvent], Item],
) -> Counted[Item]:
    found = queries.search_emitted(scope, kind, wanted.read(), page.request)
    return Counted([show(event) for event in found.items], found.total.count)


def _export(
    scope: Scope,
    kind: TriggerKind,
    wanted: EmittedSpan,
    show: Callable[[EmittedEvent], Item],
    item: type[Item],
) -> Csv:
    header, filter_ = tuple(each.name for each in fields(item)), wanted.read()

    def lines() -> Iterator[tuple[Any, ...]]:
        for event in queries.stream_emitted(scope, kind, filter_):
            shown = show(event)
            yield tuple(_cell(getattr(shown, name)) for name in header)

    return Csv(f"{kind}-events.csv", lambda: write_csv(header, lines()))


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return ", ".join(value) if isinstance(value, list) else value


def _shared(event: EmittedEvent) -> dict[str, Any]:
    return {
        "id": event.emitted_id,
        "event": event.event,
        "lead_id": event.lead_id,
        "score": event.score,
        "channel": event.channel,
        "fired_at": event.fired_at,
        "occurred_at": event.occurred_at,
        "cause_event_id": event.cause_event_id,
        "summary": event.summary,
    }


def _of_trigger(event: EmittedEvent) -> dict[str, Any]:
    return _shared(event) | {
        "trigger_id": event.trigger_id,
        "trigger_name": event.trigger_name,
        "event_type": shown_type(event.event_type),
    }


def _parts(event: EmittedEvent) -> list[str]:
    """Return the types of the events that took part."""
    return [it["event_type"] for it in event.details.get("events", ())]


def _milestone(event: EmittedEvent) -> MilestoneEventItem:
    return MilestoneEventItem(**_of_trigger(event))


def _sequence(event: EmittedEvent) -> SequenceEventItem:
    return SequenceEventItem(
        sequence_id=event.trigger_id,
        sequence_name=event.trigger_name,
        event_types=_parts(event),
        **_shared(event),
    )


def _pattern(event: EmittedEvent) -> PatternEventItem:
    return PatternEventItem(event_types=_parts(event), **_of_trigger(event))


def _surge(event: EmittedEvent) -> SurgeEventItem:
    return SurgeEventItem(
        event_count=event.details.get("count", len(_parts(event))), **_of_trigger(event)
    )
