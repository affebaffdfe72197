"""The wish that all events of a type be gone, and how far that is: one row a type."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from leadvibe.events.errors import TypeDeletionNotFoundError
from leadvibe.events.types import TypeDeletion
from leadvibe.identity.types import Scope
from leadvibe.leads.types import DeletionState
from leadvibe.lib.db import driver, held_lock_keys
from leadvibe.lib.ids import new_id

STARTS_WITHIN = timedelta(seconds=5)
"""How long whoever asked may be at it before a worker is sent for, too."""

_COLUMNS = """
    deletion_id, org_id, unit_id, event_type, state, last_receipt, after_lead, attempts,
    events_deleted, entries_deleted, requested_at, requested_by, finished_at
"""


def find_type_deletion(scope: Scope, event_type: str) -> TypeDeletion | None:
    """Return the latest deletion of a type's events, if any."""
    statement = f"""
        SELECT {_COLUMNS} FROM event_type_deletions WHERE unit_id = %s AND event_type = %s
    """  # noqa: S608 - names of ours
    row = driver().execute(statement, (scope.unit_id, event_type)).fetchone()
    return _deletion(row) if row else None


def get_type_deletion(scope: Scope, event_type: str) -> TypeDeletion:
    """Return the latest deletion of a type's events. Raises TypeDeletionNotFoundError."""
    found = find_type_deletion(scope, event_type)
    if found is None:
        raise TypeDeletionNotFoundError(
            f"Nobody has asked to delete the events of type '{event_type}' in this unit."
        )
    return found


def list_unfinished_types(scope: Scope) -> list[TypeDeletion]:
    """Return the unit's deletions that are under way."""
    statement = f"""
        SELECT {_COLUMNS} FROM event_type_deletions
        WHERE unit_id = %s AND state = 'in_progress'
    """  # noqa: S608 - names of ours
    return [_deletion(row) for row in driver().execute(statement, (scope.unit_id,))]


def due_type_deletions(*, now: datetime) -> list[TypeDeletion]:
    """Return the deletions of all units that should be under way and that nobody works on."""
    statement = f"""
        SELECT {_COLUMNS} FROM event_type_deletions
        WHERE state = 'in_progress' AND coalesce(beat_at, requested_at) < %s
        ORDER BY requested_at
    """  # noqa: S608 - names of ours
    waiting = [_deletion(row) for row in driver().execute(statement, (now - STARTS_WITHIN,))]
    held = held_lock_keys() if waiting else set()
    return [one for one in waiting if lock_key(one) not in held]


def lock_key(deletion: TypeDeletion) -> int:
    """Return the key of the lock that whoever works on a deletion holds."""
    return int.from_bytes(deletion.deletion_id.bytes[8:], signed=True)


def record_type_deletion(
    scope: Scope, event_type: str, *, last_receipt: int, by: str, now: datetime
) -> TypeDeletion:
    """Write down that a type's events are to be deleted; one that is over begins anew."""
    statement = f"""
        INSERT INTO event_type_deletions
            (unit_id, event_type, deletion_id, org_id, state, last_receipt, requested_at,
             requested_by)
        VALUES (%s, %s, %s, %s, 'in_progress', %s, %s, %s)
        ON CONFLICT (unit_id, event_type) DO UPDATE SET
            deletion_id = excluded.deletion_id, state = excluded.state, after_lead = '',
            attempts = 0, last_receipt = excluded.last_receipt, events_deleted = 0,
            entries_deleted = 0, beat_at = NULL, requested_at = excluded.requested_at,
            requested_by = excluded.requested_by, finished_at = NULL
        RETURNING {_COLUMNS}
    """  # noqa: S608 - names of ours
    bound = (scope.unit_id, event_type, new_id(), scope.org_id, last_receipt, now, by)
    row = driver().execute(statement, bound).fetchone()
    assert row is not None
    return _deletion(row)


def note_attempt(deletion: TypeDeletion, state: DeletionState, *, now: datetime) -> None:
    """Store that somebody is at it, or that nobody tries again."""
    driver().execute(
        """
        UPDATE event_type_deletions SET state = %s, attempts = attempts + 1, beat_at = %s,
            finished_at = %s
        WHERE unit_id = %s AND event_type = %s AND deletion_id = %s
        """,
        (
            state.value,
            now,
            now if state is DeletionState.FAILED else None,
            deletion.unit_id,
            deletion.event_type,
            deletion.deletion_id,
        ),
    )


def note_stretch(
    deletion: TypeDeletion, *, after_lead: str | None, events: int, entries: int, now: datetime
) -> TypeDeletion:
    """Store what a stretch came to and where it ended; None when it was the last."""
    statement = f"""
        UPDATE event_type_deletions SET attempts = 0, beat_at = %(now)s,
            events_deleted = events_deleted + %(events)s,
            entries_deleted = entries_deleted + %(entries)s,
            after_lead = coalesce(%(after)s::text, after_lead),
            state = CASE WHEN %(after)s::text IS NULL THEN 'completed' ELSE state END,
            finished_at = CASE WHEN %(after)s::text IS NULL THEN %(now)s::timestamptz END
        WHERE unit_id = %(unit)s AND event_type = %(type)s AND deletion_id = %(deletion)s
        RETURNING {_COLUMNS}
    """  # noqa: S608 - names of ours
    bound = {
        "now": now,
        "events": events,
        "entries": entries,
        "after": after_lead,
        "unit": deletion.unit_id,
        "type": deletion.event_type,
        "deletion": deletion.deletion_id,
    }
    row = driver().execute(statement, bound).fetchone()
    assert row is not None
    return _deletion(row)


def _deletion(row: tuple[Any, ...]) -> TypeDeletion:
    deletion = TypeDeletion(*row)
    return replace(deletion, state=DeletionState(deletion.state))
