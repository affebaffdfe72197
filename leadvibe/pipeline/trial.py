"""A rule tried on one lead: what its score would be had the rule always been there.

Everything else is as it was: each event under its own version, with the tried rule in the place of
what its ruleset has for the type. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from leadvibe.engine.conditions import Condition, holds
from leadvibe.engine.engagement import Awarder
from leadvibe.engine.facts import EMPTY, Event
from leadvibe.engine.replay import Outcome, advance
from leadvibe.engine.rules import Config, Rule, Ruleset
from leadvibe.events import queries as event_queries
from leadvibe.events.types import Fact
from leadvibe.identity.types import Scope
from leadvibe.leads import queries as lead_queries
from leadvibe.leads.types import Lead
from leadvibe.lib.errors import InvalidError
from leadvibe.lib.ids import new_id
from leadvibe.pipeline.scorebook import Scorer
from leadvibe.scoring import lead_scores
from leadvibe.scoring import queries as score_queries
from leadvibe.scoring.types import Ruleset as StoredRuleset

SHOWN_EVENTS = 20


class TriedRule(NamedTuple):
    """What events of a type would be worth: those that meet all conditions, if there are any.

    A condition looks at the event's metadata, and where that has no such property at the lead's.
    """

    event_type: str
    weight: int
    conditions: tuple[Condition, ...] = ()


class TriedEvent(NamedTuple):
    """An event that the rule matches, and the points it would give."""

    event_id: UUID
    occurred_at: datetime
    delta: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of it. `events` are the newest of those that match and count."""

    ruleset_id: UUID
    current_score: int
    projected_score: int
    matching_events: int
    suppressed_events: int
    events: tuple[TriedEvent, ...]
    reason: str

    @property
    def matches(self) -> bool:
        return self.matching_events > 0


def try_rule(scope: Scope, lead: Lead, rule: TriedRule) -> Trial:
    """Try a rule on a lead, in the ruleset that stands for it. Raises InvalidError without one."""
    ruleset = _ruleset_of(scope, lead)
    facts = _list_facts(scope, lead, rule)
    chosen = [fact for fact in facts if _is_meant(fact, rule, lead)]
    matching = {fact.event.event_id for fact in chosen}
    events = [_sorted_out(fact.event, rule, matching) for fact in facts]
    outcome = _replay(scope, lead, events, _TriedAwarders(scope, ruleset.ruleset_id, rule))
    matching &= {event.event_id for event in outcome.counted}
    scores = lead_scores.list_scores(scope, [lead.lead_id], ruleset_id=ruleset.ruleset_id)
    standing = outcome.state.standings.get(ruleset.ruleset_id)
    trial = Trial(
        ruleset_id=ruleset.ruleset_id,
        current_score=scores[0].score if scores else 0,
        projected_score=standing.score if standing else 0,
        matching_events=len(matching),
        suppressed_events=len(chosen) - len(matching),
        events=_latest(outcome, ruleset.ruleset_id, chosen, matching),
        reason="",
    )
    of_type = sum(fact.event.event_type == rule.event_type for fact in facts)
    return replace(trial, reason=_reason(trial, rule, of_type))


def _ruleset_of(scope: Scope, lead: Lead) -> StoredRuleset:
    rulesets = {it.ruleset_id: it for it in score_queries.list_rulesets(scope)}
    primary = next((it for it in rulesets.values() if it.is_primary), None)
    chosen = rulesets.get(lead.ruleset_id or UUID(int=0)) or primary
    if chosen is None:
        raise InvalidError("The unit has no primary ruleset to try a rule in: choose one first.")
    return chosen


def _is_meant(fact: Fact, rule: TriedRule, lead: Lead) -> bool:
    if fact.event.event_type != rule.event_type:
        return False
    document = {**lead.metadata, **(fact.metadata or {})}
    return all(holds(condition, document) for condition in rule.conditions)


def _list_facts(scope: Scope, lead: Lead, rule: TriedRule) -> list[Fact]:
    wanted = [rule.event_type]
    found = dict(event_queries.stream_facts(scope, [lead.lead_id], with_metadata_of=wanted))
    return found.get(lead.lead_id, [])


def _replay(
    scope: Scope, lead: Lead, events: Sequence[Event], awarders: Mapping[int, Awarder]
) -> Outcome:
    activity = lead_queries.load_activities(scope, [lead.lead_id])[lead.lead_id]
    history = Scorer(scope).history(activity.base_version)._replace(awarders=awarders)
    return advance(lead.lead_id, EMPTY, events, history, until=activity.last_decay_at)


def _sorted_out(event: Event, rule: TriedRule, meant: Collection[UUID]) -> Event:
    """Give an event of the type that the conditions leave out the twin of its version."""
    if event.event_type != rule.event_type or event.event_id in meant:
        return event
    return event._replace(version=_twin(event.version))


def _twin(version: int) -> int:
    """Return the number under which a version is the same, but for having no rule for the type."""
    return -1 - version


class _TriedAwarders(dict[int, Awarder]):
    """Versions with the tried rule, and their twins without any for its type."""

    def __init__(self, scope: Scope, ruleset_id: UUID, rule: TriedRule) -> None:
        super().__init__()
        self._scope = scope
        self._ruleset_id = ruleset_id
        self._event_type = rule.event_type
        self._rule = Rule(new_id(), rule.event_type, rule.weight)

    def __missing__(self, key: int) -> Awarder:
        version, extra = (key, (self._rule,)) if key >= 0 else (_twin(key), ())
        config = self._with(score_queries.get_config(self._scope, version), extra)
        awarder = self[key] = score_queries.compile_for(config)
        return awarder

    def _with(self, config: Config, extra: tuple[Rule, ...]) -> Config:
        rulesets = tuple(self._changed(ruleset, extra) for ruleset in config.rulesets)
        return replace(config, rulesets=rulesets)

    def _changed(self, ruleset: Ruleset, extra: tuple[Rule, ...]) -> Ruleset:
        if ruleset.ruleset_id != self._ruleset_id:
            return ruleset
        others = tuple(rule for rule in ruleset.rules if rule.event_type != self._event_type)
        return replace(ruleset, rules=others + extra)


def _latest(
    outcome: Outcome, ruleset_id: UUID, chosen: Sequence[Fact], matching: Collection[UUID]
) -> tuple[TriedEvent, ...]:
    deltas: dict[UUID, int] = {}
    for entry in outcome.entries:
        if entry.ruleset_id == ruleset_id:
            deltas[entry.event_id] = deltas.get(entry.event_id, 0) + entry.delta
    counted = [fact.event for fact in chosen if fact.event.event_id in matching]
    return tuple(
        TriedEvent(event.event_id, event.occurred_at, deltas.get(event.event_id, 0))
        for event in reversed(counted[-SHOWN_EVENTS:])
    )


def _reason(trial: Trial, rule: TriedRule, of_type: int) -> str:
    if not of_type:
        return f"The lead has no {rule.event_type} events."
    if not trial.matching_events + trial.suppressed_events:
        return f"None of the {of_type:,} {rule.event_type} events meets all conditions."
    if not trial.matches:
        return (
            f"{trial.suppressed_events:,} {rule.event_type} events match, but filters or the"
            " event type's settings keep all of them from counting."
        )
    told = f"{trial.matching_events:,} of {of_type:,} {rule.event_type} events match and count"
    if trial.projected_score == trial.current_score:
        return f"{told}; the score would stay at {trial.current_score:,}."
    return (
        f"{told}; the score would be {trial.projected_score:,} instead of {trial.current_score:,}."
    )
