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
    lead_id: str
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
class RecentExplanation:
    """Why a lead's headline score moved as it did lately, and what it would move by now."""

    score: int
    ruleset_id: UUID | None
    recent: Explanation
    rules_in_force: tuple[RuleInForce, ...]
    steps: tuple[Step, ...]
