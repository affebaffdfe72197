"""Reasons behind scores, as front ends show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from leadvibe.engine.explain import Explanation, RuleInForce, Step
from leadvibe.scoring.movements import EntryGroup


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanExplanation:
    """How a score came about: `opening` and what the groups did add up to `score`."""

    score: int
    opening: int
    groups: tuple[EntryGroup, ...]


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
