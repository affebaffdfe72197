"""Points that fade with inactivity: when a rule takes how much, whoever runs the job and when.

A rule fires at the end of every full period since the last counted event. Each instant belongs to
the configuration that was in force then, so a rule takes nothing before it was made nor after it
was deleted, and a replay finds the same instants again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID, uuid5

from leadvibe.engine.policies import DecayRule

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)


class Reign(NamedTuple):
    """What a config version says about decay, from the instant that it came into force."""

    version: int
    starts_at: datetime
    rules: tuple[DecayRule, ...]
    has_floor: bool


class Firing(NamedTuple):
    """A rule takes points at an instant, under a config version."""

    at: datetime
    rule: DecayRule
    version: int
    has_floor: bool


class Spell(NamedTuple):
    """From an instant until before another, full periods without a counted event cost points."""

    period: timedelta
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Fading:
    """The history of decay rules: reigns in order, each lasting until the next one starts.

    No rule fires within the `shortest` period after an event.
    """

    reigns: tuple[Reign, ...] = ()
    shortest: timedelta = timedelta.max

    @classmethod
    def of(cls, reigns: Iterable[Reign]) -> Fading:
        """Put reigns in the order of their versions; clocks may have gone backwards between two."""
        latest = BEGINNING
        ordered = []
        for reign in sorted(reigns):
            latest = max(latest, reign.starts_at)
            ordered.append(reign._replace(starts_at=latest))
        periods = [rule.period for reign in ordered for rule in reign.rules]
        return cls(tuple(ordered), min(periods)) if periods else cls()

    def firings(
        self,
        last_at: datetime,
        *,
        after: datetime | None,
        until: datetime,
        version: int | None = None,
    ) -> Iterator[Firing]:
        """Yield what is due since the last counted event, in order and without end in sight.

        Only what comes after `after`, the last firing so far, and not later than `until`; a period
        that ends exactly then is over. Given a `version`, later ones are not known yet: an event
        dated ahead settles by what held when it came in, and no change made since undoes that.
        """
        begin = last_at if after is None else after
        for reign, ends_at in self._spans(version):
            if ends_at > begin and reign.starts_at <= until:
                yield from _firings_in(reign, ends_at, last_at, after=begin, until=until)

    def spells(self) -> list[Spell]:
        """Return when which periods of inactivity cost points, each rule as it was and is."""
        return [
            Spell(rule.period, max(reign.starts_at, rule.created_at), ends_at)
            for reign, ends_at in self._spans()
            for rule in reign.rules
        ]

    def _spans(self, version: int | None = None) -> Iterator[tuple[Reign, datetime]]:
        known = self.reigns
        if version is not None and known[-1].version > version:
            known = known[: max(1, bisect_right(known, version, key=attrgetter("version")))]
        yield from ((reign, following.starts_at) for reign, following in pairwise(known))
        yield from ((reign, END) for reign in known[-1:])


def take(firing: Firing, before: int) -> int:
    """Return what a score is after a firing: with a floor, inactivity takes nobody below 0."""
    after = before - firing.rule.decrease
    return max(after, min(before, 0)) if firing.has_floor else after


def foresee(score: int, reign: Reign, *, until: datetime) -> Iterator[tuple[Firing, int]]:
    """Yield what inactivity from the reign's start on would take of a score, and what it leaves.

    Ends where nothing is left to take, for whoever is at 0 loses nothing.
    """
    for firing in Fading.of([reign]).firings(reign.starts_at, after=None, until=until):
        if score == 0:
            return
        before, score = score, take(firing, score)
        if score != before:
            yield firing, score


def event_id_of(firing: Firing, lead_id: str) -> UUID:
    """Return the id of the event that records a firing: the same in every replay."""
    return uuid5(firing.rule.decay_id, f"{firing.at.isoformat()} {lead_id}")


def _firings_in(
    reign: Reign, ends_at: datetime, last_at: datetime, *, after: datetime, until: datetime
) -> Iterator[Firing]:
    streams: Sequence[Iterator[Firing]] = [
        _firings_of(rule, reign, ends_at, last_at, after=after, until=until) for rule in reign.rules
    ]
    return merge(*streams, key=_in_order)


def _firings_of(
    rule: DecayRule,
    reign: Reign,
    ends_at: datetime,
    last_at: datetime,
    *,
    after: datetime,
    until: datetime,
) -> Iterator[Firing]:
    begins_at = max(reign.starts_at, rule.created_at)
    periods = max(1, (after - last_at) // rule.period + 1, -((last_at - begins_at) // rule.period))
    try:
        at = last_at + periods * rule.period
        while at <= until and at < ends_at:
            yield Firing(at, rule, reign.version, reign.has_floor)
            at += rule.period
    except OverflowError:
        return  # no calendar reaches so far


def _in_order(firing: Firing) -> tuple[datetime, datetime, UUID]:
    return firing.at, firing.rule.created_at, firing.rule.decay_id
