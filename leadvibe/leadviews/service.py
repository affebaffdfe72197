"""Writes of views of the lead list. A shared one needs who may configure the unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, update
from sqlalchemy.dialects.postgresql import insert as upsert

from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal
from leadvibe.leadviews import queries
from leadvibe.leadviews.errors import (
    BadLeadViewError,
    LeadViewChangedError,
    LeadViewExistsError,
    SharedLeadViewError,
    TooManyLeadViewsError,
)
from leadvibe.leadviews.models import LeadColumnsRow, LeadViewRow
from leadvibe.leadviews.types import VIEW_PARAMETERS, Column, LeadView
from leadvibe.lib.db import session
from leadvibe.lib.ids import new_id
from leadvibe.scoring.service import lock_configuration

MOST_VIEWS = 50
"""Of a member, and of a unit: more would be a list to search in."""

LONGEST_NAME = 60
LONGEST_VALUE = 200


def create_view(
    principal: Principal,
    *,
    name: str,
    query: Mapping[str, str],
    columns: Sequence[Column] = (),
    shared: bool = False,
    now: datetime,
) -> LeadView:
    """Keep a view for its maker, or for the whole unit.

    Raises BadLeadViewError, LeadViewExistsError, TooManyLeadViewsError and SharedLeadViewError.
    """
    scope, owner_id = principal.scope, None if shared else principal.member_id
    lock_configuration(scope)
    _check_right(principal, shared=shared)
    _check_query(query)
    _check_name(principal, owner_id, name)
    if queries.count_views(scope, owner_id) >= MOST_VIEWS:
        raise TooManyLeadViewsError(f"There are {MOST_VIEWS} views already: delete one first.")
    view_id = new_id()
    session().execute(
        insert(LeadViewRow).values(
            unit_id=scope.unit_id,
            view_id=view_id,
            org_member_id=owner_id,
            name=name,
            query=dict(query),
            columns=list(columns),
            created_at=now,
            updated_at=now,
            created_by=principal.label,
            updated_by=principal.label,
        )
    )
    return queries.get_view(principal, view_id)


def update_view(
    principal: Principal,
    view_id: UUID,
    changes: Mapping[str, Any],
    *,
    seen_at: datetime | None = None,
    now: datetime,
) -> LeadView:
    """Change name, query or columns of a view, or share it (`shared`).

    With `seen_at`, only if it was last changed then. Raises what create_view does, and
    LeadViewNotFoundError and LeadViewChangedError.
    """
    lock_configuration(principal.scope)
    current = queries.get_view(principal, view_id)
    if seen_at is not None and current.updated_at != seen_at:
        raise LeadViewChangedError(
            f"{current.updated_by} has changed “{current.name}” meanwhile: look at it again first."
        )
    values = dict(changes)
    shared = values.pop("shared", current.is_shared)
    _check_right(principal, shared=shared or current.is_shared)
    owner_id = None if shared else current.org_member_id or principal.member_id
    name = values.get("name", current.name)
    if (owner_id, name) != (current.org_member_id, current.name):
        _check_name(principal, owner_id, name)
    _check_query(values.get("query", {}))
    session().execute(
        update(LeadViewRow)
        .where(LeadViewRow.unit_id == principal.scope.unit_id, LeadViewRow.view_id == view_id)
        .values(**values, org_member_id=owner_id, updated_at=now, updated_by=principal.label)
    )
    return queries.get_view(principal, view_id)


def delete_view(principal: Principal, view_id: UUID) -> LeadView:
    """Delete a view; returns it. Raises LeadViewNotFoundError and SharedLeadViewError."""
    lock_configuration(principal.scope)
    current = queries.get_view(principal, view_id)
    _check_right(principal, shared=current.is_shared)
    session().execute(
        delete(LeadViewRow).where(
            LeadViewRow.unit_id == principal.scope.unit_id, LeadViewRow.view_id == view_id
        )
    )
    return current


def choose_columns(principal: Principal, columns: Sequence[Column]) -> None:
    """Keep which columns a member wants to see in this unit; none stands for the usual ones."""
    key = {"unit_id": principal.scope.unit_id, "org_member_id": principal.member_id}
    if not columns:
        session().execute(
            delete(LeadColumnsRow).where(
                LeadColumnsRow.unit_id == key["unit_id"],
                LeadColumnsRow.org_member_id == key["org_member_id"],
            )
        )
        return
    chosen = list(columns)
    session().execute(
        upsert(LeadColumnsRow)
        .values(**key, columns=chosen)
        .on_conflict_do_update(
            index_elements=["unit_id", "org_member_id"], set_={"columns": chosen}
        )
    )


def _check_right(principal: Principal, *, shared: bool) -> None:
    if shared and not can(principal, Permission.CONFIGURE):
        raise SharedLeadViewError(
            "You may not change what the unit shares: keep a view of your own instead."
        )


def _check_name(principal: Principal, owner_id: UUID | None, name: str) -> None:
    if not name or len(name) > LONGEST_NAME:
        raise BadLeadViewError(
            f"Give the view a name of at most {LONGEST_NAME} characters.",
            fields={"name": f"must have 1 to {LONGEST_NAME} characters"},
        )
    if queries.is_named(principal.scope, owner_id, name):
        raise LeadViewExistsError(
            f"There is a view “{name}” already: choose another name.",
            fields={"name": "is the name of another view"},
        )


def _check_query(query: Mapping[str, str]) -> None:
    for name, value in query.items():
        if name not in VIEW_PARAMETERS:
            raise BadLeadViewError(
                f"The list of leads has no parameter '{name}': use {', '.join(VIEW_PARAMETERS)}.",
                fields={"query": f"has an unknown parameter '{name}'"},
            )
        if len(value) > LONGEST_VALUE or not value.isprintable():
            raise BadLeadViewError(
                f"'{name}' must have at most {LONGEST_VALUE} printable characters.",
                fields={"query": f"has a value of '{name}' that no list has"},
            )
