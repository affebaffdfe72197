"""Putting what a plan does about scoring into a configuration. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from leadvibe.engine.policies import (
    AttributeRule,
    AttributeRuleset,
    DecayRule,
    DecayUnit,
    FieldTest,
    MetadataFilter,
    VelocityFilter,
)
from leadvibe.engine.rules import Config, Level, LevelKind, Rule, Ruleset
from leadvibe.lib.ids import new_id
from leadvibe.quickstart.catalogue import test_key
from leadvibe.quickstart.planning import default_ladder
from leadvibe.quickstart.types import Body, Part, Plan, Standing
from leadvibe.scoring.defaults import DEFAULT_RULESET_NAME
from leadvibe.scoring.templates import ACCOUNT_NAME, FIT_NAME

Wanted = Mapping[str, Body | None]
"""What is to be there, by key; None for what is to go. All else stays."""

_VELOCITY = "velocity "
AnyRuleset = TypeVar("AnyRuleset", Ruleset, AttributeRuleset)


def fold(config: Config, plan: Plan, *, now: datetime) -> Config:
    """Return the configuration with everything that the plan adds, changes and removes."""
    changes: dict[Part, dict[str, Body | None]] = {part: {} for part in Part}
    for step in plan.steps:
        if step.standing.does_something:
            is_gone = step.standing is Standing.REMOVE
            name = step.item.key.partition(":")[2]
            changes[step.item.part][name] = None if is_gone else step.item.body
    policies = config.policies
    return replace(
        config,
        rulesets=_rulesets(config.rulesets, changes[Part.RULE]),
        levels=_levels(config.levels, changes[Part.LEVELS]),
        policies=replace(
            policies,
            decays=_decays(policies.decays, changes[Part.DECAY], now=now),
            velocity_filters=_velocity(policies.velocity_filters, changes[Part.FILTER]),
            metadata_filters=_metadata(policies.metadata_filters, changes[Part.FILTER]),
            profile_rulesets=_tests(
                policies.profile_rulesets, Part.FIT, FIT_NAME, changes[Part.FIT]
            ),
            account_rulesets=_tests(
                policies.account_rulesets, Part.ACCOUNT, ACCOUNT_NAME, changes[Part.ACCOUNT]
            ),
        ),
    )


def _rulesets(rulesets: tuple[Ruleset, ...], wanted: Wanted) -> tuple[Ruleset, ...]:
    def fill(it: Ruleset) -> Ruleset:
        return replace(it, active=True, rules=_rules(it.rules, wanted))

    return _with_primary(rulesets, Ruleset, DEFAULT_RULESET_NAME, fill) if wanted else rulesets


def _rules(rules: Sequence[Rule], wanted: Wanted) -> tuple[Rule, ...]:
    left, kept = dict(wanted), []
    for rule in rules:
        if rule.event_type not in left:
            kept.append(rule)
        elif body := left.pop(rule.event_type):
            kept.append(replace(rule, weight=body["weight"], active=body["active"]))
    kept += [Rule(new_id(), name, body["weight"]) for name, body in left.items() if body]
    return tuple(kept)


def _tests(
    rulesets: tuple[AttributeRuleset, ...], part: Part, name: str, wanted: Wanted
) -> tuple[AttributeRuleset, ...]:
    def fill(it: AttributeRuleset) -> AttributeRuleset:
        return replace(it, enabled=True, rules=_attribute_rules(it.rules, part, wanted))

    return _with_primary(rulesets, AttributeRuleset, name, fill) if wanted else rulesets


def _with_primary(
    rulesets: tuple[AnyRuleset, ...],
    make: type[AnyRuleset],
    name: str,
    fill: Callable[[AnyRuleset], AnyRuleset],
) -> tuple[AnyRuleset, ...]:
    """Fill the primary ruleset, which is made where there is none."""
    filled = list(rulesets)
    primary = next((it for it in filled if it.is_primary), None)
    if primary is None:
        primary = make(new_id(), _free_name(name, (it.name for it in filled)), is_primary=True)
        filled.append(primary)
    return tuple(fill(it) if it is primary else it for it in filled)


def _attribute_rules(
    rules: Sequence[AttributeRule], part: Part, wanted: Wanted
) -> tuple[AttributeRule, ...]:
    left, kept = dict(wanted), []
    for rule in rules:
        key = test_key(part, rule.test).partition(":")[2]
        if key not in left:
            kept.append(rule)
        elif body := left.pop(key):
            kept.append(replace(rule, weight=body["weight"]))
    place = max((rule.order for rule in kept), default=-1) + 1
    added = (body for body in left.values() if body)
    for order, body in enumerate(added, start=place):
        kept.append(AttributeRule(new_id(), FieldTest(*body["test"]), body["weight"], order))
    return tuple(kept)


def _levels(levels: tuple[Level, ...], wanted: Wanted) -> tuple[Level, ...]:
    for name, body in wanted.items():
        kind = LevelKind(name)
        ids = {it.name: it.level_id for it in levels if it.kind is kind}
        steps: list[Any] = body["levels"] if body else default_ladder(kind)
        levels = tuple(it for it in levels if it.kind is not kind) + tuple(
            Level(ids.get(title) or new_id(), kind, title, start, end, color, order)
            for order, (title, start, end, color) in enumerate(steps)
        )
    return levels


def _decays(
    decays: tuple[DecayRule, ...], wanted: Wanted, *, now: datetime
) -> tuple[DecayRule, ...]:
    for body in wanted.values():
        known = {(it.inactive_for, it.unit.value, it.decrease): it for it in decays}
        decays = tuple(
            known.get((length, unit, decrease))
            or DecayRule(new_id(), length, DecayUnit(unit), decrease, created_at=now)
            for length, unit, decrease in (body["decays"] if body else ())
        )
    return decays


def _velocity(filters: tuple[VelocityFilter, ...], wanted: Wanted) -> tuple[VelocityFilter, ...]:
    ours = {
        name.removeprefix(_VELOCITY): body
        for name, body in wanted.items()
        if name.startswith(_VELOCITY)
    }
    ids = {it.event_type: it.filter_id for it in filters}
    return tuple(it for it in filters if it.event_type not in ours) + tuple(
        VelocityFilter(ids.get(event_type) or new_id(), event_type, **body)
        for event_type, body in ours.items()
        if body
    )


def _metadata(filters: tuple[MetadataFilter, ...], wanted: Wanted) -> tuple[MetadataFilter, ...]:
    ours = {name: body for name, body in wanted.items() if not name.startswith(_VELOCITY)}
    ids = {it.name: it.filter_id for it in filters}
    return tuple(it for it in filters if it.name not in ours) + tuple(
        MetadataFilter(
            ids.get(name) or new_id(),
            name,
            body["event_type"],
            tuple(FieldTest(*it) for it in body["conditions"]),
            body["enabled"],
        )
        for name, body in ours.items()
        if body
    )


def _free_name(wanted: str, taken: Iterable[str]) -> str:
    names = set(taken)
    numbered = (f"{wanted} {number}" for number in range(2, len(names) + 3))
    return wanted if wanted not in names else next(it for it in numbered if it not in names)
