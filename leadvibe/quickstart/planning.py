"""What applying answers would do to what is there. Pure.

Only what a quick start made and nobody has touched since is ever changed or removed: whatever
somebody made, edited or deleted themselves stays as they left it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from leadvibe.engine.policies import AttributeRuleset
from leadvibe.engine.rules import Config, Level, LevelKind
from leadvibe.engine.triggers import Filters, to_json
from leadvibe.quickstart.catalogue import test_key, wanted_items, wanted_levels
from leadvibe.quickstart.errors import BadAnswersError
from leadvibe.quickstart.types import (
    MAX_WEIGHT,
    Answers,
    Body,
    Current,
    Item,
    Part,
    Plan,
    Standing,
    Step,
)
from leadvibe.scoring.defaults import DEFAULT_LEVELS
from leadvibe.scoring.templates import TEMPLATES, Template, find_template
from leadvibe.segments.types import Segment, SegmentRule
from leadvibe.triggers.types import Recipients, Trigger


def plan(answers: Answers, current: Current) -> Plan:
    """Return every item that the answers ask for, and what was made before and is not any more.

    Raises BadAnswersError.
    """
    template = _template(answers)
    found = read_bodies(current)
    ladders = _ladders(template, answers, current, found)
    items = [
        _weighed(it, answers) for it in wanted_items(template, answers, ladders, current.config)
    ]
    return Plan(steps=tuple(_steps(items, answers, current, found)))


def standing_of(wanted: Body | None, found: Body | None, made: Body | None) -> Standing:
    """Say what is to be done; None for not wanted, not there, and not made by a quick start."""
    if made is None:
        return _first_time(wanted, found)
    if found is None:
        return Standing.GONE if wanted is not None else Standing.OFF
    if found != made:
        return Standing.EDITED
    if wanted is None:
        return Standing.REMOVE
    return Standing.SAME if wanted == found else Standing.CHANGE


def _first_time(wanted: Body | None, found: Body | None) -> Standing:
    if wanted is None:
        return Standing.OFF
    return Standing.ADD if found is None else Standing.KEEP


def canonical(body: Mapping[str, Any]) -> Body:
    """Return a body as JSON would give it back, so that it can be compared with a stored one."""
    read: Body = json.loads(json.dumps(body))
    return read


def _template(answers: Answers) -> Template:
    template = find_template(answers.industry)
    if template is None:
        known = ", ".join(it.key for it in TEMPLATES)
        raise BadAnswersError(
            f"industry must be one of {known}.", fields={"industry": f"is not one of {known}"}
        )
    for key, weight in answers.weights.items():
        if abs(weight) > MAX_WEIGHT:
            problem = f"must be between -{MAX_WEIGHT} and {MAX_WEIGHT}"
            raise BadAnswersError(f"{key} {problem}.", fields={f"weights.{key}": problem})
    return template


def _weighed(item: Item, answers: Answers) -> Item:
    body = canonical(item.body)
    if "weight" in body and item.key in answers.weights:
        body = {**body, "weight": answers.weights[item.key]}
    return replace(item, body=body)


def _steps(
    items: Iterable[Item], answers: Answers, current: Current, found: Mapping[str, Body]
) -> Iterator[Step]:
    made, seen = current.made, set()
    for item in items:
        seen.add(item.key)
        before = made.get(item.key)
        wanted = None if item.key in answers.off else item.body
        theirs = found.get(item.key) or _namesake(item, current)
        yield Step(item=item, standing=standing_of(wanted, theirs, before.body if before else None))
    for key, it in made.items():
        standing = standing_of(None, found.get(key), it.body)
        if key not in seen and standing is Standing.REMOVE:
            yield Step(item=_forgotten(key, it.body), standing=standing)


def _namesake(item: Item, current: Current) -> Body | None:
    """Return what somebody else made under the name that an item would have."""
    if item.key in current.made:
        return None
    if item.part is Part.SEGMENT:
        return next(
            (_segment(it, rules) for it, rules in current.segments if it.name == item.title), None
        )
    if item.part is Part.TRIGGER:
        return next((_trigger(it) for it in current.triggers if it.name == item.title), None)
    return None


def _forgotten(key: str, body: Body) -> Item:
    part, _, name = key.partition(":")
    return Item(
        key=key,
        part=Part(part),
        title=str(body.get("name") or name or part.capitalize()),
        sentence="Made by an earlier quick start; these answers do not ask for it.",
        body=body,
    )


def _ladders(
    template: Template, answers: Answers, current: Current, found: Mapping[str, Body]
) -> Mapping[LevelKind, Any]:
    """Return the levels as they will stand afterwards."""
    after = {kind: _ladder(current.config.levels_of(kind)) for kind in LevelKind}
    has_accounts = current.config.policies.abm_enabled
    for item in wanted_levels(template, answers, has_accounts=has_accounts):
        before = current.made.get(item.key)
        wanted = None if item.key in answers.off else canonical(item.body)
        standing = standing_of(wanted, found.get(item.key), before.body if before else None)
        kind = LevelKind(item.key.partition(":")[2])
        if standing in {Standing.ADD, Standing.CHANGE}:
            after[kind] = canonical(item.body)["levels"]
        elif standing is Standing.REMOVE:
            after[kind] = default_ladder(kind)
    return after


def default_ladder(kind: LevelKind) -> list[list[Any]]:
    """Return the levels that a new unit has."""
    return [
        [it.name, it.min_score, it.max_score, it.color] for it in DEFAULT_LEVELS if it.kind is kind
    ]


def _ladder(levels: Iterable[Level]) -> list[list[Any]]:
    return [[it.name, it.min_score, it.max_score, it.color] for it in levels]


def read_bodies(current: Current) -> dict[str, Body]:
    """Return what is there, by key; segments and triggers only as far as a quick start made them.

    Levels that a new unit begins with count as nothing, for nobody has chosen them.
    """
    bodies = {**dict(_config_bodies(current.config))}
    by_id = {it.id: key for key, it in current.made.items() if it.id}
    for segment, rules in current.segments:
        if key := by_id.get(segment.segment_id):
            bodies[key] = _segment(segment, rules)
    for trigger in current.triggers:
        if key := by_id.get(trigger.trigger_id):
            bodies[key] = _trigger(trigger)
    return {key: canonical(body) for key, body in bodies.items()}


def _config_bodies(config: Config) -> Iterator[tuple[str, Body]]:
    policies, primary = config.policies, config.find_primary()
    for rule in primary.rules if primary else ():
        yield f"rule:{rule.event_type}", {"weight": rule.weight, "active": rule.active}
    yield from _tests(Part.FIT, policies.profile_rulesets)
    yield from _tests(Part.ACCOUNT, policies.account_rulesets)
    for kind in LevelKind:
        steps = _ladder(config.levels_of(kind))
        if steps and steps != default_ladder(kind):
            yield f"levels:{kind}", {"levels": steps}
    if policies.decays:
        decays = [[it.inactive_for, it.unit.value, it.decrease] for it in policies.decays]
        yield "decay", {"decays": decays}
    for velocity in policies.velocity_filters:
        yield (
            f"filter:velocity {velocity.event_type}",
            {
                "count_threshold": velocity.count_threshold,
                "time_window_ms": velocity.time_window_ms,
                "group_events": velocity.group_events,
                **({} if velocity.enabled else {"enabled": False}),
            },
        )
    for one in policies.metadata_filters:
        conditions = [[it.key, it.operator, it.value] for it in one.conditions]
        yield (
            f"filter:{one.name}",
            {"event_type": one.event_type, "conditions": conditions, "enabled": one.enabled},
        )


def _tests(part: Part, rulesets: Iterable[AttributeRuleset]) -> Iterator[tuple[str, Body]]:
    primary = next((it for it in rulesets if it.is_primary), None)
    for rule in primary.rules if primary else ():
        test = [rule.test.key, rule.test.operator, rule.test.value]
        yield test_key(part, rule.test), {"weight": rule.weight, "test": test}


def _segment(segment: Segment, rules: Iterable[SegmentRule]) -> Body:
    return {
        "name": segment.name,
        "description": segment.description,
        "active": segment.active,
        "rules": [_segment_rule(it) for it in rules],
    }


def _segment_rule(rule: SegmentRule) -> Body:
    return {
        "name": rule.name,
        "rule_type": rule.rule_type.value,
        "field": rule.field,
        "operator": rule.operator,
        "value": rule.value,
        "event_type": rule.event_type,
        "group": rule.group,
        "logic_op": rule.logic_op.value,
        "active": rule.active,
    }


def _trigger(trigger: Trigger) -> Body:
    owner_only = Recipients(notify_owner=True)
    return {
        "kind": trigger.kind.value,
        "name": trigger.name,
        "description": trigger.description,
        "active": trigger.active,
        "fire_mode": trigger.fire_mode.value,
        "cooldown_seconds": trigger.cooldown_seconds,
        "shape": to_json(trigger.shape),
        "filters": None if trigger.filters == Filters() else to_json(trigger.filters),
        # Anybody else who is told was added by somebody: that must not read as ours.
        "notify_owner": trigger.recipients == owner_only or repr(trigger.recipients),
    }
