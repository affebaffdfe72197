"""Writes of decay rules, velocity and metadata filters and the surge policy, each a version.

None of them rewrites history: events that are scored keep the version they were scored under.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from leadvibe.engine.conditions import parse_operator
from leadvibe.engine.decay import BEGINNING
from leadvibe.engine.policies import (
    SURGE_STANDARD,
    DecayRule,
    DecayUnit,
    FieldTest,
    SurgeMode,
    SurgePolicy,
    VelocityFilter,
)
from leadvibe.identity.types import Principal, Scope
from leadvibe.scoring import items, queries
from leadvibe.scoring.checks import problems_of_conditions, problems_of_surge, refuse
from leadvibe.scoring.service import lock_configuration
from leadvibe.scoring.types import ConfigItem, ItemKind
from leadvibe.scoring.wording import words_of_bands, words_of_decay, words_of_velocity


def create_decay(
    principal: Principal, scope: Scope, fields: Mapping[str, Any], *, now: datetime
) -> ConfigItem:
    """Make a decay rule; it takes nothing that was due before now."""
    summary = f"Added decay: {_decay_in_words(fields)}"
    return items.create_item(
        principal, scope, ItemKind.DECAY, dict(fields), summary=summary, now=now
    )


def update_decay(
    principal: Principal, scope: Scope, decay_id: UUID, changes: Mapping[str, Any], *, now: datetime
) -> ConfigItem:
    """Change the fields that are given. Raises ConfigItemNotFoundError."""
    return _update(principal, scope, ItemKind.DECAY, decay_id, changes, now=now)


def delete_decay(principal: Principal, scope: Scope, decay_id: UUID, *, now: datetime) -> None:
    """Delete a decay rule; what it took stays taken. Raises ConfigItemNotFoundError."""
    _delete(principal, scope, ItemKind.DECAY, decay_id, now=now)


def create_velocity_filter(
    principal: Principal, scope: Scope, fields: Mapping[str, Any], *, now: datetime
) -> ConfigItem:
    """Make a velocity filter; it judges events that come from now on."""
    kind = ItemKind.VELOCITY_FILTER
    summary = f"Added velocity filter: {_velocity_in_words(fields)}"
    return items.create_item(principal, scope, kind, dict(fields), summary=summary, now=now)


def update_velocity_filter(
    principal: Principal,
    scope: Scope,
    filter_id: UUID,
    changes: Mapping[str, Any],
    *,
    now: datetime,
) -> ConfigItem:
    """Change the fields that are given. Raises ConfigItemNotFoundError."""
    return _update(principal, scope, ItemKind.VELOCITY_FILTER, filter_id, changes, now=now)


def delete_velocity_filter(
    principal: Principal, scope: Scope, filter_id: UUID, *, now: datetime
) -> None:
    """Delete a velocity filter; what it suppressed stays so. Raises ConfigItemNotFoundError."""
    _delete(principal, scope, ItemKind.VELOCITY_FILTER, filter_id, now=now)


def create_metadata_filter(
    principal: Principal, scope: Scope, fields: Mapping[str, Any], *, now: datetime
) -> ConfigItem:
    """Make a metadata filter; `conditions` are dicts of key, operator and value.

    Raises BadConfigError for conditions that mean nothing, and ConfigItemExistsError.
    """
    kind = ItemKind.METADATA_FILTER
    lock_configuration(scope)
    items.check_unique(scope, kind, "name", fields["name"])
    body = {**fields, "conditions": _checked(fields["conditions"])}
    summary = f"Added metadata filter: {_name_in_words(body)}"
    return items.create_item(principal, scope, kind, body, summary=summary, now=now)


def update_metadata_filter(
    principal: Principal,
    scope: Scope,
    filter_id: UUID,
    changes: Mapping[str, Any],
    *,
    now: datetime,
) -> ConfigItem:
    """Change the fields that are given. Raises as create does, and ConfigItemNotFoundError."""
    kind = ItemKind.METADATA_FILTER
    lock_configuration(scope)
    queries.get_item(scope, kind, filter_id)
    kept = dict(changes)
    if "name" in kept:
        items.check_unique(scope, kind, "name", kept["name"], but=filter_id)
    if "conditions" in kept:
        kept["conditions"] = _checked(kept["conditions"])
    return _update(principal, scope, kind, filter_id, kept, now=now)


def delete_metadata_filter(
    principal: Principal, scope: Scope, filter_id: UUID, *, now: datetime
) -> None:
    """Delete a metadata filter; what it suppressed stays so. Raises ConfigItemNotFoundError."""
    _delete(principal, scope, ItemKind.METADATA_FILTER, filter_id, now=now)


def get_surge_policy(scope: Scope) -> SurgePolicy:
    """Return the unit's surge policy, the standard one when nobody has chosen."""
    item = queries.find_item(scope, ItemKind.SURGE_POLICY, scope.unit_id)
    return _SURGE.validate_python(item.body) if item else SURGE_STANDARD


