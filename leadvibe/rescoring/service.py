"""Previews and rescores asked for, followed, cancelled and forgotten.

Asking is a row; the job is only a bell, and what nobody works on is found by `resume_due_walks`.
Going over the leads is previewing's and rewriting's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Update, delete, func, insert, update

from leadvibe.engine.rules import Config
from leadvibe.identity.types import Principal, Scope
from leadvibe.leads import accounts
from leadvibe.leads import queries as lead_queries
from leadvibe.lib.db import after_commit, copy_rows, session
from leadvibe.lib.ids import new_id
from leadvibe.lib.queue import JobQueue
from leadvibe.rescoring import queries
from leadvibe.rescoring.errors import RescoreRunningError, TooManyPreviewsError
from leadvibe.rescoring.findings import Comparison, Findings
from leadvibe.rescoring.models import PreviewLeadRow, PreviewRow, RescoreRow
from leadvibe.rescoring.types import UNFINISHED, Preview, PreviewKind, Rescore, Walk, WalkState
from leadvibe.scoring import queries as score_queries
from leadvibe.scoring.service import lock_configuration

RUN_PREVIEW = "leadvibe.jobs.scoring.run_preview"
RUN_RESCORE = "leadvibe.jobs.scoring.run_rescore"
"""What a worker calls, with the unit and the walk."""

MOST_ATTEMPTS = 5
"""Starts without a step, after which a walk counts as one that kills its worker."""

KEEP_PREVIEWS = timedelta(days=7)
MOST_PREVIEWS = 50
"""Of a unit; each may hold a row for every lead."""

MOST_UNFINISHED = 3
"""Of a unit: workers have other things to do, too."""

LEAD_COLUMNS = (
    "unit_id", "preview_id", "lead_id", "is_new", "old_score", "new_score", "old_level",
    "new_level",
)  # fmt: skip


def request_preview(
    principal: Principal,
    scope: Scope,
    config: Config,
    *,
    kind: PreviewKind,
    subject: str,
    thresholds: Sequence[int] = (),
    queue: JobQueue,
    now: datetime,
) -> Preview:
    """Have a worker find out what a configuration would make of history.

    Once the caller has committed. `subject` says in words which configuration it is. Raises
    TooManyPreviewsError while the unit waits for several others.
    """
    _make_room(scope)
    preview_id = new_id()
    session().execute(
        insert(PreviewRow).values(
            unit_id=scope.unit_id,
            preview_id=preview_id,
            org_id=scope.org_id,
            kind=kind,
            state=WalkState.QUEUED,
            subject=subject,
            config=config.to_json(),
            version=score_queries.current_version(scope),
            thresholds=sorted(set(thresholds)),
            leads_total=_count_subjects(scope, kind),
            findings=Findings().to_json(),
            created_at=now,
            created_by=principal.label,
        )
    )
    after_commit(f"preview {preview_id}", lambda: send_preview(queue, scope.unit_id, preview_id))
    return queries.get_preview(scope, preview_id)


def _count_subjects(scope: Scope, kind: PreviewKind) -> int:
    is_of_accounts = kind is PreviewKind.ACCOUNT
    return accounts.count_accounts(scope) if is_of_accounts else lead_queries.count_listed(scope)


def _make_room(scope: Scope) -> None:
    """See to it that one more preview is not too many; the oldest go."""
    lock_configuration(scope)  # so that the limit is one
    unfinished = queries.count_unfinished_previews(scope)
    if unfinished >= MOST_UNFINISHED:
        raise TooManyPreviewsError(
            f"{unfinished} previews of this unit are under way already: wait for one of them, or"
            " cancel one (DELETE /scoring/previews/{id})."
        )
    for preview_id in queries.list_surplus_previews(scope, keep=MOST_PREVIEWS - 1):
        session().execute(
            delete(PreviewRow).where(
                PreviewRow.unit_id == scope.unit_id, PreviewRow.preview_id == preview_id
            )
        )
        _forget_leads(scope.unit_id, preview_id)


def cancel_preview(scope: Scope, preview_id: UUID, *, now: datetime) -> Preview:
    """End a preview that is not finished, and forget what it found so far.

    Raises PreviewNotFoundError. One that has ended already stays as it is.
    """
    queries.get_preview(scope, preview_id)
    cancelled = session().scalar(
        _update(PreviewRow, scope, preview_id)
        .where(PreviewRow.state.in_(UNFINISHED))
        .values(state=WalkState.CANCELLED, finished_at=now)
        .returning(PreviewRow.preview_id)
    )
    if cancelled is not None:
        _forget_leads(scope.unit_id, preview_id)
    return queries.get_preview(scope, preview_id)


def request_rescore(
    principal: Principal, scope: Scope, *, queue: JobQueue, now: datetime
) -> Rescore:
    """Have a worker score all leads anew under the current configuration.

    Once the caller has committed. Raises RescoreRunningError while the unit waits for another.
    """
    lock_configuration(scope)  # two of these queue, so that the second sees the first
    running = queries.find_running_rescore(scope)
    if running is not None:
        raise RescoreRunningError(
            f"A rescore of this unit is under way already ({running.walk_id}, {running.percent} %)."
            " Wait for it: it takes in changes that are made meanwhile."
        )
    rescore_id = new_id()
    session().execute(
        insert(RescoreRow).values(
            unit_id=scope.unit_id,
            rescore_id=rescore_id,
            org_id=scope.org_id,
            state=WalkState.QUEUED,
            version=score_queries.current_version(scope),
            leads_total=lead_queries.count_leads(scope),
            created_at=now,
            created_by=principal.label,
        )
    )
    after_commit(f"rescore {rescore_id}", lambda: send_rescore(queue, scope.unit_id, rescore_id))
    return queries.get_rescore(scope, rescore_id)


def send_preview(queue: JobQueue, unit_id: UUID, preview_id: UUID) -> None:
    """Call a worker for a preview."""
    queue.send(RUN_PREVIEW, str(unit_id), str(preview_id), job_id=f"preview-{preview_id}")


def send_rescore(queue: JobQueue, unit_id: UUID, rescore_id: UUID) -> None:
    """Call a worker for a rescore."""
    queue.send(RUN_RESCORE, str(unit_id), str(rescore_id), job_id=f"rescore-{rescore_id}")


def resume_due_walks(queue: JobQueue, *, now: datetime) -> int:
    """Send a job for every walk that nobody works on; returns how many there were."""
    previews, rescores = queries.due_previews(now=now), queries.due_rescores(now=now)
    for preview in previews:
        send_preview(queue, preview.unit_id, preview.walk_id)
    for rescore in rescores:
        send_rescore(queue, rescore.unit_id, rescore.walk_id)
    return len(previews) + len(rescores)


def forget_old_previews(*, now: datetime) -> int:
    """Delete previews that nobody looks at any more, in all units; returns how many."""
    gone = session().execute(
        delete(PreviewRow)
        .where(PreviewRow.created_at < now - KEEP_PREVIEWS, PreviewRow.state.not_in(UNFINISHED))
        .returning(PreviewRow.unit_id, PreviewRow.preview_id)
    )
    forgotten = gone.all()
    for unit_id, preview_id in forgotten:
        _forget_leads(unit_id, preview_id)
    return len(forgotten)


def begin(walk: Walk, *, now: datetime) -> bool:
    """Note that a worker is at a walk; False when there is nothing for it to do."""
    if walk.attempts >= MOST_ATTEMPTS:
        why = walk.error or "its worker died each time"
        error = f"It came no further than this in {MOST_ATTEMPTS} attempts ({why})."
        _set(walk, state=WalkState.FAILED, finished_at=now, error=error)
        return False
    attempts = walk.attempts + 1
    started_at = walk.started_at or now
    return _set(
        walk, state=WalkState.RUNNING, attempts=attempts, started_at=started_at, beat_at=now
    )


def leave(walk: Walk) -> None:
    """Leave a walk for another worker; that this one came is no failed attempt."""
    table = _table(walk)
    _set(walk, beat_at=None, attempts=func.greatest(table.attempts - 1, 0))


def note_error(walk: Walk, error: Exception) -> None:
    """Write down what ended an attempt; the log has the rest, for nothing internal is told."""
    _set(walk, error=type(error).__name__, beat_at=None)


def record_looked_at(
    preview: Preview,
    comparisons: Iterable[Comparison],
    *,
    findings: Findings,
    after_lead: str,
    leads_done: int,
    now: datetime,
) -> bool:
    """Keep what was found about some leads, and that they are done.

    False when the preview has been cancelled: then none of it may be kept.
    """
    moved = _set(
        preview,
        findings=findings.to_json(),
        after_lead=after_lead,
        leads_done=leads_done,
        attempts=0,
        error=None,
        beat_at=now,
    )
    if moved:
        rows = ((preview.unit_id, preview.walk_id, *lead) for lead in comparisons)
        copy_rows("scoring_preview_leads", LEAD_COLUMNS, rows)
    return moved


def record_rewritten(rescore: Rescore, *, after_lead: str, leads_done: int, now: datetime) -> bool:
    """Note that some more leads are scored anew; False when the rescore is gone."""
    return _set(
        rescore, after_lead=after_lead, leads_done=leads_done, attempts=0, error=None, beat_at=now
    )


def record_returned(rescore: Rescore, events: int, *, now: datetime) -> None:
    """Note that events have gone back to the inbox."""
    _set(rescore, events_returned=RescoreRow.events_returned + events, attempts=0, beat_at=now)


def restart(rescore: Rescore, *, version: int, now: datetime) -> None:
    """Begin again, under a version that came meanwhile."""
    _set(
        rescore,
        version=version,
        after_lead="",
        leads_done=0,
        restarts=RescoreRow.restarts + 1,
        leads_total=lead_queries.count_leads(Scope(rescore.org_id, rescore.unit_id)),
        beat_at=now,
    )


def finish(walk: Walk, *, leads: int, now: datetime) -> None:
    """Note that a walk has come to its end."""
    _set(
        walk,
        state=WalkState.FINISHED,
        leads_total=leads,
        leads_done=leads,
        finished_at=now,
        beat_at=None,
    )


def _set(walk: Walk, **values: Any) -> bool:
    """Change a walk that is not complete; False when it is, or is gone."""
    table = _table(walk)
    changed = session().scalar(
        _update(table, Scope(walk.org_id, walk.unit_id), walk.walk_id)
        .where(table.state.in_(UNFINISHED))
        .values(**values)
        .returning(table.unit_id)
    )
    return changed is not None


def _table(walk: Walk) -> type[PreviewRow | RescoreRow]:
    return PreviewRow if isinstance(walk, Preview) else RescoreRow


def _update(table: type[PreviewRow | RescoreRow], scope: Scope, walk_id: UUID) -> Update:
    key = PreviewRow.preview_id if table is PreviewRow else RescoreRow.rescore_id
    return update(table).where(table.unit_id == scope.unit_id, key == walk_id)


def _forget_leads(unit_id: UUID, preview_id: UUID) -> None:
    session().execute(
        delete(PreviewLeadRow).where(
            PreviewLeadRow.unit_id == unit_id, PreviewLeadRow.preview_id == preview_id
        )
    )
