"""Imports undone: what only they brought goes, and what they changed is put back.

In the background, some leads at a time, each step in a transaction under the unit's lock, so that
a worker that is killed leaves nothing half done and another goes on. Scores follow by replays. What
was sent to people meanwhile stays sent, and a message that the import made a duplicate stays out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from leadvibe.events import removal, transfers
from leadvibe.identity.types import Principal, Scope
from leadvibe.imports import brought, changes, queries
from leadvibe.imports.errors import (
    ImportNotFoundError,
    ImportUndoneError,
    ImportUnfinishedError,
    UndoNotFoundError,
    UndoTooLateError,
)
from leadvibe.imports.types import KEEP_UNDO, Effect, Import, ImportState, Undo, UndoState
from leadvibe.leads import documents, merging
from leadvibe.leads import queries as lead_queries
from leadvibe.leads import service as leads
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import (
    after_commit,
    commit,
    driver,
    held_lock,
    held_lock_keys,
    is_outage,
    rollback,
)
from leadvibe.lib.queue import JobQueue
from leadvibe.pipeline.deletion import erase_leads
from leadvibe.pipeline.retelling import retell_leads

UNDO_IMPORT = "leadvibe.jobs.imports.undo_import"
"""What a worker calls, with the unit and the import."""

LEADS_AT_ONCE = 200
"""Of one transaction, for which the pipeline waits some tenths of a second."""

CHANGES_AT_ONCE = 5_000
MOST_ATTEMPTS = 10
"""Starts without any progress, after which undoing counts as failed."""

_COLUMNS = """
    import_id, unit_id, org_id, state, total, (
        SELECT count(*) FROM import_undo_leads w
        WHERE w.unit_id = u.unit_id AND w.import_id = u.import_id
    ) AS left, counts, attempts, error, asked_at, asked_by, finished_at
