"""Reasons, summed from ledger entries.

Pure sums: a reason is never computed a second way, so what is shown is what was scored. Does not
read the ledger, nor decide which ruleset stands for the lead (engine.replay.score_of).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from leadvibe.engine.engagement import round_hundredths
from leadvibe.engine.facts import Entry, EntryKind
from leadvibe.engine.policies import PLAIN_PERCENT, Reach
from leadvibe.engine.rules import Config

BROUGHT_FORWARD = "Brought forward"


class Reason(NamedTuple):
    """A ledger entry with the type of the event it came from."""

    entry: Entry
    event_type: str


@dataclass(frozen=True, slots=True)
class Driver:
    """What one event type did to the score: `total` points over `count` events.

    `rule_id` and `weight` are those of its newest entry, for a type's rule may have been replaced.
    """

    event_type: str
    total: int
    count: int
    rule_id: UUID | None
    weight: int


@dataclass(frozen=True, slots=True)
class SurgeBoost:
    """What a multiplier added for one event type: `boost` points above the `base` weights."""

    event_type: str
    base: int
    multiplier_percent: int
    boost: int
    event_count: int


@dataclass(frozen=True, slots=True)
class RuleInForce:
    """A rule that scores the events of this moment."""

    ruleset_id: UUID
    rule_id: UUID
    event_type: str
    weight: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a lead's score moved as it did since `since`; None is from the beginning on."""

    since: datetime | None
    top_drivers: tuple[Driver, ...]
    surge_boosts: tuple[SurgeBoost, ...]
    decay_applied: int

    @property
    def surge_total(self) -> int:
        """Return the points that multipliers added."""
        return sum(boost.boost for boost in self.surge_boosts)

    @property
    def surge_event_count(self) -> int:
        """Return how many events a multiplier raised."""
        return sum(boost.event_count for boost in self.surge_boosts)


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of a waterfall: from the previous step's `running_total`, by `delta`, to its own.

    `entries` are the ledger lines it sums, oldest first; the opening step has none. Of very many
    they are the newest, and `count` says how many there are.
    """

    label: str
    kind: str
    delta: int
    running_total: int
    entries: tuple[Entry, ...]
    count: int


def explain(
    reasons: Iterable[Reason], *, ruleset_id: UUID | None, since: datetime | None
) -> Explanation:
    """Explain what happened since an instant from a lead's reasons, older ones being left out.

    Drivers and boosts are those of one ruleset, the one behind the score that is shown; decay is
    summed across all of them. Events dated ahead of now have scored already and count as recent.
    """
    recent = [reason for reason in reasons if since is None or reason.entry.occurred_at >= since]
    shown = [reason for reason in recent if reason.entry.ruleset_id == ruleset_id]
    return Explanation(
        since=since,
        top_drivers=rank_drivers(shown),
        surge_boosts=rank_surge_boosts(shown),
        decay_applied=sum_decay(recent),
    )


def rank_drivers(reasons: Iterable[Reason]) -> tuple[Driver, ...]:
    """Sum the points of events by event type, the largest contribution of either sign first."""
    by_type: dict[str, list[Entry]] = {}
    for entry, event_type in reasons:
        if entry.kind == EntryKind.EVENT:
            by_type.setdefault(event_type, []).append(entry)
    drivers = [_driver(event_type, entries) for event_type, entries in by_type.items()]
    return in_order_of_drivers(drivers)


def in_order_of_drivers(drivers: Iterable[Driver]) -> tuple[Driver, ...]:
    """Return drivers, the largest of either sign first."""
    return tuple(sorted(drivers, key=lambda driver: (-abs(driver.total), driver.event_type)))


def rank_surge_boosts(reasons: Iterable[Reason]) -> tuple[SurgeBoost, ...]:
    """Sum what multipliers added by event type and multiplier, the largest boost first."""
    raised: dict[tuple[str, int], list[Entry]] = {}
    for entry, event_type in reasons:
        if entry.multiplier_percent != PLAIN_PERCENT:
            raised.setdefault((event_type, entry.multiplier_percent), []).append(entry)
    boosts = [
        SurgeBoost(
            event_type=event_type,
            base=sum(entry.weight for entry in entries),
            multiplier_percent=percent,
            boost=sum(_boost(entry) for entry in entries),
            event_count=_count_events(entries),
        )
        for (event_type, percent), entries in raised.items()
    ]
    return in_order_of_boosts(boosts)


def in_order_of_boosts(boosts: Iterable[SurgeBoost]) -> tuple[SurgeBoost, ...]:
    """Return boosts, the largest first."""
    return tuple(sorted(boosts, key=lambda it: (-it.boost, it.event_type, it.multiplier_percent)))


def sum_decay(reasons: Iterable[Reason]) -> int:
    """Return the points that inactivity took, as a number that is never positive."""
    return sum(entry.delta for entry, _ in reasons if entry.kind == EntryKind.DECAY)


def list_rules_in_force(config: Config, *, now: datetime) -> tuple[RuleInForce, ...]:
    """Return what events of now are worth in each ruleset, the heaviest of either sign first.

    Types that are hidden, or observed only, are worth nothing whatever their rules say.
    """
    decided = config.policies.event_types
    mute = {name for name, it in decided.items() if it.hidden or it.reach is Reach.OBSERVE}
    rules = [
        RuleInForce(ruleset.ruleset_id, rule.rule_id, rule.event_type, rule.weight)
        for ruleset in config.rulesets
        if ruleset.is_in_force(now)
        for rule in ruleset.rules
        if rule.is_in_force(now) and rule.event_type not in mute
    ]
    return tuple(sorted(rules, key=lambda rule: (-abs(rule.weight), rule.event_type)))


def build_waterfall(reasons: Sequence[Reason]) -> tuple[Step, ...]:
    """Break a score into steps that end in it: gains largest first, then losses largest first.

    The reasons are one ruleset's, without a gap up to its last entry, in any order; what came
    before the first of them is the opening step. Raises ValueError when entries are missing or of
    several rulesets, for the steps would then not end in the score.
    """
    ordered = sorted(reasons, key=lambda reason: reason.entry.seq)
    if not ordered:
        return ()
    _require_unbroken([reason.entry for reason in ordered])
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry, event_type in ordered:
        groups.setdefault((entry.kind, event_type), []).append(entry)
    return tuple(_run_up(ordered[0].entry.before, groups))


def _run_up(opening: int, groups: dict[tuple[str, str], list[Entry]]) -> list[Step]:
    steps = [Step(BROUGHT_FORWARD, "", opening, opening, (), 0)] if opening else []
    running_total = opening
    sums = {key: sum(entry.delta for entry in entries) for key, entries in groups.items()}
    for kind, label in sorted(groups, key=lambda key: (sums[key] < 0, -abs(sums[key]), key)):
        delta = sums[kind, label]
        running_total += delta
        entries = tuple(groups[kind, label])
        steps.append(Step(label, kind, delta, running_total, entries, len(entries)))
    return steps


def _require_unbroken(entries: Sequence[Entry]) -> None:
    for earlier, later in pairwise(entries):
        expected = (earlier.ruleset_id, earlier.seq + 1, earlier.after)
        if (later.ruleset_id, later.seq, later.before) != expected:
            raise ValueError(
                f"entry {later.seq} of ruleset {later.ruleset_id} does not follow entry "
                f"{earlier.seq} of ruleset {earlier.ruleset_id}: pass one ruleset's unbroken run"
            )


def _driver(event_type: str, entries: Sequence[Entry]) -> Driver:
    newest = max(entries, key=lambda entry: (entry.occurred_at, entry.seq))
    return Driver(
        event_type=event_type,
        total=sum(entry.delta for entry in entries),
        count=_count_events(entries),
        rule_id=newest.rule_id,
        weight=newest.weight,
    )


def _boost(entry: Entry) -> int:
    return boost_of(entry.weight, entry.multiplier_percent)


def boost_of(weight: int, multiplier_percent: int) -> int:
    """Return the points that a multiplier adds to a weight.

    From the weight, not the delta: the floor may have cut the delta, which is no merit or fault of
    the multiplier.
    """
    return round_hundredths(weight * multiplier_percent) - weight


def _count_events(entries: Iterable[Entry]) -> int:
    return len({entry.event_id for entry in entries})
