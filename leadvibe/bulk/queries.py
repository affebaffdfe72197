"""Reads of what is done to many leads."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from leadvibe.bulk.errors import BulkActionNotFoundError
from leadvibe.bulk.types import BulkAction, BulkKind, BulkState, Selection
from leadvibe.identity.types import Scope
from leadvibe.leadlist.types import LeadFilter
from leadvibe.lib.db import driver

STARTS_WITHIN = timedelta(seconds=2)
"""How long a worker may take to begin with what it was just sent."""

BEATS_WITHIN = timedelta(minutes=2)
"""How long a worker may take for one stretch."""

CRITERIA: TypeAdapter[LeadFilter] = TypeAdapter(LeadFilter)

_COLUMNS = """
    action_id, org_id, unit_id, kind, state, lead_ids, criteria, member_id, owner_id, owner_name,
    segment_id, undoes, undone_by, after_lead, leads_total, leads_done, leads_changed, attempts,
    error, created_at, created_by, finished_at
"""


def get_action(scope: Scope, action_id: UUID) -> BulkAction:
    """Return an action. Raises BulkActionNotFoundError."""
    found = find_action(scope, action_id)
    if found is None:
        raise BulkActionNotFoundError(f"There is no bulk action '{action_id}' in this unit.")
    return found


def find_action(scope: Scope, action_id: UUID) -> BulkAction | None:
    """Return an action, or None when it is forgotten or never was."""
    statement = f"SELECT {_COLUMNS} FROM bulk_actions WHERE unit_id = %s AND action_id = %s"
    row = driver().execute(statement, (scope.unit_id, action_id)).fetchone()
    return _action(row) if row else None


def count_unfinished(scope: Scope) -> int:
    """Return how many actions of the unit wait for a worker or have one."""
    statement = """
        SELECT count(*) FROM bulk_actions WHERE unit_id = %s AND state IN ('queued', 'running')
    """
    row = driver().execute(statement, (scope.unit_id,)).fetchone()
    assert row is not None
    return int(row[0])


def due_actions(*, now: datetime) -> list[BulkAction]:
    """Return the actions of all units that should be under way and that nobody works on."""
    statement = f"""
        SELECT {_COLUMNS} FROM bulk_actions
        WHERE state IN ('queued', 'running')
          AND CASE WHEN beat_at IS NULL THEN created_at < %s ELSE beat_at < %s END
        ORDER BY created_at
    """
    rows = driver().execute(statement, (now - STARTS_WITHIN, now - BEATS_WITHIN))
    return [_action(row) for row in rows]


def list_changed(scope: Scope, action_id: UUID, *, after: str, limit: int) -> list[str]:
    """Return the leads that an action has changed, in order, from after one on."""
    statement = """
        SELECT lead_id FROM bulk_changes
        WHERE unit_id = %s AND action_id = %s AND lead_id > %s ORDER BY lead_id LIMIT %s
    """
    rows = driver().execute(statement, (scope.unit_id, action_id, after, limit))
    return [lead_id for (lead_id,) in rows]


def _action(row: tuple[Any, ...]) -> BulkAction:
    action_id, org_id, unit_id, kind, state, lead_ids, criteria, *rest = row
    selection = Selection(
        tuple(lead_ids), None if criteria is None else CRITERIA.validate_python(criteria)
    )
    return BulkAction(
        action_id, org_id, unit_id, BulkKind(kind), BulkState(state), selection, *rest
    )
