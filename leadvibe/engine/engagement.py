"""Points for what a lead does: which rules award what for an event.

Does not decide which events count (engine.organic) nor how much a burst multiplies (engine.surge),
but carries both beside the rules: an Awarder is a whole config version made ready to score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple, TypeAlias
from uuid import UUID

from leadvibe.engine.facts import UNSCORED, Entry, EntryKind, Event
from leadvibe.engine.organic import MetadataTest, VelocityFilters
from leadvibe.engine.policies import PLAIN_PERCENT, SYSTEM_TYPES, Policies, Reach, VelocityFilter
from leadvibe.engine.rules import Config, Rule, Ruleset
from leadvibe.engine.surge import Multiplier, make_multiplier

# A plain string goes through COPY without the detour that the driver takes for enum members.
_EVENT = EntryKind.EVENT.value


class Scorers(NamedTuple):
    """The rules of one ruleset that an event type meets."""

    ruleset_id: UUID
    rules: tuple[Rule, ...]


_Matches: TypeAlias = tuple[Scorers, ...]


@dataclass(frozen=True, slots=True)
class Awarder:
    """A config version made ready to score: every event type leads straight to its rules.

    Event types whose rules and rulesets all lack a window stand in `timeless` and cost one look-up;
    the others stand in `windowed`, where each rule's window is narrowed to its ruleset's. Events of
    `uncounted` types are stored and shown, and change nothing; of `banned` types a filter lets not
    even the first count.
    """

    version: int
    has_floor: bool
    session_timeout: timedelta
    timeless: Mapping[str, _Matches]
    windowed: Mapping[str, _Matches]
    multiplier: Multiplier
    idle_reset: timedelta
    uncounted: frozenset[str]
    banned: frozenset[str]
    metadata_test: MetadataTest
    velocity_filters: VelocityFilters

    def find_scorers(self, event_type: str, at: datetime) -> _Matches:
        """Return, ruleset by ruleset, the rules in force at that instant for the event type."""
        matches = self.timeless.get(event_type)
        if matches is not None:
            return matches
        return _in_force(self.windowed.get(event_type, ()), at)


def compile_config(config: Config) -> Awarder:
    """Prepare a config version once, so that scoring an event with it is a look-up."""
    policies = config.policies
    hidden = {name for name, policy in policies.event_types.items() if policy.hidden}
    matches: dict[str, dict[UUID, list[Rule]]] = {}
    for ruleset in (ruleset for ruleset in config.rulesets if ruleset.active):
        for rule in (it for it in ruleset.rules if it.active and it.event_type not in hidden):
            rulesets = matches.setdefault(rule.event_type, {})
            rulesets.setdefault(ruleset.ruleset_id, []).append(_narrowed(rule, ruleset))
    scorers = {
        event_type: tuple(Scorers(ruleset_id, tuple(rules)) for ruleset_id, rules in found.items())
        for event_type, found in matches.items()
    }
    return Awarder(
        version=config.version,
        has_floor=not config.allow_negative_scores,
        session_timeout=timedelta(seconds=config.session_timeout_seconds),
        timeless={name: found for name, found in scorers.items() if not _has_window(found)},
        windowed={name: found for name, found in scorers.items() if _has_window(found)},
        multiplier=make_multiplier(policies.surge),
        idle_reset=timedelta(seconds=policies.surge.idle_reset_seconds),
        uncounted=_uncounted(policies),
        banned=_banned(policies),
        metadata_test=MetadataTest(policies.metadata_filters),
        velocity_filters=_by_type(policies),
    )


def award(
    awarder: Awarder,
    event: Event,
    standings: Mapping[UUID, tuple[int, int]],
    multiplier_percent: int = PLAIN_PERCENT,
) -> list[Entry]:
    """Return the ledger entries of one event: one per ruleset and rule, or none.

    What several rules of a ruleset award is added up before it is rounded and floored; each entry
    takes the step to the total so far, so entries always add up to the score. An event that the
    floor leaves without effect still has its entry. Only positive weights are multiplied.
    """
    event_id, event_type, at, _, _, _, _ = event
    version, has_floor = awarder.version, awarder.has_floor
    entries: list[Entry] = []
    for ruleset_id, rules in awarder.find_scorers(event_type, at):
        start, seq = standings.get(ruleset_id, UNSCORED)
        before, hundredths = start, 0
        for rule in rules:
            weight = rule.weight
            percent = multiplier_percent if weight > 0 else PLAIN_PERCENT
            hundredths += weight * percent
            after = start + round_hundredths(hundredths)
            if has_floor and after < 0:
                # A score that is below 0 already, from when that was allowed, is not lifted to 0:
                # no rule gives more points than it is worth.
                after = max(after, min(start, 0))
            seq += 1
            # fmt: off
            entries.append(Entry(
                ruleset_id, seq, event_id, rule.rule_id, version, _EVENT,
                weight, percent, before, after - before, after, at,
            ))
            # fmt: on
            before = after
    return entries


def round_hundredths(hundredths: int) -> int:
    """Return whole points from hundredths of points, halves away from zero."""
    points = (abs(hundredths) + 50) // 100
    return points if hundredths >= 0 else -points


def _uncounted(policies: Policies) -> frozenset[str]:
    observed = (name for name, it in policies.event_types.items() if it.reach is Reach.OBSERVE)
    return SYSTEM_TYPES.union(observed)


def _banned(policies: Policies) -> frozenset[str]:
    filters = (it for it in policies.velocity_filters if it.enabled)
    return frozenset(
        it.event_type for it in filters if it.count_threshold <= 0 and not it.group_events
    )


def _by_type(policies: Policies) -> VelocityFilters:
    filters: dict[str, list[VelocityFilter]] = {}
    for one in policies.velocity_filters:
        if one.enabled:
            filters.setdefault(one.event_type, []).append(one)
    return filters


def _narrowed(rule: Rule, ruleset: Ruleset) -> Rule:
    starts = [start for start in (rule.start_at, ruleset.start_at) if start is not None]
    ends = [end for end in (rule.end_at, ruleset.end_at) if end is not None]
    return replace(rule, start_at=max(starts, default=None), end_at=min(ends, default=None))


def _has_window(matches: _Matches) -> bool:
    rules = (rule for scorers in matches for rule in scorers.rules)
    return any(rule.start_at is not None or rule.end_at is not None for rule in rules)


def _in_force(matches: _Matches, at: datetime) -> _Matches:
    return tuple(
        Scorers(ruleset_id, tuple(rule for rule in rules if rule.is_in_force(at)))
        for ruleset_id, rules in matches
    )
