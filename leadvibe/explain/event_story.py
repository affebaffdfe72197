"""What became of one event: the points that each rule gave for it, or why there are none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from leadvibe.engine.conditions import holds
from leadvibe.engine.organic import Suppression, condition_of
from leadvibe.engine.policies import (
    SYSTEM_TYPES,
    EventTypePolicy,
    MetadataFilter,
    Reach,
    VelocityFilter,
)
from leadvibe.engine.rules import Config, Rule
from leadvibe.events.queries import get_event
from leadvibe.events.types import Event
from leadvibe.identity.types import Scope
from leadvibe.scoring import lead_scores
from leadvibe.scoring import queries as scoring
from leadvibe.scoring.types import ConfigVersion, LedgerEntry


class Silence(StrEnum):
    """Why an event gave no points."""

    SUPPRESSED = "suppressed"
    OWN = "own"
    """Leadvibe wrote it down itself."""
    HIDDEN = "hidden"
    """Its type was hidden."""
    OBSERVED = "observed"
    """Its type may only be looked at."""
    NO_RULE = "no_rule"
    RULE_AT_REST = "rule_at_rest"
    """A rule there is, but it or its ruleset was paused, or not in force at the event's time."""
    NOTHING = "nothing"
    """A rule was in force: a replay since then, or a merge, has left nothing of it."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What one rule made of the event in one ruleset; `rule` None when it is known no more."""

    ruleset_id: UUID
    ruleset_name: str
    rule: Rule | None
    entry: LedgerEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStory:
    """An event and what became of it, under the configuration that it counts under.

    `silence` is None when it gave points. Of the filters only those are named that explain why it
    is suppressed.
    """

    event: Event
    version: ConfigVersion | None
    effects: tuple[Effect, ...]
    silence: Silence | None
    velocity_filters: tuple[VelocityFilter, ...] = ()
    metadata_filters: tuple[MetadataFilter, ...] = ()


def tell_event(scope: Scope, event_id: UUID) -> EventStory:
    """Return what became of an event. Raises EventNotFoundError."""
    event = get_event(scope, event_id)
    config = scoring.get_config(scope, event.version)
    effects = tuple(_effects(scope, event, config))
    return EventStory(
        event=event,
        version=scoring.get_config_version(scope, event.version),
        effects=effects,
        silence=None if effects else _silence(event, config),
        velocity_filters=_bursts(event, config),
        metadata_filters=tuple(_matching(event, config)),
    )


def _effects(scope: Scope, event: Event, config: Config) -> Iterator[Effect]:
    if event.lead_id is None:
        return
    entries = lead_scores.list_entries(scope, event.lead_id, event_ids=[event.event_id])
    rules = {rule.rule_id: rule for ruleset in config.rulesets for rule in ruleset.rules}
    for ruleset in scoring.list_rulesets(scope):
        for entry in entries:
            if entry.ruleset_id == ruleset.ruleset_id:
                rule = rules.get(entry.rule_id) if entry.rule_id else None
                yield Effect(ruleset.ruleset_id, ruleset.name, rule, entry)


def _silence(event: Event, config: Config) -> Silence:
    policy = config.policies.event_types.get(event.event_type, EventTypePolicy())
    if event.event_type in SYSTEM_TYPES:
        return Silence.OWN
    if event.suppression_reason is not None:
        return Silence.SUPPRESSED
    if policy.hidden:
        return Silence.HIDDEN
    if policy.reach is Reach.OBSERVE:
        return Silence.OBSERVED
    return _silence_of_rules(event, config)


def _silence_of_rules(event: Event, config: Config) -> Silence:
    about = [
        (ruleset, rule)
        for ruleset in config.rulesets
        for rule in ruleset.rules
        if rule.event_type == event.event_type
    ]
    if not about:
        return Silence.NO_RULE
    at = event.occurred_at
    in_force = any(rule.is_in_force(at) and ruleset.is_in_force(at) for ruleset, rule in about)
    return Silence.NOTHING if in_force else Silence.RULE_AT_REST


def _bursts(event: Event, config: Config) -> tuple[VelocityFilter, ...]:
    if event.suppression_reason not in {Suppression.RATE.value, Suppression.GROUPED.value}:
        return ()
    filters = config.policies.velocity_filters
    return tuple(it for it in filters if it.event_type == event.event_type)


def _matching(event: Event, config: Config) -> Iterator[MetadataFilter]:
    if event.suppression_reason != Suppression.METADATA.value:
        return
    for one in config.policies.metadata_filters:
        is_about = one.enabled and one.event_type in {"", event.event_type}
        tests = map(condition_of, one.conditions)
        if is_about and one.conditions and all(holds(test, event.metadata) for test in tests):
            yield one
