"""What triggers are: the shapes they look for, how often they fire, and for whom.

Values only, with nothing of how they work: engine.patterns finds shapes, engine.firing decides.
A shape, filters and destinations turn into JSON and back as one, see `to_json` and `shape_of`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID

from pydantic import TypeAdapter

from leadvibe.engine.policies import FieldTest

ANY_TYPE = ""
"""The event type that stands for all of them."""


class TriggerKind(StrEnum):
    MILESTONE = "milestone"
    SEQUENCE = "sequence"
    PATTERN = "pattern"
    SURGE = "surge"


class FireMode(StrEnum):
    """For one lead: the first time only, or each time."""

    ONCE = "once"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Milestone:
    """The score in a ruleset, the primary one when none is named, rises to the threshold."""

    score_threshold: int
    event_type: str = ANY_TYPE
    ruleset_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """An event of a type whose metadata meets all tests."""

    event_type: str = ANY_TYPE
    tests: tuple[FieldTest, ...] = ()


@dataclass(frozen=True, slots=True)
class Sequence:
    """All steps within a window, each by an event of its own; in their order if `ordered`."""

    steps: tuple[Step, ...]
    window_seconds: int
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    """At least so many events that meet a step."""

    step: Step
    min_count: int = 1


@dataclass(frozen=True, slots=True)
class Pattern:
    """All counts within one window; an event may count for several."""

    counts: tuple[Count, ...]
    window_seconds: int


@dataclass(frozen=True, slots=True)
class Surge:
    """So many events of a type, or of any, within a window."""

    threshold_count: int
    window_seconds: int
    event_type: str = ANY_TYPE


Shape: TypeAlias = Milestone | Sequence | Pattern | Surge

_ADAPTERS: Mapping[TriggerKind, TypeAdapter[Any]] = {
    TriggerKind.MILESTONE: TypeAdapter(Milestone),
    TriggerKind.SEQUENCE: TypeAdapter(Sequence),
    TriggerKind.PATTERN: TypeAdapter(Pattern),
    TriggerKind.SURGE: TypeAdapter(Surge),
}


def shape_of(kind: TriggerKind, data: Mapping[str, Any]) -> Shape:
    """Read the shape of a trigger of a kind, as `to_json` wrote it."""
    shape: Shape = _ADAPTERS[kind].validate_python(data)
    return shape


@dataclass(frozen=True, slots=True)
class Filters:
    """Whom a trigger fires for: by level, where any are named, and by attributes, all of them."""

    engagement_levels: tuple[str, ...] = ()
    profile_levels: tuple[str, ...] = ()
    account_levels: tuple[str, ...] = ()
    profile_tests: tuple[FieldTest, ...] = ()
    attribute_tests: tuple[FieldTest, ...] = ()


FILTERS: TypeAdapter[Filters] = TypeAdapter(Filters)

_WRITERS: Mapping[Any, TypeAdapter[Any]] = {
    Milestone: _ADAPTERS[TriggerKind.MILESTONE],
    Sequence: _ADAPTERS[TriggerKind.SEQUENCE],
    Pattern: _ADAPTERS[TriggerKind.PATTERN],
    Surge: _ADAPTERS[TriggerKind.SURGE],
    Filters: FILTERS,
}


def to_json(value: Shape | Filters) -> dict[str, Any]:
    """Return a shape or filters as JSON can hold them."""
    written: dict[str, Any] = _WRITERS[type(value)].dump_python(value, mode="json")
    return written


def window_of(shape: Shape) -> timedelta:
    """Return how far back a shape looks; nowhere for a milestone."""
    seconds = 0 if isinstance(shape, Milestone) else shape.window_seconds
    return timedelta(seconds=seconds)


def types_of(shape: Shape) -> frozenset[str]:
    """Return the event types that may take part, ANY_TYPE among them if all may."""
    if isinstance(shape, Sequence):
        return frozenset(step.event_type for step in shape.steps)
    if isinstance(shape, Pattern):
        return frozenset(count.step.event_type for count in shape.counts)
    return frozenset({shape.event_type})