def set_surge_policy(
    principal: Principal, scope: Scope, policy: SurgePolicy, *, now: datetime
) -> SurgePolicy:
    """Put a surge policy into the place of the current one. Raises BadConfigError."""
    refuse(dict(problems_of_surge(policy)))
    lock_configuration(scope)
    if policy != get_surge_policy(scope):
        summary = f"Session surge is {policy.mode} now"
        if policy.mode is SurgeMode.CUSTOM:
            summary += f": {words_of_bands(policy.bands)}"
        items.put_item(
            principal,
            scope,
            ItemKind.SURGE_POLICY,
            scope.unit_id,
            _SURGE.dump_python(policy, mode="json"),
            summary=summary,
            now=now,
        )
    return policy


_SURGE = TypeAdapter(SurgePolicy)
_NOBODYS = UUID(int=0)


def _update(
    principal: Principal,
    scope: Scope,
    kind: ItemKind,
    item_id: UUID,
    changes: Mapping[str, Any],
    *,
    now: datetime,
) -> ConfigItem:
    lock_configuration(scope)
    item = queries.get_item(scope, kind, item_id)
    body = {**item.body, **changes}
    if body == item.body:
        return item
    words = _IN_WORDS[kind]
    summary = f"Changed {_noun(kind)}: {words(body)} instead of {words(item.body)}"
    if words(body) == words(item.body):
        summary = f"Changed {_noun(kind)}: {words(body)}"
    return items.update_item(principal, scope, kind, item_id, changes, summary=summary, now=now)


def _delete(
    principal: Principal, scope: Scope, kind: ItemKind, item_id: UUID, *, now: datetime
) -> None:
    lock_configuration(scope)
    body = queries.get_item(scope, kind, item_id).body
    summary = f"Deleted {_noun(kind)}: {_IN_WORDS[kind](body)}"
    items.delete_item(principal, scope, kind, item_id, summary=summary, now=now)


def _noun(kind: ItemKind) -> str:
    return kind.replace("_", " ")


def _checked(conditions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return conditions with each operator spelled in the one way that is stored."""
    tests = [FieldTest(**condition) for condition in conditions]
    refuse(dict(problems_of_conditions(tests, "conditions.")))
    return [{**it, "operator": parse_operator(it["operator"]).value} for it in conditions]


def _decay_in_words(body: Mapping[str, Any]) -> str:
    facts = {**body, "unit": DecayUnit(body["unit"])}
    return words_of_decay(DecayRule(decay_id=_NOBODYS, created_at=BEGINNING, **facts))


def _velocity_in_words(body: Mapping[str, Any]) -> str:
    return words_of_velocity(VelocityFilter(filter_id=_NOBODYS, **body))


def _name_in_words(body: Mapping[str, Any]) -> str:
    return str(body["name"])


_IN_WORDS = {
    ItemKind.DECAY: _decay_in_words,
    ItemKind.VELOCITY_FILTER: _velocity_in_words,
    ItemKind.METADATA_FILTER: _name_in_words,
}
