"""Something done to many leads: asked for, carried out a stretch at a time, and taken back.

What is asked of a few is done in the request; more is left to a worker. A stretch is a transaction
of its own, so that a worker that is killed leaves nothing half done and another goes on. What each
action does to a stretch of leads: bulk.effects.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from leadvibe.bulk import effects, queries
from leadvibe.bulk.errors import (
    BadBulkActionError,
    NothingToUndoError,
    TooManyBulkActionsError,
)
from leadvibe.bulk.types import BulkAction, BulkKind, Selection
from leadvibe.identity.types import Member, Principal, Scope
from leadvibe.leadlist.queries import count_matching, list_matching
from leadvibe.leads import service as leads
from leadvibe.leads.queries import list_names
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import after_commit, commit, driver, held_lock, rollback
from leadvibe.lib.ids import new_id
from leadvibe.lib.queue import JobQueue
from leadvibe.segments.picking import check_room
from leadvibe.segments.queries import get_segment

RUN_ACTION = "leadvibe.jobs.bulk.run_action"
"""What a worker calls, with the unit and the action."""

MOST_NAMED = 500
"""Leads that can be named one by one: several pages of a list."""

MOST_WATCHED = 5_000
"""Leads that can be watched at once: a watch list is read as a whole."""

MOST_UNFINISHED = 5
MOST_ATTEMPTS = 5
"""Starts without any progress, after which an action counts as failed."""

AT_ONCE = {BulkKind.RESCORE: 100, BulkKind.DELETE: 25}
"""Leads in one transaction, where that is not the usual number."""

USUALLY_AT_ONCE = 500
IN_REQUEST = {BulkKind.RESCORE: 0, BulkKind.DELETE: 25}
"""Leads that a request sees to itself, where that is not the usual number."""

USUALLY_IN_REQUEST = 200
KEEP_ACTIONS = timedelta(days=7)


def request_action(
    principal: Principal,
    kind: BulkKind,
    selection: Selection,
    *,
    owner: Member | None = None,
    segment_id: UUID | None = None,
    queue: JobQueue,
    now: datetime,
) -> BulkAction:
    """Do something to leads: at once when they are few, else once the caller has committed.

    Raises BadBulkActionError, SegmentNotFoundError and TooManyPicksError, and
    TooManyBulkActionsError while the unit waits for several others.
    """
    scope = principal.scope
    named = sorted(list_names(scope, selection.lead_ids)) if selection.lead_ids else []
    total = len(named) if selection.criteria is None else count_matching(scope, selection.criteria)
    _check(principal, kind, selection, total)
    if kind.is_of_segment:
        _check_segment(scope, segment_id, total)
    action_id = new_id()
    driver().execute(
        """
        INSERT INTO bulk_actions
            (unit_id, action_id, org_id, kind, state, lead_ids, criteria, member_id, owner_id,
             owner_name, segment_id, leads_total, created_at, created_by)
        VALUES (%s, %s, %s, %s, 'queued', %s, %s::jsonb, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            scope.unit_id,
            action_id,
            scope.org_id,
            kind.value,
            named,
            _written(selection),
            principal.member_id,
            owner.org_member_id if owner else None,
            owner.name if owner else None,
            segment_id if kind.is_of_segment else None,
            total,
            now,
            principal.label,
        ),
    )
    return _start(scope, action_id, queue=queue, now=now)


def undo(principal: Principal, action_id: UUID, *, queue: JobQueue, now: datetime) -> BulkAction:
    """Take back what an action did, wherever nobody has changed it again since.

    Raises BulkActionNotFoundError and NothingToUndoError.
    """
    scope = principal.scope
    leads.lock_identities(scope)  # of two who undo it, the second finds it undone
    action = queries.get_action(scope, action_id)
    if not action.can_be_undone:
        raise NothingToUndoError("This cannot be undone: it has been already, or changed nothing.")
    undoing = new_id()
    driver().execute(
        """
        INSERT INTO bulk_actions
            (unit_id, action_id, org_id, kind, state, lead_ids, member_id, owner_id, owner_name,
             segment_id, undoes, leads_total, created_at, created_by)
        SELECT unit_id, %s, org_id, kind, 'queued', '{}', member_id, owner_id, owner_name,
               segment_id, action_id, leads_changed, %s, %s
        FROM bulk_actions WHERE unit_id = %s AND action_id = %s
        """,
        (undoing, now, principal.label, scope.unit_id, action_id),
    )
    driver().execute(
        "UPDATE bulk_actions SET undone_by = %s WHERE unit_id = %s AND action_id = %s",
        (undoing, scope.unit_id, action_id),
    )
    return _start(scope, undoing, queue=queue, now=now)


def advance_action(
    scope: Scope, action_id: UUID, *, queue: JobQueue, is_stopping: Callable[[], bool]
) -> None:
    """Go on with an action, committing as it goes, to its end or until `is_stopping`.

    Returns at once when another worker is at it or there is nothing to do.
    """
    with held_lock(int.from_bytes(action_id.bytes[8:], signed=True)) as lock:
        if lock is None or not _begin(scope, action_id):
            return
        while not is_stopping():
            action = queries.get_action(scope, action_id)
            if action.is_finished:
                return
            _go_a_step(scope, action, queue=queue, now=utc_now())
            commit()


