"""Facts and configurations for examples: pass only what the example is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

from leadvibe.engine.engagement import Awarder, compile_config
from leadvibe.engine.facts import Entry, EntryKind, Event
from leadvibe.engine.rules import Config, Level, LevelKind, Rule, Ruleset

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


def make_event(
    event_type: str = "demo_request",
    at: datetime = MONDAY,
    *,
    receipt: int | None = None,
    version: int = 1,
) -> Event:
    number = next(_numbers)
    return Event(UUID(int=number), event_type, at, number if receipt is None else receipt, version)


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