"""


def foresee_undo(scope: Scope, import_id: UUID, *, now: datetime) -> Effect:
    """Say what undoing an import would do, changing nothing. Raises as `request_undo`."""
    return brought.foresee(scope, _get_undoable(scope, import_id, now=now), now=now)


def request_undo(
    principal: Principal, scope: Scope, import_id: UUID, *, queue: JobQueue, now: datetime
) -> Undo:
    """Have a worker undo an import once the caller has committed. One that failed is tried again.

    Raises ImportNotFoundError, ImportUnfinishedError while its file is being read,
    ImportUndoneError and UndoTooLateError.
    """
    _get_undoable(scope, import_id, now=now)
    statement = """
        INSERT INTO import_undos AS u
            (unit_id, import_id, org_id, state, counts, asked_at, asked_by)
        VALUES (%s, %s, %s, 'queued', '{}', %s, %s)
        ON CONFLICT (unit_id, import_id) DO UPDATE SET
            state = 'queued', attempts = 0, error = NULL, finished_at = NULL,
            asked_at = excluded.asked_at, asked_by = excluded.asked_by
        WHERE u.state = 'failed'
    """
    bound = (scope.unit_id, import_id, scope.org_id, now, principal.label)
    if not driver().execute(statement, bound).rowcount:
        raise _undone(import_id)
    asked = get_undo(scope, import_id)
    after_commit(f"undo of import {import_id}", lambda: _send(queue, asked))
    return asked


def get_undo(scope: Scope, import_id: UUID) -> Undo:
    """Return how far the undoing of an import is. Raises UndoNotFoundError."""
    found = find_undo(scope, import_id)
    if found is None:
        raise UndoNotFoundError(f"Nobody has asked for import '{import_id}' to be undone.")
    return found


def find_undo(scope: Scope, import_id: UUID) -> Undo | None:
    """Return how far the undoing of an import is, None when nobody has asked for it."""
    return list_undos(scope, [import_id]).get(import_id)


def list_undos(scope: Scope, import_ids: Sequence[UUID]) -> dict[UUID, Undo]:
    """Return how far the undoing of each of these imports is that somebody asked for."""
    statement = f"SELECT {_COLUMNS} FROM import_undos u WHERE unit_id = %s AND import_id = ANY(%s)"  # noqa: S608 - names of ours
    rows = driver().execute(statement, (scope.unit_id, list(import_ids)))
    return {undo.import_id: undo for undo in map(_undo, rows)}


def advance_undo(
    scope: Scope,
    import_id: UUID,
    *,
    is_stopping: Callable[[], bool],
    at_once: int = LEADS_AT_ONCE,
) -> None:
    """Undo an import from where that stands, to its end or until `is_stopping`.

    Returns at once when another worker is at it or there is nothing to do.
    """
    with held_lock(_lock_key(import_id)) as lock:
        if lock is None or not _begin(scope, import_id, now=utc_now()):
            rollback()
            return
        try:
            while not is_stopping() and _step(scope, import_id, at_once=at_once):
                commit()
            commit()
        except Exception as error:
            if is_outage(error):
                raise
            rollback()
            # The log has the rest: whoever asked is told nothing internal.
            _set(scope, import_id, error=type(error).__name__, beat_at=None)
            commit()
            raise
        _leave(scope, import_id)


def resume_due_undos(queue: JobQueue, *, now: datetime) -> int:
    """Send a job for every undoing that nobody works on; returns how many there were."""
    statement = f"""
        SELECT {_COLUMNS} FROM import_undos u
        WHERE state IN ('queued', 'running') AND coalesce(beat_at, asked_at) < %s
        ORDER BY asked_at
    """  # noqa: S608 - names of ours
    rows = driver().execute(statement, (now - queries.STARTS_WITHIN,))
    waiting = [_undo(row) for row in rows]
    held = held_lock_keys() if waiting else set()
    due = [one for one in waiting if _lock_key(one.import_id) not in held]
    for one in due:
        _send(queue, one)
    return len(due)


def forget_old_changes(*, now: datetime) -> None:
    """Forget what imports changed that can be undone no more, committing as it goes."""
    statement = """
        DELETE FROM import_changes c USING (
            SELECT c.unit_id, c.import_id, c.lead_id FROM import_changes c
            JOIN imports i ON i.unit_id = c.unit_id AND i.import_id = c.import_id
            WHERE i.finished_at < %s AND NOT EXISTS (
                SELECT FROM import_undos u WHERE u.unit_id = c.unit_id
                  AND u.import_id = c.import_id AND u.state IN ('queued', 'running')
            )
            LIMIT %s
        ) AS old
        WHERE c.unit_id = old.unit_id AND c.import_id = old.import_id AND c.lead_id = old.lead_id
    """
    while driver().execute(statement, (now - KEEP_UNDO, CHANGES_AT_ONCE)).rowcount:
        commit()


def _get_undoable(scope: Scope, import_id: UUID, *, now: datetime) -> Import:
    file = queries.get_file(scope, import_id)
    if file.state is ImportState.UPLOADED:
        raise ImportNotFoundError(f"There is no import '{import_id}' in this unit.")
    undo = find_undo(scope, import_id)
    if undo is not None and undo.state is not UndoState.FAILED:
        raise _undone(import_id)
    if file.state not in {ImportState.FINISHED, ImportState.FAILED}:
        raise ImportUnfinishedError(
            f"The file '{file.filename}' is still being read: undo it when that has ended."
        )
    if file.undoable_until is not None and file.undoable_until <= now:
        raise UndoTooLateError(
            f"'{file.filename}' could be undone for {KEEP_UNDO.days} days after its end: what it"
            " changed is not remembered any more. Delete its leads or events instead."
        )
    return file


def _begin(scope: Scope, import_id: UUID, *, now: datetime) -> bool:
    """Note that somebody is at it; False when there is nothing to do."""
    found = find_undo(scope, import_id)
    if found is None or found.is_over:
        return False
    if found.attempts >= MOST_ATTEMPTS:
        why = found.error or "its worker died each time"
        error = f"It did not get on in {found.attempts} attempts ({why}). Ask for it again."
        _set(scope, import_id, state=UndoState.FAILED, error=error, finished_at=now)
        commit()
        return False
    _set(scope, import_id, attempts=found.attempts + 1, beat_at=now)
    commit()
    return True


def _step(scope: Scope, import_id: UUID, *, at_once: int) -> bool:
    """Do a stretch in this transaction; False when it was the last."""
    leads.lock_identities(scope)
    now = utc_now()
    undo, file = get_undo(scope, import_id), queries.get_file(scope, import_id)
    if undo.state is UndoState.QUEUED:
        gone = removal.forget_waiting_of_source(scope, queries.source_of(import_id), now=now)
        _note(undo, Effect(events=gone), now=now, state=UndoState.RUNNING)
        return True
    if folded := brought.list_folded(scope, file, limit=at_once):
        _separate(scope, folded, now=now)
        _note(undo, Effect(visitors_separated=len(folded)), now=now)
        return True
    if not undo.total:
        _note(undo, Effect(), now=now, total=max(1, brought.collect(scope, file, now=now)))
        return True
    if some := brought.next_leads(scope, import_id, limit=at_once):
        effect = _take_back(scope, file, some, now=now)
        brought.tick_off(scope, import_id, some)
        _note(undo, effect, now=now)
        return True
    if more := brought.collect_rest(scope, file, now=now):
        _note(undo, Effect(), now=now, total=undo.total + more)
        return True
    _note(undo, Effect(), now=now, state=UndoState.FINISHED, finished_at=now)
    return False


def _separate(scope: Scope, lead_ids: Sequence[str], *, now: datetime) -> None:
    """Let visitors stand for themselves again who were recognised by the import alone."""
    holders = lead_queries.merge_targets(scope, lead_ids)
    pairs = sorted((holders[lead_id], lead_id) for lead_id in lead_ids if lead_id in holders)
    for holder, members in groupby(pairs, key=lambda pair: pair[0]):
        released = [lead_id for _, lead_id in members]
        heirs = merging.heirs_of(merging.list_merged(scope, holder), released)
        transfers.give_back(scope, holder, heirs)
        merging.release(scope, holder, released, heirs, now=now)
        retell_leads(scope, [holder, *released], now=now)


def _take_back(scope: Scope, file: Import, lead_ids: Sequence[str], *, now: datetime) -> Effect:
    """Undo what the import did to some leads."""
    source = queries.source_of(file.import_id)
    deleted = removal.delete_of_source(scope, lead_ids, source)
    gone = brought.list_only_brought(scope, file, lead_ids, now=now)
    staying = sorted(documents.find_standing(scope, lead_ids) - set(gone))
    erase_leads(scope, gone)
    put_back = changes.put_back(scope, file.import_id, set(lead_ids) - set(gone), now=now)
    changes.forget(scope, file.import_id, lead_ids)
    nameless, kept = brought.forget_identifiers(scope, file, staying, now=now)
    leads.refresh_names(scope, sorted(set(nameless)), now=now)
    retell_leads(scope, staying, now=now)
    return put_back.plus(
        Effect(
            events=sum(deleted.values()),
            leads_removed=len(gone),
            leads_rescored=len(deleted.keys() & set(staying)),
            identifiers_removed=len(nameless),
            identifiers_kept=kept,
        )
    )


def _note(undo: Undo, effect: Effect, *, now: datetime, **values: Any) -> None:
    counts = to_json(asdict(undo.effect.plus(effect))).decode()
    scope = Scope(undo.org_id, undo.unit_id)
    values = {"attempts": 0, "error": None, "beat_at": now, "counts": counts, **values}
    _set(scope, undo.import_id, **values)


def _leave(scope: Scope, import_id: UUID) -> None:
    """Leave the rest to others; that this one came is no failed attempt."""
    driver().execute(
        """
        UPDATE import_undos SET beat_at = NULL, attempts = greatest(attempts - 1, 0)
        WHERE unit_id = %s AND import_id = %s
        """,
        (scope.unit_id, import_id),
    )
    commit()


def _set(scope: Scope, import_id: UUID, **values: Any) -> None:
    assignments = ", ".join(f"{name} = %({name})s" for name in values)
    driver().execute(
        f"UPDATE import_undos SET {assignments} WHERE unit_id = %(unit)s AND import_id = %(id)s",  # noqa: S608 - names of ours
        {**values, "unit": scope.unit_id, "id": import_id},
    )


def _undo(row: tuple[Any, ...]) -> Undo:
    import_id, unit_id, org_id, state, total, left, counts, *rest = row
    attempts, error, asked_at, asked_by, finished_at = rest
    return Undo(
        import_id=import_id,
        unit_id=unit_id,
        org_id=org_id,
        state=UndoState(state),
        total=total,
        left=left,
        effect=Effect(**counts),
        attempts=attempts,
        error=error,
        asked_at=asked_at,
        asked_by=asked_by,
        finished_at=finished_at,
    )


def _lock_key(import_id: UUID) -> int:
    # Another than the one under which the file is read: that is over by now.
    return queries.lock_key(UUID(int=import_id.int ^ 1))


def _send(queue: JobQueue, undo: Undo) -> None:
    queue.send(
        UNDO_IMPORT, str(undo.unit_id), str(undo.import_id), job_id=f"undo-import-{undo.import_id}"
    )


def _undone(import_id: UUID) -> ImportUndoneError:
    return ImportUndoneError(f"Import '{import_id}' is being undone, or was.")
