"""What is different between two configurations, in words. Pure: it reads nothing but the two.

A configuration falls into things that keep their identity (a rule, a level, a filter) with facts
that may change. What is the usual is not worth saying of something new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from leadvibe.engine.policies import (
    AttributeRule,
    AttributeRuleset,
    DecayRule,
    EventTypePolicy,
    FieldMapping,
    MetadataFilter,
    SurgePolicy,
    VelocityFilter,
)
from leadvibe.engine.rules import Config, Level, Rule, Ruleset
from leadvibe.scoring import wording
from leadvibe.scoring.condition_words import words_of_test


class ChangeKind(StrEnum):
    """What a change is about."""

    RULESET = "ruleset"
    RULE = "rule"
    LEVEL = "level"
    DECAY = "decay"
    VELOCITY_FILTER = "velocity_filter"
    METADATA_FILTER = "metadata_filter"
    SURGE_POLICY = "surge_policy"
    EVENT_TYPE = "event_type"
    PROFILE_MAPPING = "profile_mapping"
    ACCOUNT_MAPPING = "account_mapping"
    PROFILE_RULESET = "profile_ruleset"
    PROFILE_RULE = "profile_rule"
    ACCOUNT_RULESET = "account_ruleset"
    ACCOUNT_RULE = "account_rule"
    SETTING = "setting"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different; `before` is None for a new one, `after` for one that is gone."""

    kind: ChangeKind
    name: str
    before: str | None
    after: str | None
    sentence: str


class _Fact(NamedTuple):
    value: object
    """What decides whether two facts differ."""
    text: str
    is_usual: bool = False
    exact: str = ""
    """Said where another value reads the same."""


class _Thing(NamedTuple):
    kind: ChangeKind
    key: object
    noun: str
    name: str
    facts: Mapping[str, _Fact]
    """By label, one that begins with _ being silent; what stands in the name counts as usual."""


def changes_between(before: Config, after: Config) -> list[Change]:
    """Return what is different, thing by thing; nothing when both configurations mean the same.

    Their version numbers and the order in which they list things make no difference.
    """
    old = {(it.kind, it.key): it for it in _things(before, _decided_types(after))}
    new = {(it.kind, it.key): it for it in _things(after, _decided_types(before))}
    pairs = ((old.get(key), new.get(key)) for key in dict.fromkeys((*old, *new)))
    return [change for pair in pairs if (change := _change(*pair)) is not None]


def _change(before: _Thing | None, after: _Thing | None) -> Change | None:
    if before is None:
        assert after is not None
        facts = _told(after.facts)
        sentence = f"Added {_titled(after)}" + (f": {facts}" if facts else "")
        return Change(after.kind, after.name, None, facts, sentence)
    if after is None:
        facts = _told(before.facts)
        sentence = f"Removed {_titled(before)}" + (f" ({facts})" if facts else "")
        return Change(before.kind, before.name, facts, None, sentence)
    differing = [
        label for label, fact in after.facts.items() if fact.value != before.facts[label].value
    ]
    if not differing:
        return None
    told = ", ".join(
        _told_apart(label, before.facts[label], after.facts[label]) for label in differing
    )
    titled = _titled(before)
    return Change(
        after.kind,
        before.name,
        _listed(before.facts, differing),
        _listed(after.facts, differing),
        f"{titled[0].upper()}{titled[1:]}: {told}",
    )


def _titled(thing: _Thing) -> str:
    return f"{thing.noun} {thing.name}".strip()


def _told(facts: Mapping[str, _Fact]) -> str:
    return _listed(facts, (label for label, fact in facts.items() if not fact.is_usual))


def _listed(facts: Mapping[str, _Fact], labels: Iterable[str]) -> str:
    return ", ".join(_labelled(label, facts[label]) for label in labels)


def _told_apart(label: str, before: _Fact, after: _Fact) -> str:
    if before.text == after.text:
        before, after = (it._replace(text=it.exact or it.text) for it in (before, after))
    return f"{_labelled(label, after)} instead of {before.text}"