def resume_due_actions(queue: JobQueue, *, now: datetime) -> int:
    """Send a job for every action that nobody works on; returns how many there were."""
    due = queries.due_actions(now=now)
    for action in due:
        _send(queue, action.unit_id, action.action_id)
    return len(due)


def forget_old_actions(*, now: datetime) -> None:
    """Forget what was done long ago; it can be undone no more."""
    driver().execute("DELETE FROM bulk_actions WHERE finished_at < %s", (now - KEEP_ACTIONS,))


def _check(principal: Principal, kind: BulkKind, selection: Selection, total: int) -> None:
    if len(selection.lead_ids) > MOST_NAMED:
        raise BadBulkActionError(
            f"Name at most {MOST_NAMED:,} leads, or choose all that match a filter."
        )
    if total == 0:
        raise BadBulkActionError("None of these leads is there any more: choose others.")
    if kind is BulkKind.WATCH and total > MOST_WATCHED:
        raise BadBulkActionError(
            f"These are {total:,} leads, and at most {MOST_WATCHED:,} can be watched at once:"
            " narrow the list first, or make a segment of it."
        )
    if kind in {BulkKind.WATCH, BulkKind.UNWATCH} and not principal.is_member:
        raise BadBulkActionError("Only members watch leads: sign in as one.")
    if queries.count_unfinished(principal.scope) >= MOST_UNFINISHED:
        raise TooManyBulkActionsError(
            f"{MOST_UNFINISHED} bulk actions of this unit are under way: wait for one of them."
        )


def _check_segment(scope: Scope, segment_id: UUID | None, total: int) -> None:
    if segment_id is None:
        problem = "is missing: say which segment"
        raise BadBulkActionError(f"segment_id {problem}.", fields={"segment_id": problem})
    get_segment(scope, segment_id)
    check_room(scope, segment_id, more=total)


def _written(selection: Selection) -> str | None:
    if selection.criteria is None:
        return None
    return queries.CRITERIA.dump_json(selection.criteria).decode()


def _start(scope: Scope, action_id: UUID, *, queue: JobQueue, now: datetime) -> BulkAction:
    action = queries.get_action(scope, action_id)
    if action.leads_total > IN_REQUEST.get(action.kind, USUALLY_IN_REQUEST):
        after_commit(f"bulk {action_id}", lambda: _send(queue, scope.unit_id, action_id))
        return action
    while not action.is_finished:
        _go_a_step(scope, action, queue=queue, now=now)
        action = queries.get_action(scope, action_id)
    return action


def _begin(scope: Scope, action_id: UUID) -> bool:
    """Note that a worker is at it; False when there is nothing to do, or it fails each time."""
    action = queries.find_action(scope, action_id)
    if action is None or action.is_finished:
        rollback()
        return False
    has_failed = action.attempts >= MOST_ATTEMPTS
    if has_failed:
        _set(action, "state = 'failed', finished_at = %(now)s, lead_ids = '{}', after_lead = '',"
             " error = 'It came no further in several attempts.'", now=utc_now())  # fmt: skip
    else:
        _set(action, "state = 'running', attempts = attempts + 1, beat_at = %(now)s", now=utc_now())
    commit()
    return not has_failed


def _go_a_step(scope: Scope, action: BulkAction, *, queue: JobQueue, now: datetime) -> None:
    """Do it to the next leads, or note that it is done."""
    # Found before the lock: where few leads match, looking for them takes its time.
    some = _next_leads(scope, action)
    if not some:
        _set(action, "state = 'finished', finished_at = %(now)s, lead_ids = '{}', after_lead = '',"
             " leads_total = greatest(leads_done, leads_changed)", now=now)  # fmt: skip
        return
    leads.lock_identities(scope)
    changed = effects.apply(scope, action, some, queue=queue, now=now)
    _set(
        action,
        "after_lead = %(last)s, leads_done = leads_done + %(done)s, beat_at = %(now)s,"
        " leads_changed = leads_changed + %(changed)s, attempts = 0",
        last=some[-1],
        done=len(some),
        changed=changed,
        now=now,
    )


def _next_leads(scope: Scope, action: BulkAction) -> list[str]:
    limit = AT_ONCE.get(action.kind, USUALLY_AT_ONCE)
    after, selection = action.after_lead, action.selection
    if action.undoes is not None:
        return queries.list_changed(scope, action.undoes, after=after, limit=limit)
    if selection.criteria is not None:
        return list_matching(scope, selection.criteria, after=after, limit=limit)
    # In order of their bytes, as the database has them: they are sorted when they are stored.
    encoded = after.encode()
    rest = sorted(it for it in selection.lead_ids if it.encode() > encoded)
    return rest[:limit]


def _set(action: BulkAction, what: str, **bound: object) -> None:
    driver().execute(
        f"UPDATE bulk_actions SET {what} WHERE unit_id = %(unit)s AND action_id = %(action)s",  # noqa: S608 - texts of ours
        {**bound, "unit": action.unit_id, "action": action.action_id},
    )


def _send(queue: JobQueue, unit_id: UUID, action_id: UUID) -> None:
    queue.send(RUN_ACTION, str(unit_id), str(action_id), job_id=f"bulk-{action_id}")
