"""A trigger that fires for a lead: what is known of it before it is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from leadvibe.engine.firing import Key
from leadvibe.engine.patterns import Match
from leadvibe.engine.triggers import Milestone, Pattern, Sequence, Surge
from leadvibe.notifications.types import Happening
from leadvibe.triggers.types import HAPPENINGS, Trigger

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """`key` is the place of the event at which the trigger was satisfied, `cause` the new one."""

    trigger: Trigger
    lead_id: str
    cause_id: UUID
    event_type: str
    occurred_at: datetime
    received_at: datetime
    channel: str
    key: Key
    score: int | None = None
    """What a milestone's score came to; None for what is not about a score."""
    details: dict[str, Any] = field(default_factory=dict)
    happening: Happening | None = None
    """What is said of it when it is not what the trigger is for."""
    is_told: bool = True
    """Nobody is told of what is made up, and it fired when its event is said to have happened."""

    @property
    def event(self) -> Happening:
        return self.happening or HAPPENINGS[self.trigger.kind]


def details_of(match: Match) -> dict[str, Any]:
    """Return the events that completed a shape, as JSON can hold them."""
    return {
        "events": [
            {
                "event_id": str(act.event_id),
                "event_type": act.event_type,
                "timestamp": act.occurred_at.isoformat(),
            }
            for act in match.acts[-MOST_EVENTS_TOLD:]
        ],
        "count": len(match.acts),
    }


MOST_EVENTS_TOLD = 20
"""Of a match: the last of them, and how many there were."""


def summarise(firing: Firing) -> str:
    """Say in a sentence without its subject what the lead did."""
    shape = firing.trigger.shape
    if isinstance(shape, Milestone):
        if firing.event is Happening.MILESTONE_EXITED:
            return f"fell below {shape.score_threshold} points, to {firing.score}"
        return f"reached {firing.score} points"
    window = spell_window(shape.window_seconds)
    if isinstance(shape, Sequence):
        types = (step.event_type for step in shape.steps)
        joined = ", then ".join(types) if shape.ordered else _listed(types)
        return f"did {joined} within {window}"
    if isinstance(shape, Surge):
        what = f"{shape.event_type} events" if shape.event_type else "events"
        return f"had {shape.threshold_count} {what} within {window}"
    return f"had {_listed(_counts(shape))} within {window}"


def spell_window(seconds: int) -> str:
    """Write a span of time in the largest unit that divides it."""
    for size, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if seconds % size == 0:
            return _plural(seconds // size, name)
    return _plural(seconds, "second")


def _counts(shape: Pattern) -> Iterator[str]:
    for count in shape.counts:
        type_ = count.step.event_type
        yield _plural(count.min_count, f"{type_} event" if type_ else "event")


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _listed(parts: Iterable[str]) -> str:
    *others, last = parts
    return f"{', '.join(others)} and {last}" if others else last