def _labelled(label: str, fact: _Fact) -> str:
    return fact.text if label.startswith("_") else f"{label} {fact.text}"


def _decided_types(config: Config) -> Iterable[str]:
    return config.policies.event_types


def _things(config: Config, other_types: Iterable[str]) -> Iterator[_Thing]:
    policies = config.policies
    yield from _settings(config)
    for ruleset in config.rulesets:
        yield _ruleset(ruleset)
        yield from map(partial(_rule, ruleset), ruleset.rules)
    yield from map(_level, config.levels)
    yield _surge(policies.surge)
    yield from map(_decay, policies.decays)
    yield from map(_velocity_filter, policies.velocity_filters)
    yield from map(_metadata_filter, policies.metadata_filters)
    for name in sorted({*policies.event_types, *other_types}):
        yield _event_type(name, policies.event_types.get(name, EventTypePolicy()))
    yield from map(_mapping(ChangeKind.PROFILE_MAPPING), policies.profile_mappings)
    yield from map(_mapping(ChangeKind.ACCOUNT_MAPPING), policies.account_mappings)
    for attribute_set in policies.profile_rulesets:
        kinds = ChangeKind.PROFILE_RULESET, ChangeKind.PROFILE_RULE
        yield from _attribute_ruleset(attribute_set, *kinds)
    for attribute_set in policies.account_rulesets:
        kinds = ChangeKind.ACCOUNT_RULESET, ChangeKind.ACCOUNT_RULE
        yield from _attribute_ruleset(attribute_set, *kinds)


def _settings(config: Config) -> Iterator[_Thing]:
    settings = {
        "negative scores": "allowed" if config.allow_negative_scores else "not allowed",
        "account scoring": "on" if config.policies.abm_enabled else "off",
        "session time-out": f"{config.session_timeout_seconds} s",
    }
    for name, text in settings.items():
        yield _Thing(ChangeKind.SETTING, name, "setting", name, {"_value": _Fact(text, text)})


def _ruleset(it: Ruleset) -> _Thing:
    facts = {
        "name": _named(it.name),
        "_primary": _either(it.is_primary, "primary", "not primary", usual=False),
        "_state": _either(it.active, "active", "paused"),
        "from": _optional(it.start_at, wording.instant(it.start_at)),
        "until": _optional(it.end_at, wording.until(it.end_at)),
        "score column": _Fact(it.score_column, it.score_column, is_usual=True),
    }
    return _Thing(ChangeKind.RULESET, it.ruleset_id, "ruleset", it.name, facts)


def _rule(ruleset: Ruleset, it: Rule) -> _Thing:
    facts = {
        "event type": _named(it.event_type),
        "_points": _points(it.weight),
        "_state": _either(it.active, "active", "paused"),
        "from": _optional(it.start_at, wording.instant(it.start_at)),
        "until": _optional(it.end_at, wording.until(it.end_at)),
        "icon": _optional(it.icon, it.icon or "none"),
    }
    key = (ruleset.ruleset_id, it.rule_id)
    return _Thing(ChangeKind.RULE, key, "rule", f"{it.event_type} in {ruleset.name}", facts)


def _level(it: Level) -> _Thing:
    facts = {
        "name": _named(it.name),
        "scores": _Fact((it.min_score, it.max_score), wording.range_of(it)),
        "color": _Fact(it.color, it.color, is_usual=True),
        "order": _Fact(it.order, str(it.order), is_usual=True),
    }
    key = (it.kind, it.level_id)
    return _Thing(ChangeKind.LEVEL, key, f"{it.kind} level", it.name, facts)


def _surge(it: SurgePolicy) -> _Thing:
    facts = {
        "_mode": _Fact(it.mode, it.mode.value),
        "bands": _Fact(it.bands, wording.words_of_bands(it.bands)),
        "idle reset": _Fact(it.idle_reset_seconds, f"{it.idle_reset_seconds} s"),
        "cap": _Fact(it.cap_percent, wording.multiplier(it.cap_percent)),
    }
    return _Thing(ChangeKind.SURGE_POLICY, None, "session surge", "", facts)


