"""Facts and configurations for examples: pass only what the example is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

from leadvibe.engine.decay import Fading
from leadvibe.engine.engagement import Awarder, compile_config
from leadvibe.engine.facts import Entry, EntryKind, Event
from leadvibe.engine.policies import (
    Band,
    DecayRule,
    DecayUnit,
    FieldTest,
    MetadataFilter,
    Policies,
    SurgeMode,
    SurgePolicy,
    VelocityFilter,
)
from leadvibe.engine.replay import History, reign_of
from leadvibe.engine.rules import PLAIN, Config, Level, LevelKind, Rule, Ruleset

MONDAY = datetime(2025, 6, 2, 9, 0, tzinfo=UTC)

_numbers = count(1)


def make_id() -> UUID:
    return UUID(int=next(_numbers))


def after(**span: float) -> datetime:
    return MONDAY + timedelta(**span)


def make_rule(event_type: str = "demo_request", weight: int = 10, **fields) -> Rule:
    return Rule(rule_id=make_id(), event_type=event_type, weight=weight, **fields)


def make_ruleset(*rules: Rule, name: str = "Default", **fields) -> Ruleset:
    return Ruleset(ruleset_id=make_id(), name=name, rules=rules, **fields)


def make_config(*rulesets: Ruleset, version: int = 1, **fields) -> Config:
    return Config(version=version, rulesets=rulesets, **fields)


def make_awarder(*rules: Rule, **fields) -> Awarder:
    return compile_config(make_config(make_ruleset(*rules), **fields))


def make_history(*configs: Config, starts_at: datetime = MONDAY) -> History:
    """Let each config come into force a day after the one before it."""
    reigns = [reign_of(it, starts_at + timedelta(days=day)) for day, it in enumerate(configs)]
    return History({it.version: compile_config(it) for it in configs}, Fading.of(reigns))


def make_policies(**fields) -> Policies:
    """Make policies without surge, unless it is what they are about."""
    return replace(PLAIN, **fields)


def make_surge(*bands: tuple[int, int], idle: int = 1800, cap: int = 300) -> SurgePolicy:
    """Make a custom policy of (place, percent) bands."""
    return SurgePolicy(SurgeMode.CUSTOM, tuple(Band(*band) for band in bands), idle, cap)


def make_decay(
    inactive_for: int = 1,
    unit: DecayUnit = DecayUnit.DAYS,
    decrease: int = 10,
    created_at: datetime = MONDAY,
) -> DecayRule:
    return DecayRule(make_id(), inactive_for, unit, decrease, created_at)


def make_velocity(
    threshold: int = 2,
    seconds: float = 60,
    *,
    event_type: str = "email_open",
    group_events: bool = False,
) -> VelocityFilter:
    return VelocityFilter(make_id(), event_type, threshold, int(seconds * 1000), group_events)


def make_metadata_filter(
    *conditions: tuple[str, str, object], event_type: str = "", enabled: bool = True
) -> MetadataFilter:
    tests = tuple(FieldTest(*condition) for condition in conditions)
    return MetadataFilter(make_id(), "Machines", event_type, tests, enabled)


def make_event(
    event_type: str = "demo_request",
    at: datetime = MONDAY,
    *,
    receipt: int | None = None,
    version: int = 1,
    fingerprint: int | None = None,
    is_filtered: bool = False,
) -> Event:
    """Make an event that resembles no other, unless it is given a fingerprint."""
    number = next(_numbers)
    return Event(
        event_id=UUID(int=number),
        event_type=event_type,
        occurred_at=at,
        receipt=number if receipt is None else receipt,
        version=version,
        fingerprint=number if fingerprint is None else fingerprint,
        is_filtered=is_filtered,
    )


def make_level(
    name: str, low: int, high: int | None, kind: LevelKind = LevelKind.ENGAGEMENT
) -> Level:
    return Level(level_id=make_id(), kind=kind, name=name, min_score=low, max_score=high)


def make_entry(
    *,
    ruleset_id: UUID,
    seq: int,
    before: int,
    delta: int,
    weight: int | None = None,
    percent: int = 100,
    kind: str = EntryKind.EVENT,
    at: datetime = MONDAY,
    event_id: UUID | None = None,
    rule_id: UUID | None = None,
) -> Entry:
    return Entry(
        ruleset_id=ruleset_id,
        seq=seq,
        event_id=event_id or make_id(),
        rule_id=rule_id,
        version=1,
        kind=kind,
        weight=delta if weight is None else weight,
        multiplier_percent=percent,
        before=before,
        delta=delta,
        after=before + delta,
        occurred_at=at,
    )
