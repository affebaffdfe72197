"""Sequences, patterns and surges among a lead's events: which events complete a shape, and when.

A shape is complete at an event when the window that ends there holds all it asks for. Only events
that are new make a trigger fire: a shape that was complete without them is old news. Events that
took part in a firing, and all before them, are used up.

Every look back is a bisection, so that one lead's ten thousand events cost no more than others'.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Sequence as Listed
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from leadvibe.engine.conditions import Condition, holds, parse_operator
from leadvibe.engine.firing import Key, Memory, Pace
from leadvibe.engine.triggers import (
    ANY_TYPE,
    Count,
    FireMode,
    Milestone,
    Pattern,
    Sequence,
    Shape,
    Step,
    Surge,
    window_of,
)

_AT = attrgetter("occurred_at")


class Act(NamedTuple):
    """A counted event, as far as triggers care; `is_new` when it may make one fire."""

    event_id: UUID
    event_type: str
    occurred_at: datetime
    receipt: int
    metadata: Mapping[str, Any]
    is_new: bool = False
    channel: str = ""

    @property
    def key(self) -> Key:
        return self.occurred_at, self.receipt


class Match(NamedTuple):
    """A shape that became complete: by which events, in order, and through which new one."""

    acts: tuple[Act, ...]
    cause: Act

    @property
    def key(self) -> Key:
        return self.acts[-1].key


def find_firings(
    shape: Shape, acts: Listed[Act], pace: Pace, memory: Memory | None
) -> Iterator[Match]:
    """Yield what a trigger fires on among a lead's acts, which are in order.

    They reach back as far as the shape's window before the first new one. Milestones look at
    scores, not at acts: never at all here.
    """
    if isinstance(shape, Milestone):
        return
    if pace.mode is FireMode.ONCE and memory is not None:
        return
    if len(acts) < _fewest(shape):
        return
    finder = _finder(shape, acts)
    first = next((place for place, act in enumerate(acts) if act.is_new), len(acts))
    for place in range(first, len(acts)):
        end = acts[place]
        if memory is not None and end.key <= memory.boundary:
            continue
        if not pace.allows(memory, end.occurred_at):
            continue
        start = _start(acts, end.occurred_at - window_of(shape), memory)
        found = finder.complete_at(place, start)
        new = [acts[it] for it in found if acts[it].is_new]
        if new:
            memory = Memory(end.occurred_at, end.key)
            yield Match(tuple(acts[it] for it in sorted(found)), new[-1])


def meets(step: Step, act: Act) -> bool:
    """Say whether an event is what a step asks for."""
    return _Wanted(step).is_met_by(act)


class _Wanted:
    """A step whose tests are read once, for as many events as there are."""

    def __init__(self, step: Step) -> None:
        self._event_type = step.event_type
        self._conditions = [
            Condition(it.key, parse_operator(it.operator), it.value) for it in step.tests
        ]

    def is_met_by(self, act: Act) -> bool:
        if self._event_type not in (ANY_TYPE, act.event_type):
            return False
        return all(holds(condition, act.metadata) for condition in self._conditions)


def _start(acts: Listed[Act], since: datetime, memory: Memory | None) -> int:
    """Return the place of the first act that may take part."""
    start = bisect_left(acts, since, key=_AT)
    if memory is None:
        return start
    while start < len(acts) and acts[start].key <= memory.boundary:
        start += 1
    return start


class _Places:
    """Where the acts stand that meet a step."""

    def __init__(self, step: Step, acts: Iterable[Act]) -> None:
        wanted = _Wanted(step)
        self.all = [place for place, act in enumerate(acts) if wanted.is_met_by(act)]

    def __contains__(self, place: int) -> bool:
        found = bisect_left(self.all, place)
        return found < len(self.all) and self.all[found] == place

    def latest(self, start: int, end: int, *, at_most: int) -> list[int]:
        """Return the latest places from `start` up to and without `end`, in order."""
        first, last = bisect_left(self.all, start), bisect_left(self.all, end)
        return self.all[max(first, last - at_most) : last]


class _Ordered:
    """Steps one after another. The latest event for each step leaves the most room before it."""

    def __init__(self, steps: Iterable[Step], acts: Listed[Act]) -> None:
        self._steps = [_Places(step, acts) for step in steps]

    def complete_at(self, place: int, start: int) -> list[int]:
        """Return the places that complete the steps at one of them; none when nothing does."""
        *before, last = self._steps
        if place not in last:
            return []
        found = [place]
        for step in reversed(before):
            latest = step.latest(start, found[-1], at_most=1)
            if not latest:
                return []
            found += latest
        return found[::-1]


class _Unordered:
    """Steps in any order, each with an event of its own: a matching between steps and events."""

    def __init__(self, steps: Iterable[Step], acts: Listed[Act]) -> None:
        self._steps = [_Places(step, acts) for step in steps]

    def complete_at(self, place: int, start: int) -> list[int]:
        """Return the places that complete the steps at one of them; none when nothing does."""
        for pinned, step in enumerate(self._steps):
            if place in step:
                others = [it for number, it in enumerate(self._steps) if number != pinned]
                matched = self._match(others, place, start)
                if matched is not None:
                    return sorted([*matched, place])
        return []

    def _match(self, steps: Listed[_Places], end: int, start: int) -> list[int] | None:
        # Of as many candidates as there are steps, one at least is left by the others.
        candidates = [it.latest(start, end, at_most=len(steps))[::-1] for it in steps]
        taken: dict[int, int] = {}

        def place_step(number: int, seen: set[int]) -> bool:
            for candidate in candidates[number]:
                if candidate in seen:
                    continue
                seen.add(candidate)
                if candidate not in taken or place_step(taken[candidate], seen):
                    taken[candidate] = number
                    return True
            return False

        if all(place_step(number, set()) for number in range(len(steps))):
            return list(taken)
        return None


class _Counted:
    """Enough events for each count; the latest of them are those that count."""

    def __init__(self, counts: Iterable[Count], acts: Listed[Act]) -> None:
        self._counts = [(_Places(it.step, acts), it.min_count) for it in counts]

    def complete_at(self, place: int, start: int) -> list[int]:
        """Return the places that fill all counts at one of them; none when nothing does."""
        if not any(place in places for places, _ in self._counts):
            return []
        found: set[int] = set()
        for places, least in self._counts:
            latest = places.latest(start, place + 1, at_most=least)
            if len(latest) < least:
                return []
            found.update(latest)
        return sorted(found)


def _fewest(shape: Sequence | Pattern | Surge) -> int:
    """Return how many events a shape needs at the least."""
    if isinstance(shape, Sequence):
        return len(shape.steps)
    if isinstance(shape, Pattern):
        return max((it.min_count for it in shape.counts), default=0)
    return shape.threshold_count


def _finder(
    shape: Sequence | Pattern | Surge, acts: Listed[Act]
) -> _Ordered | _Unordered | _Counted:
    if isinstance(shape, Sequence):
        return (_Ordered if shape.ordered else _Unordered)(shape.steps, acts)
    if isinstance(shape, Pattern):
        return _Counted(shape.counts, acts)
    return _Counted([Count(Step(shape.event_type), shape.threshold_count)], acts)
