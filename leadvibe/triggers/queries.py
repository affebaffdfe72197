"""Reads of triggers and of what they emitted, each confined to one unit."""

from __future__ import annotations

from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import or_, select

from leadvibe.engine.triggers import FILTERS, FireMode, TriggerKind, shape_of
from leadvibe.identity.types import Scope
from leadvibe.lib.db import session
from leadvibe.triggers.errors import TriggerNotFoundError
from leadvibe.triggers.models import TriggerRow
from leadvibe.triggers.types import Recipients, Trigger

RECIPIENTS: TypeAdapter[Recipients] = TypeAdapter(Recipients)


def list_triggers(scope: Scope, kind: TriggerKind) -> list[Trigger]:
    """Return the triggers of a kind, by name and then the oldest first."""
    statement = (
        select(TriggerRow)
        .where(TriggerRow.unit_id == scope.unit_id, TriggerRow.kind == kind)
        .order_by(TriggerRow.name, TriggerRow.trigger_id)
    )
    return [_trigger(row) for row in session().scalars(statement)]


def list_active_triggers(scope: Scope) -> list[Trigger]:
    """Return the triggers of all kinds that may fire, the oldest first."""
    statement = (
        select(TriggerRow)
        .where(TriggerRow.unit_id == scope.unit_id, TriggerRow.active)
        .order_by(TriggerRow.trigger_id)
    )
    return [_trigger(row) for row in session().scalars(statement)]


def get_trigger(scope: Scope, kind: TriggerKind, trigger_id: UUID) -> Trigger:
    """Return a trigger of a kind. Raises TriggerNotFoundError."""
    statement = (
        select(TriggerRow)
        .where(
            TriggerRow.unit_id == scope.unit_id,
            TriggerRow.trigger_id == trigger_id,
            TriggerRow.kind == kind,
        )
        .execution_options(populate_existing=True)
    )
    row = session().scalar(statement)
    if row is None:
        raise TriggerNotFoundError(f"There is no {kind} trigger '{trigger_id}' in this unit.")
    return _trigger(row)


def list_users_of_channel(scope: Scope, channel_id: UUID) -> list[str]:
    """Return the names of the triggers that tell through a notification channel."""
    recipients = TriggerRow.recipients
    names_it = or_(
        recipients["channel_ids"].contains([str(channel_id)]),
        recipients["teams_target_id"].astext == str(channel_id),
    )
    statement = (
        select(TriggerRow.name)
        .where(TriggerRow.unit_id == scope.unit_id, names_it)
        .order_by(TriggerRow.name)
    )
    return list(session().scalars(statement))


def _trigger(row: TriggerRow) -> Trigger:
    kind = TriggerKind(row.kind)
    return Trigger(
        trigger_id=row.trigger_id,
        kind=kind,
        name=row.name,
        description=row.description,
        active=row.active,
        fire_mode=FireMode(row.fire_mode),
        cooldown_seconds=row.cooldown_seconds,
        window_unit=row.window_unit,
        shape=shape_of(kind, row.shape),
        filters=FILTERS.validate_python(row.filters),
        recipients=RECIPIENTS.validate_python(row.recipients),
        created_at=row.created_at,
        updated_at=row.updated_at,
        created_by=row.created_by,
        updated_by=row.updated_by,
    )
