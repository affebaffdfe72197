"""Leads on their way out: the wish that one be gone, what goes at once, and what at the end.

A lead that is being deleted is blank and merged into nobody, so no list shows it and nothing
recognises it by an alias. What names it by its id meanwhile is kept for it: the lead is then made
anew once the old one is gone. Needs the identities' lock. Events and scores: pipeline.deletion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from leadvibe.identity.types import Scope
from leadvibe.leads.errors import DeletionNotFoundError
from leadvibe.leads.service import count_listed, refresh_names
from leadvibe.leads.types import NOBODY, AliasKey, DeletionState, LeadDeletion
from leadvibe.lib.db import driver, held_lock_keys
from leadvibe.lib.ids import new_id

STARTS_WITHIN = timedelta(seconds=2)
"""How long a worker may take to begin with what it was just sent."""

KEEP_ANSWERING = timedelta(days=30)
"""How long the status of a deletion can be asked for; then its last trace goes, too."""

_COLUMNS = """
    deletion_id, org_id, unit_id, lead_id, state, last_receipt, attempts, events_deleted,
    requested_at, requested_by, finished_at
"""


def find_deletion(scope: Scope, lead_id: str) -> LeadDeletion | None:
    """Return the latest deletion of a lead of this id, if any."""
    statement = f"SELECT {_COLUMNS} FROM lead_deletions WHERE unit_id = %s AND lead_id = %s"  # noqa: S608 - names of ours
    row = driver().execute(statement, (scope.unit_id, lead_id)).fetchone()
    return _deletion(row) if row else None


def get_deletion(scope: Scope, lead_id: str) -> LeadDeletion:
    """Return the latest deletion of a lead of this id. Raises DeletionNotFoundError."""
    found = find_deletion(scope, lead_id)
    if found is None:
        raise DeletionNotFoundError(f"Nobody has asked to delete a lead '{lead_id}' in this unit.")
    return found


def due_deletions(*, now: datetime) -> list[LeadDeletion]:
    """Return the deletions of all units that should be under way and that nobody works on."""
    statement = f"""
        SELECT {_COLUMNS} FROM lead_deletions
        WHERE state IN ('pending', 'in_progress') AND coalesce(beat_at, requested_at) < %s
        ORDER BY requested_at
    """  # noqa: S608 - names of ours
    waiting = [_deletion(row) for row in driver().execute(statement, (now - STARTS_WITHIN,))]
    held = held_lock_keys() if waiting else set()
    return [one for one in waiting if lock_key(one) not in held]


def lock_key(deletion: LeadDeletion) -> int:
    """Return the key of the lock that the worker of a deletion holds."""
    return int.from_bytes(deletion.deletion_id.bytes[8:], signed=True)


def record_deletion(
    scope: Scope, lead_id: str, *, last_receipt: int, by: str, now: datetime
) -> LeadDeletion:
    """Write down that a lead is to be deleted; one that is asked for again begins anew."""
    statement = f"""
        INSERT INTO lead_deletions
            (unit_id, lead_id, deletion_id, org_id, state, last_receipt, requested_at, requested_by)
        VALUES (%s, %s, %s, %s, 'pending', %s, %s, %s)
        ON CONFLICT (unit_id, lead_id) DO UPDATE SET
            deletion_id = excluded.deletion_id, state = excluded.state, attempts = 0,
            last_receipt = excluded.last_receipt, events_deleted = 0, beat_at = NULL,
            requested_at = excluded.requested_at, requested_by = excluded.requested_by,
            finished_at = NULL
        RETURNING {_COLUMNS}
    """  # noqa: S608 - names of ours
    bound = (scope.unit_id, lead_id, new_id(), scope.org_id, last_receipt, now, by)
    row = driver().execute(statement, bound).fetchone()
    assert row is not None
    return _deletion(row)


def note_progress(
    deletion: LeadDeletion,
    state: DeletionState,
    *,
    attempts: int,
    events_deleted: int = 0,
    now: datetime,
) -> None:
    """Store how far a deletion is; `events_deleted` are those that are new."""
    is_over = state in {DeletionState.COMPLETED, DeletionState.FAILED}
    driver().execute(
        """
        UPDATE lead_deletions SET state = %s, attempts = %s, beat_at = %s, finished_at = %s,
            events_deleted = events_deleted + %s
        WHERE unit_id = %s AND lead_id = %s AND deletion_id = %s
        """,
        (
            state.value,
            attempts,
            now,
            now if is_over else None,
            events_deleted,
            deletion.unit_id,
            deletion.lead_id,
            deletion.deletion_id,
        ),
    )


def forget_old_deletions(*, now: datetime) -> None:
    """Forget that leads were ever deleted, when that is long ago."""
    driver().execute(
        "DELETE FROM lead_deletions WHERE finished_at < %s AND state = 'completed'",
        (now - KEEP_ANSWERING,),
    )


def list_alias_keys(scope: Scope, lead_id: str) -> set[AliasKey]:
    """Return everything that the lead is recognised by."""
    statement = "SELECT kind, value FROM lead_aliases WHERE unit_id = %s AND lead_id = %s"
    return {AliasKey(*row) for row in driver().execute(statement, (scope.unit_id, lead_id))}


def blank(scope: Scope, lead_id: str, merged_ids: Sequence[str], *, now: datetime) -> None:
    """Make a lead nobody, and those that were merged into it never have been.

    Its scores and counts stay until its events are gone.
    """
    everyone = {"unit": scope.unit_id, "lead": lead_id, "ids": [lead_id, *merged_ids]}
    for table in (
        "lead_aliases", "lead_search", "lead_watches", "lead_records", "lead_status_changes",
    ):  # fmt: skip
        driver().execute(
            f"DELETE FROM {table} WHERE unit_id = %(unit)s AND lead_id = ANY(%(ids)s)",  # noqa: S608 - names of ours
            everyone,
        )
    for table in ("lead_alias_conflicts", "lead_merge_dismissals"):
        driver().execute(
            f"""
            DELETE FROM {table}
            WHERE unit_id = %(unit)s AND (lead_id = ANY(%(ids)s) OR other_lead_id = ANY(%(ids)s))
            """,  # noqa: S608 - names of ours
            everyone,
        )
    driver().execute(
        """
        DELETE FROM leads
        WHERE unit_id = %(unit)s AND lead_id = ANY(%(ids)s) AND lead_id <> %(lead)s
        """,
        everyone,
    )
    hidden = driver().execute(
        """
        UPDATE leads SET merged_into = %(nobody)s
        WHERE unit_id = %(unit)s AND lead_id = %(lead)s AND merged_into IS NULL
        """,
        {**everyone, "nobody": NOBODY},
    )
    count_listed(scope, change=-hidden.rowcount)
    driver().execute(
        """
        UPDATE leads SET metadata = '{}', account_id = NULL, owner_id = NULL, owner_name = NULL,
            name = lead_id, detail = NULL, has_own_id = true, lost_events = 0, updated_at = %(now)s
        WHERE unit_id = %(unit)s AND lead_id = %(lead)s
        """,
        {**everyone, "now": now},
    )


def erase(scope: Scope, lead_id: str) -> None:
    """Delete a blank lead and what it is recognised by, when nothing else is left of it."""
    for table in ("lead_aliases", "lead_search", "leads"):
        driver().execute(
            f"DELETE FROM {table} WHERE unit_id = %s AND lead_id = %s",  # noqa: S608 - names of ours
            (scope.unit_id, lead_id),
        )


def revive(scope: Scope, lead_id: str, *, now: datetime) -> None:
    """Let a blank lead be a new one, because something has named it since."""
    driver().execute(
        """
        UPDATE leads SET merged_into = NULL, created_at = %s, updated_at = %s, base_version = 0
        WHERE unit_id = %s AND lead_id = %s AND merged_into = %s
        """,
        (now, now, scope.unit_id, lead_id, NOBODY),
    )
    count_listed(scope, change=1)
    refresh_names(scope, [lead_id], now=now)


def _deletion(row: tuple[Any, ...]) -> LeadDeletion:
    deletion = LeadDeletion(*row)
    return replace(deletion, state=DeletionState(deletion.state))
