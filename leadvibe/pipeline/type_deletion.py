"""Deleting all events of a type, lead by lead: each stretch deletes, replays and commits.

Whoever asks does the work for a moment; what is not done by then goes on in a worker. Events that
come in meanwhile stay.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from leadvibe.events import removal, type_deletion
from leadvibe.events.types import TypeDeletion
from leadvibe.identity.types import Principal, Scope
from leadvibe.leads import queries as lead_queries
from leadvibe.leads import service as leads
from leadvibe.leads.types import DeletionState
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, held_lock, rollback
from leadvibe.lib.queue import JobQueue
from leadvibe.pipeline.retelling import retell_leads
from leadvibe.scoring import erasing
from leadvibe.scoring.errors import ProtectedEventTypeError
from leadvibe.scoring.event_types import get_known_type

DELETE_EVENT_TYPE = "leadvibe.jobs.deletions.delete_event_type"
"""What a worker calls, with the unit and the type."""

LEADS_AT_ONCE = 500
EVENTS_AT_ONCE = 20_000
"""Counted events of the leads of a stretch: some 0.3 s of replay that the pipeline waits for."""

MOST_ATTEMPTS = 10
"""Starts without any progress, after which a deletion counts as failed."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """What deleting a type's events would delete."""

    events: int
    entries: int
    leads: int
    points: int
    """In all rulesets, without what a replay makes of later events."""


def count_type(scope: Scope, event_type: str) -> DryRun:
    """Return what there is of a type. Raises EventTypeNotFoundError."""
    get_known_type(scope, event_type)
    counted = removal.count_of_type(scope, event_type)
    ledger = erasing.count_entries_of_type(scope, event_type)
    return DryRun(counted.events, ledger.entries, counted.leads, ledger.points)


def delete_type(
    principal: Principal,
    scope: Scope,
    event_type: str,
    *,
    queue: JobQueue,
    now: datetime,
    patience_seconds: float,
) -> TypeDeletion:
    """Delete all events of a type that have come in, committing as it goes.

    Returns how far it came by then; a worker does the rest. Asked again before that is done, it
    goes on and says how far it is. Raises EventTypeNotFoundError, and ProtectedEventTypeError.
    """
    leads.lock_identities(scope)
    wanted = type_deletion.find_type_deletion(scope, event_type)
    if wanted is None or wanted.state is not DeletionState.IN_PROGRESS:
        _check(scope, event_type)
        wanted = type_deletion.record_type_deletion(
            scope, event_type, last_receipt=removal.last_receipt(), by=principal.label, now=now
        )
    commit()
    deadline = time.monotonic() + patience_seconds
    advance_type_deletion(scope, event_type, is_stopping=lambda: time.monotonic() >= deadline)
    reached = type_deletion.get_type_deletion(scope, event_type)
    if reached.state is DeletionState.IN_PROGRESS:
        _send(queue, reached)
    return reached


def advance_type_deletion(
    scope: Scope, event_type: str, *, is_stopping: Callable[[], bool]
) -> None:
    """Go on deleting a type's events, to the end or until `is_stopping`, committing as it goes.

    Returns at once when somebody else is at it or there is nothing to do.
    """
    wanted = _find_unfinished(scope, event_type)
    if wanted is None:
        return
    with held_lock(type_deletion.lock_key(wanted)) as lock:
        # Asked again, for whoever held the lock until now has come further.
        wanted = _find_unfinished(scope, event_type)
        if lock is None or wanted is None or not _begin(wanted):
            return
        while wanted.state is DeletionState.IN_PROGRESS and not is_stopping():
            leads.lock_identities(scope)
            wanted = _delete_stretch(scope, wanted, now=utc_now())
            commit()


def resume_due_type_deletions(queue: JobQueue, *, now: datetime) -> int:
    """Send a job for every deletion that nobody works on; returns how many there were."""
    due = type_deletion.due_type_deletions(now=now)
    for one in due:
        _send(queue, one)
    return len(due)


def _check(scope: Scope, event_type: str) -> None:
    known = get_known_type(scope, event_type)
    if known.is_protected:
        raise ProtectedEventTypeError(
            f"Events of type '{event_type}' cannot be deleted: an active rule scores them, or"
            " Leadvibe writes them itself. Delete or pause the rule first."
        )


def _find_unfinished(scope: Scope, event_type: str) -> TypeDeletion | None:
    wanted = type_deletion.find_type_deletion(scope, event_type)
    rollback()
    return wanted if wanted and wanted.state is DeletionState.IN_PROGRESS else None


def _begin(wanted: TypeDeletion) -> bool:
    has_failed = wanted.attempts >= MOST_ATTEMPTS
    state = DeletionState.FAILED if has_failed else DeletionState.IN_PROGRESS
    type_deletion.note_attempt(wanted, state, now=utc_now())
    commit()
    return not has_failed


def _delete_stretch(scope: Scope, wanted: TypeDeletion, *, now: datetime) -> TypeDeletion:
    """Delete the type's events of the next leads; behind the last, those without a lead.

    What was merged meanwhile into a lead that was done already is found in another round.
    """
    chunk = lead_queries.list_next(
        scope, after=wanted.after_lead, leads=LEADS_AT_ONCE, events=EVENTS_AT_ONCE
    )
    gone = removal.delete_of_type(
        scope, chunk or None, wanted.event_type, up_to=wanted.last_receipt
    )
    touched = sorted({it.lead_id for it in gone if it.lead_id is not None})
    entries = erasing.count_entries(scope, touched, [it.event_id for it in gone])
    retell_leads(scope, touched, now=now)
    return type_deletion.note_stretch(
        wanted,
        after_lead=chunk[-1] if chunk else _another_round(scope, wanted),
        events=len(gone),
        entries=entries,
        now=now,
    )


def _another_round(scope: Scope, wanted: TypeDeletion) -> str | None:
    up_to = wanted.last_receipt
    return "" if removal.is_any_left(scope, wanted.event_type, up_to=up_to) else None


def _send(queue: JobQueue, wanted: TypeDeletion) -> None:
    queue.send(
        DELETE_EVENT_TYPE,
        str(wanted.unit_id),
        wanted.event_type,
        job_id=f"type-deletion-{wanted.deletion_id}",
    )
