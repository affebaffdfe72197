"""Writes of what steers scoring beside rules: one way for all kinds, each making a config version.

Whoever calls says in words what changed, and has checked that the body means something. Changing
these never rewrites history: that is a rescore (pipeline.rescore).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert

from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.db import session
from leadvibe.lib.ids import new_id
from leadvibe.scoring import queries
from leadvibe.scoring.errors import ConfigItemExistsError
from leadvibe.scoring.models import ConfigItemRow
from leadvibe.scoring.service import lock_configuration, record_version
from leadvibe.scoring.types import ConfigItem, ItemKind


def create_item(
    principal: Principal,
    scope: Scope,
    kind: ItemKind,
    body: Mapping[str, Any],
    *,
    summary: str,
    now: datetime,
) -> ConfigItem:
    """Make an item; `body` is JSON."""
    lock_configuration(scope)
    item_id = new_id()
    _put(principal, scope, kind, item_id, body, now=now)
    record_version(scope, summary=summary, by=principal.label, now=now)
    return queries.get_item(scope, kind, item_id)


def put_item(
    principal: Principal,
    scope: Scope,
    kind: ItemKind,
    item_id: UUID,
    body: Mapping[str, Any],
    *,
    summary: str,
    now: datetime,
) -> ConfigItem:
    """Write an item whole, whether it is there or not: for kinds of which a unit has one."""
    lock_configuration(scope)
    _put(principal, scope, kind, item_id, body, now=now)
    record_version(scope, summary=summary, by=principal.label, now=now)
    return queries.get_item(scope, kind, item_id)


def update_item(
    principal: Principal,
    scope: Scope,
    kind: ItemKind,
    item_id: UUID,
    changes: Mapping[str, Any],
    *,
    summary: str,
    now: datetime,
) -> ConfigItem:
    """Change the fields that are given. Raises ConfigItemNotFoundError."""
    lock_configuration(scope)
    current = queries.get_item(scope, kind, item_id)
    session().execute(
        update(ConfigItemRow)
        .where(*_is(scope, kind, item_id))
        .values(body={**current.body, **changes}, updated_at=now, updated_by=principal.label)
    )
    record_version(scope, summary=summary, by=principal.label, now=now)
    return queries.get_item(scope, kind, item_id)


def delete_item(
    principal: Principal,
    scope: Scope,
    kind: ItemKind,
    item_id: UUID,
    *,
    summary: str,
    now: datetime,
) -> None:
    """Delete an item, and the rules of a ruleset with it. Raises ConfigItemNotFoundError."""
    lock_configuration(scope)
    queries.get_item(scope, kind, item_id)
    session().execute(delete(ConfigItemRow).where(*_is(scope, kind, item_id)))
    if (rule_kind := _RULES_OF.get(kind)) is not None:
        session().execute(
            delete(ConfigItemRow).where(
                ConfigItemRow.unit_id == scope.unit_id,
                ConfigItemRow.kind == rule_kind,
                ConfigItemRow.body["ruleset_id"].astext == str(item_id),
            )
        )
    record_version(scope, summary=summary, by=principal.label, now=now)


def check_unique(
    scope: Scope, kind: ItemKind, field: str, value: object, *, but: UUID | None = None
) -> None:
    """Raise ConfigItemExistsError when another item of the kind has the value already."""
    taken = any(
        item.body.get(field) == value
        for item in queries.list_items(scope, kind)
        if item.item_id != but
    )
    if taken:
        noun = kind.replace("_", " ")
        raise ConfigItemExistsError(
            f"A {noun} with {field} '{value}' exists already. Change that one, or choose another.",
            fields={field: "exists already"},
        )


_RULES_OF = {
    ItemKind.PROFILE_RULESET: ItemKind.PROFILE_RULE,
    ItemKind.ACCOUNT_RULESET: ItemKind.ACCOUNT_RULE,
}


def _put(
    principal: Principal,
    scope: Scope,
    kind: ItemKind,
    item_id: UUID,
    body: Mapping[str, Any],
    *,
    now: datetime,
) -> None:
    changed = {"body": dict(body), "updated_at": now, "updated_by": principal.label}
    statement = insert(ConfigItemRow).values(
        unit_id=scope.unit_id,
        kind=kind.value,
        item_id=item_id,
        created_at=now,
        created_by=principal.label,
        **changed,
    )
    session().execute(
        statement.on_conflict_do_update(index_elements=["unit_id", "kind", "item_id"], set_=changed)
    )


def _is(scope: Scope, kind: ItemKind, item_id: UUID) -> tuple[Any, ...]:
    return (
        ConfigItemRow.unit_id == scope.unit_id,
        ConfigItemRow.kind == kind.value,
        ConfigItemRow.item_id == item_id,
    )
