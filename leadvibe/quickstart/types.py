"""What is answered, what would be made of it, and what a quick start remembers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID

from leadvibe.engine.rules import Config
from leadvibe.segments.types import Segment, SegmentRule
from leadvibe.triggers.types import Trigger

MAKER = "quickstart"
"""Who is said to have made what a quick start makes."""

MAX_WEIGHT = 1000
"""Either way: far beyond the highest level that a template has."""

Body: TypeAlias = Mapping[str, Any]
"""What an item says, as JSON: two that are equal mean the same."""


class Part(StrEnum):
    """The kinds of things that a quick start makes, in the order in which they are shown."""

    RULE = "rule"
    FIT = "fit"
    ACCOUNT = "account"
    LEVELS = "levels"
    DECAY = "decay"
    FILTER = "filter"
    SEGMENT = "segment"
    TRIGGER = "trigger"


class Sensitivity(StrEnum):
    """How easily a lead is called hot."""

    FEW = "few"
    BALANCED = "balanced"
    MANY = "many"


class Standing(StrEnum):
    """What applying does about an item."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"
    SAME = "same"
    OFF = "off"
    KEEP = "keep"
    """Somebody made one of their own, which stays."""
    EDITED = "edited"
    """A quick start made it and somebody has changed it since; it stays as they left it."""
    GONE = "gone"
    """A quick start made it and somebody has deleted it since; it stays away."""

    @property
    def does_something(self) -> bool:
        return self in {self.ADD, self.CHANGE, self.REMOVE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """`off` and `weights` name items by their keys."""

    industry: str
    """The key of a scoring template."""
    event_types: tuple[str, ...] = ()
    sensitivity: Sensitivity = Sensitivity.BALANCED
    off: frozenset[str] = frozenset()
    weights: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something to make; `sentence` says what it does, and `weight` is None where it has none."""

    key: str
    part: Part
    title: str
    sentence: str
    body: Body

    @property
    def weight(self) -> int | None:
        weight: int | None = self.body.get("weight")
        return weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a quick start has made; the id only where others go by it."""

    body: Body
    id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """What a unit has now, and what of it a quick start has made, by key."""

    config: Config
    segments: tuple[tuple[Segment, tuple[SegmentRule, ...]], ...] = ()
    triggers: tuple[Trigger, ...] = ()
    made: Mapping[str, Made] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One item and what applying does about it; without one, it is what others made before."""

    item: Item
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    steps: tuple[Step, ...]

    def count(self, *standings: Standing) -> int:
        return sum(step.standing in standings for step in self.steps)

    @property
    def does_nothing(self) -> bool:
        return not any(step.standing.does_something for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A plan that is carried out; `version` is the configuration's afterwards."""

    plan: Plan
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickStart:
    """What a unit's quick start remembers; None and nothing before it was applied."""

    answers: Answers | None = None
    made: Mapping[str, Made] = field(default_factory=dict)
    applied_at: datetime | None = None
    applied_by: str = ""
    dismissed_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Say whether nobody needs to be led there any more."""
        return self.applied_at is not None or self.dismissed_at is not None
