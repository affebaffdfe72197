"""Reasons behind scores, as front ends show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from leadvibe.engine.explain import Explanation, RuleInForce, Step
from leadvibe.engine.facts import Entry
from leadvibe.scoring.types import Ruleset


class Window(NamedTuple):
    """The time that is explained, both ends included; None leaves an end open.

    An open beginning is the lead's first event; an open end takes in events dated ahead of now.
    """

    since: datetime | None = None
    until: datetime | None = None


class RulesetDelta(NamedTuple):
    """What one event did to a lead's score in one ruleset."""

    ruleset_id: UUID
    ruleset_name: str
    rule_id: UUID | None
    before: int
    delta: int
    after: int
    base_weight: int
    multiplier_percent: int


@dataclass(frozen=True, slots=True)
class EventExplanation:
    """What one event did to its lead's scores; no deltas when no rule scores it."""

    event_id: UUID
    lead_id: str | None
    event_type: str
    occurred_at: datetime
    rulesets: tuple[RulesetDelta, ...]


@dataclass(frozen=True, slots=True)
class ScoreExplanation:
    """A lead's score in one ruleset, broken into steps that end in it.

    `since` None means all time. `event_types` names the type of every event an entry came from.
    """

    ruleset: Ruleset | None
    score: int
    since: datetime | None
    steps: tuple[Step, ...]
    event_types: Mapping[UUID, str]

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(entry for step in self.steps for entry in step.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowExplanation:
    """Why a lead's score in a ruleset moved as it did within a window.

    `score` is the one at the window's end, where the steps end; `rules_in_force` are those of that
    instant. `suppressed` events are the ones that filters took out.
    """

    score: int
    ruleset_id: UUID | None
    window: Explanation
    rules_in_force: tuple[RuleInForce, ...]
    steps: tuple[Step, ...]
    suppressed: int
