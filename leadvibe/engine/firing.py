"""When a trigger fires for a lead, given what it did before: once, or again after its cooldown.

Time is that of the events, so that a simulation says what would have happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol, TypeVar

from leadvibe.engine.triggers import FireMode

Key = tuple[datetime, int]
"""An event's place in the order of a lead's events: when it was, and its receipt."""


class Memory(NamedTuple):
    """What a trigger remembers of a lead: when it fired last, and the last event that took part.

    Events up to `boundary` never take part again.
    """

    fired_at: datetime
    boundary: Key


class Pace(NamedTuple):
    """How often a trigger fires for one lead."""

    mode: FireMode
    cooldown: timedelta

    def allows(self, memory: Memory | None, at: datetime) -> bool:
        """Say whether a trigger that would fire at an instant may."""
        if memory is None:
            return True
        return self.mode is FireMode.ALWAYS and at >= memory.fired_at + self.cooldown


class Dated(Protocol):
    @property
    def key(self) -> Key: ...


Occasion = TypeVar("Occasion", bound=Dated)


def choose(occasions: Iterable[Occasion], pace: Pace, memory: Memory | None) -> Iterator[Occasion]:
    """Yield those of a lead's occasions, in order, that a trigger fires on."""
    for occasion in occasions:
        at = occasion.key[0]
        if pace.allows(memory, at):
            memory = Memory(at, occasion.key)
            yield occasion