def _decay(it: DecayRule) -> _Thing:
    inactivity = wording.inactivity_of(it)
    facts = {
        "after": _named(inactivity),
        "_loss": _Fact(it.decrease, f"{wording.points(it.decrease)} less"),
        "made": _Fact(it.created_at, wording.instant(it.created_at), is_usual=True),
    }
    return _Thing(ChangeKind.DECAY, it.decay_id, "decay", f"after {inactivity}", facts)


def _velocity_filter(it: VelocityFilter) -> _Thing:
    facts = {
        "event type": _named(it.event_type),
        "at most": _Fact((it.count_threshold, it.time_window_ms), wording.rate_of(it)),
        "keeps": _Fact(it.group_events, wording.kept_by(it)),
        "_state": _either(it.enabled, "on", "off"),
    }
    return _Thing(ChangeKind.VELOCITY_FILTER, it.filter_id, "filter for", it.event_type, facts)


def _metadata_filter(it: MetadataFilter) -> _Thing:
    words = wording.words_of_conditions(it.conditions)
    facts = {
        "name": _named(it.name),
        "events": _Fact(it.event_type, wording.events_of(it)),
        "where": _Fact(it.conditions, words, exact=wording.exact_words_of(it.conditions)),
        "_state": _either(it.enabled, "on", "off"),
    }
    return _Thing(ChangeKind.METADATA_FILTER, it.filter_id, "metadata filter", it.name, facts)


def _event_type(name: str, it: EventTypePolicy) -> _Thing:
    facts = {
        "_visibility": _either(it.hidden, "hidden", "shown", usual=False),
        "processing": _Fact(it.reach, it.reach.value),
    }
    return _Thing(ChangeKind.EVENT_TYPE, name, "event type", name, facts)


def _mapping(kind: ChangeKind) -> Callable[[FieldMapping], _Thing]:
    noun = kind.replace("_", " ")

    def thing(it: FieldMapping) -> _Thing:
        facts = {
            "from": _named(it.source_field),
            "to": _named(it.target_property),
            "behaviour": _Fact(it.update_behavior, it.update_behavior.replace("_", " ")),
        }
        name = f"{it.source_field} to {it.target_property}"
        return _Thing(kind, it.mapping_id, noun, name, facts)

    return thing


def _attribute_ruleset(
    it: AttributeRuleset, set_kind: ChangeKind, rule_kind: ChangeKind
) -> Iterator[_Thing]:
    facts = {
        "name": _named(it.name),
        "_primary": _either(it.is_primary, "primary", "not primary", usual=False),
        "_state": _either(it.enabled, "on", "off"),
    }
    yield _Thing(set_kind, it.ruleset_id, set_kind.replace("_", " "), it.name, facts)
    for rule in it.rules:
        yield _attribute_rule(it, rule, rule_kind)


def _attribute_rule(ruleset: AttributeRuleset, it: AttributeRule, kind: ChangeKind) -> _Thing:
    words = words_of_test(it.test)
    facts = {
        "when": _Fact(it.test, words, is_usual=True, exact=wording.exact_words_of([it.test])),
        "_points": _points(it.weight),
        "order": _Fact(it.order, str(it.order), is_usual=True),
    }
    key = (ruleset.ruleset_id, it.rule_id)
    name = f"{words} in {ruleset.name}"
    return _Thing(kind, key, kind.replace("_", " "), name, facts)


def _named(text: str) -> _Fact:
    return _Fact(text, text, is_usual=True)


def _either(value: object, true: str, false: str, *, usual: bool = True) -> _Fact:
    return _Fact(value, true if value else false, is_usual=value is usual)


def _optional(value: object, text: str) -> _Fact:
    return _Fact(value, text, is_usual=value is None)


def _points(weight: int) -> _Fact:
    return _Fact(weight, f"{wording.signed(weight)} {'point' if abs(weight) == 1 else 'points'}")
