"""Writes of rulesets, rules and field mappings of profiles and accounts, each a config version.

Both sides work alike. What a change makes stale is scored anew in the background; what is deleted
or disabled leaves its scores as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from leadvibe.engine.mapping import list_of
from leadvibe.engine.policies import FieldMapping, FieldTest, UpdateBehavior
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.db import driver
from leadvibe.scoring import items, queries
from leadvibe.scoring.checks import problems_of_test, refuse
from leadvibe.scoring.condition_words import words_of_test
from leadvibe.scoring.errors import ConfigItemExistsError, ConfigItemNotFoundError
from leadvibe.scoring.profiles import Side
from leadvibe.scoring.service import lock_configuration
from leadvibe.scoring.types import ConfigItem, ItemKind
from leadvibe.scoring.wording import signed


class Kinds(NamedTuple):
    """What the items of one side are called."""

    ruleset: ItemKind
    rule: ItemKind
    mapping: ItemKind


KINDS = {
    Side.PROFILE: Kinds(ItemKind.PROFILE_RULESET, ItemKind.PROFILE_RULE, ItemKind.PROFILE_MAPPING),
    Side.ACCOUNT: Kinds(ItemKind.ACCOUNT_RULESET, ItemKind.ACCOUNT_RULE, ItemKind.ACCOUNT_MAPPING),
}


def list_rules(scope: Scope, side: Side, ruleset_id: UUID) -> list[ConfigItem]:
    """Return the rules of a ruleset as people arranged them. Raises ConfigItemNotFoundError."""
    queries.get_item(scope, KINDS[side].ruleset, ruleset_id)
    rules = queries.list_items(scope, KINDS[side].rule)
    mine = [rule for rule in rules if rule.body["ruleset_id"] == str(ruleset_id)]
    return sorted(mine, key=lambda rule: rule.body["order"])


def get_rule(scope: Scope, side: Side, rule_id: UUID, *, ruleset_id: UUID) -> ConfigItem:
    """Return a rule of a ruleset. Raises ConfigItemNotFoundError."""
    queries.get_item(scope, KINDS[side].ruleset, ruleset_id)
    rule = queries.get_item(scope, KINDS[side].rule, rule_id)
    if rule.body["ruleset_id"] != str(ruleset_id):
        raise _elsewhere(KINDS[side].rule, rule_id)
    return rule


def create_ruleset(
    principal: Principal, scope: Scope, side: Side, fields: Mapping[str, Any], *, now: datetime
) -> ConfigItem:
    """Make a ruleset of `name`, `enabled` and `is_primary`; a new primary replaces the old one.

    Raises ConfigItemExistsError for a name that is taken.
    """
    kind = KINDS[side].ruleset
    lock_configuration(scope)
    items.check_unique(scope, kind, "name", fields["name"])
    if fields["is_primary"]:
        _clear_primary(scope, kind)
    summary = f"Added {_noun(kind)} {fields['name']}"
    return items.create_item(principal, scope, kind, dict(fields), summary=summary, now=now)


def update_ruleset(
    principal: Principal,
    scope: Scope,
    side: Side,
    ruleset_id: UUID,
    changes: Mapping[str, Any],
    *,
    now: datetime,
) -> ConfigItem:
    """Change the fields that are given. Raises as create does, and ConfigItemNotFoundError."""
    kind = KINDS[side].ruleset
    lock_configuration(scope)
    current = queries.get_item(scope, kind, ruleset_id)
    kept = _different(current, changes)
    if not kept:
        return current
    if "name" in kept:
        items.check_unique(scope, kind, "name", kept["name"], but=ruleset_id)
    if kept.get("is_primary"):
        _clear_primary(scope, kind)
    summary = f"Changed {_noun(kind)} {current.body['name']}"
    return items.update_item(principal, scope, kind, ruleset_id, kept, summary=summary, now=now)


def delete_ruleset(
    principal: Principal, scope: Scope, side: Side, ruleset_id: UUID, *, now: datetime
) -> None:
    """Delete a ruleset with its rules; what it scored so far stays."""
    kind = KINDS[side].ruleset
    lock_configuration(scope)
    current = queries.get_item(scope, kind, ruleset_id)
    summary = f"Deleted {_noun(kind)} {current.body['name']}"
    items.delete_item(principal, scope, kind, ruleset_id, summary=summary, now=now)


def create_rule(
    principal: Principal,
    scope: Scope,
    side: Side,
    ruleset_id: UUID,
    *,
    test: FieldTest,
    weight: int,
    order: int,
    now: datetime,
) -> ConfigItem:
    """Make a rule. Raises ConfigItemNotFoundError, and BadConfigError for a meaningless test."""
    kinds = KINDS[side]
    lock_configuration(scope)
    ruleset = queries.get_item(scope, kinds.ruleset, ruleset_id)
    refuse(dict(problems_of_test(test, "")))
    body = {
        "ruleset_id": str(ruleset_id),
        "test": _written(test),
        "weight": weight,
        "order": order,
    }
    summary = f"{ruleset.body['name']}: {words_of_test(test)} is worth {signed(weight)}"
    return items.create_item(principal, scope, kinds.rule, body, summary=summary, now=now)


def update_rule(
    principal: Principal,
    scope: Scope,
    side: Side,
    rule_id: UUID,
    changes: Mapping[str, Any],
    *,
    ruleset_id: UUID,
    now: datetime,
) -> ConfigItem:
    """Change the fields that are given: `key`, `operator`, `value`, `weight`, `order`.

    Raises as create does.
    """
    kinds = KINDS[side]
    lock_configuration(scope)
    ruleset = queries.get_item(scope, kinds.ruleset, ruleset_id)
    rule = get_rule(scope, side, rule_id, ruleset_id=ruleset_id)
    parts = {key: value for key, value in changes.items() if key in rule.body["test"]}
    test = FieldTest(**{**rule.body["test"], **parts})
    refuse(dict(problems_of_test(test, "")))
    others = {key: value for key, value in changes.items() if key not in parts}
    kept = _different(rule, {**others, "test": _written(test)})
    if not kept:
        return rule
    weight = kept.get("weight", rule.body["weight"])
    summary = f"{ruleset.body['name']}: {words_of_test(test)} is worth {signed(weight)}"
    return items.update_item(principal, scope, kinds.rule, rule_id, kept, summary=summary, now=now)


def delete_rule(
    principal: Principal,
    scope: Scope,
    side: Side,
    rule_id: UUID,
    *,
    ruleset_id: UUID,
    now: datetime,
) -> None:
    """Delete a rule; what it gave so far stays until a lead or an account changes."""
    kinds = KINDS[side]
    lock_configuration(scope)
    ruleset = queries.get_item(scope, kinds.ruleset, ruleset_id)
    rule = get_rule(scope, side, rule_id, ruleset_id=ruleset_id)
    test = FieldTest(**rule.body["test"])
    summary = f"{ruleset.body['name']}: {words_of_test(test)} gives no points any more"
    items.delete_item(principal, scope, kinds.rule, rule_id, summary=summary, now=now)


def create_mapping(
    principal: Principal, scope: Scope, side: Side, fields: Mapping[str, Any], *, now: datetime
) -> ConfigItem:
    """Make a mapping of `source_field`, `target_property` and `update_behavior`.

    Events that come from now on are mapped. Raises ConfigItemExistsError when the pair is mapped
    already, or the property is filled in another way.
    """
    kind = KINDS[side].mapping
    lock_configuration(scope)
    _check_mapping(scope, kind, fields, but=None)
    summary = f"Added {_noun(kind)}: {_mapping_in_words(fields)}"
    return items.create_item(principal, scope, kind, dict(fields), summary=summary, now=now)


def update_mapping(
    principal: Principal,
    scope: Scope,
    side: Side,
    mapping_id: UUID,
    changes: Mapping[str, Any],
    *,
    now: datetime,
) -> ConfigItem:
    """Change the fields that are given. Raises as create does, and ConfigItemNotFoundError."""
    kind = KINDS[side].mapping
    lock_configuration(scope)
    current = queries.get_item(scope, kind, mapping_id)
    kept = _different(current, changes)
    if not kept:
        return current
    fields = {**current.body, **kept}
    _check_mapping(scope, kind, fields, but=mapping_id)
    summary = (
        f"Changed {_noun(kind)}: {_mapping_in_words(fields)}"
        f" instead of {_mapping_in_words(current.body)}"
    )
    return items.update_item(principal, scope, kind, mapping_id, kept, summary=summary, now=now)


def delete_mapping(
    principal: Principal, scope: Scope, side: Side, mapping_id: UUID, *, now: datetime
) -> None:
    """Delete a mapping; what it filled in stays."""
    kind = KINDS[side].mapping
    lock_configuration(scope)
    current = queries.get_item(scope, kind, mapping_id)
    summary = f"Deleted {_noun(kind)}: {_mapping_in_words(current.body)}"
    items.delete_item(principal, scope, kind, mapping_id, summary=summary, now=now)


def _check_mapping(
    scope: Scope, kind: ItemKind, fields: Mapping[str, Any], *, but: UUID | None
) -> None:
    wanted = _mapping(fields)
    others = [it for it in queries.list_items(scope, kind) if it.item_id != but]
    for other in (_mapping(it.body) for it in others):
        for field, problem in _collisions(wanted, other):
            raise ConfigItemExistsError(
                f"The mapping of {other.source_field} to {other.target_property} {problem}",
                fields={field: "collides with another mapping"},
            )


def _collisions(wanted: FieldMapping, other: FieldMapping) -> Iterator[tuple[str, str]]:
    """Yield what keeps two mappings apart: a property has one way to be filled."""
    target = wanted.target_property
    if other.target_property == target:
        if other.source_field == wanted.source_field:
            yield "source_field", "exists already: change that one."
        elif other.update_behavior is not wanted.update_behavior:
            behavior = other.update_behavior
            yield "update_behavior", f"fills that property by {behavior}: use the same."
    if target == list_of(other):
        yield "target_property", f"keeps its list in {target}: choose another property."
    if other.target_property == list_of(wanted):
        yield "target_property", "fills what this one would keep its list in: choose another."


def _mapping(fields: Mapping[str, Any]) -> FieldMapping:
    return FieldMapping(
        mapping_id=_NOBODYS,
        source_field=fields["source_field"],
        target_property=fields["target_property"],
        update_behavior=UpdateBehavior(fields["update_behavior"]),
    )


_NOBODYS = UUID(int=0)


def _mapping_in_words(fields: Mapping[str, Any]) -> str:
    behavior = fields["update_behavior"].replace("_", " ")
    return f"{fields['source_field']} to {fields['target_property']} ({behavior})"


def _different(current: ConfigItem, changes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in changes.items() if current.body.get(key) != value}


def _written(test: FieldTest) -> dict[str, Any]:
    return {"key": test.key, "operator": test.operator, "value": test.value}


def _clear_primary(scope: Scope, kind: ItemKind) -> None:
    statement = """
        UPDATE config_items SET body = jsonb_set(body, '{is_primary}', 'false')
        WHERE unit_id = %s AND kind = %s AND (body->>'is_primary')::boolean
    """
    driver().execute(statement, (scope.unit_id, kind.value))


def _elsewhere(kind: ItemKind, rule_id: UUID) -> ConfigItemNotFoundError:
    error = ConfigItemNotFoundError(f"There is no {_noun(kind)} '{rule_id}' in this ruleset.")
    error.code = f"{kind}_not_found"
    return error


def _noun(kind: ItemKind) -> str:
    return kind.replace("_", " ")
