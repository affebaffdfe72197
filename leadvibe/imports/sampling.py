"""Sample data on request: a member asks, a worker loads, and whoever wants to watches.

The half of the imports' writes that is about samples. Asking is a row in the database; the job is
only a bell, and what nobody works on is found by `resume_due_samples`. What a sample is made of,
and taken out again: sample_load.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert

from leadvibe.identity.types import OrgRole, Principal, Scope, Via
from leadvibe.imports import queries
from leadvibe.imports.models import SampleLoadRow
from leadvibe.imports.sample_load import WipeReport, load_sample, wipe_sample
from leadvibe.imports.types import SampleLoad, SampleState
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import after_commit, commit, held_lock, is_outage, rollback, session
from leadvibe.lib.ids import new_id
from leadvibe.lib.queue import JobQueue
from leadvibe.pipeline import process

log = logging.getLogger(__name__)

LOAD_SAMPLE = "leadvibe.jobs.imports.load_sample"
"""What a worker calls, with the unit."""

MOST_ATTEMPTS = 3
"""Starts after which a sample counts as one that kills its worker."""

BATCH_SIZE = 20_000
"""Larger than the pipeline's own: there is nobody yet who waits for another event."""

LOOK_SECONDS = 0.1


def request_sample(
    principal: Principal, scope: Scope, *, queue: JobQueue, now: datetime
) -> SampleLoad:
    """Have a worker load the sample once the caller has committed; returns how far it is.

    Does nothing in a unit that has it, or will have it soon. One that failed is tried again.
    """
    asked: dict[str, Any] = {
        "load_id": new_id(),
        "state": SampleState.QUEUED,
        "attempts": 0,
        "error": None,
        "created_at": now,
        "created_by": principal.label,
        "started_at": None,
    }
    made = session().scalar(
        insert(SampleLoadRow)
        .values(unit_id=scope.unit_id, org_id=scope.org_id, **asked)
        .on_conflict_do_update(
            index_elements=[SampleLoadRow.unit_id],
            set_=asked,
            where=SampleLoadRow.state == SampleState.FAILED,
        )
        .returning(SampleLoadRow.load_id)
    )
    if made is not None:
        after_commit(f"sample {made}", lambda: _send(queue, scope.unit_id, made))
    load = queries.find_sample(scope)
    assert load is not None, "it was there, or it was just made"
    return load


def advance_sample(scope: Scope, *, ring: Callable[[], None]) -> None:
    """Load the sample that was asked for, all of it in one transaction, and ring the pipeline.

    Returns at once when another worker is at it or nobody asks any more.
    """
    load = queries.find_sample(scope)
    if load is None or load.state is not SampleState.QUEUED:
        return
    with held_lock(queries.lock_key(load.load_id)) as lock:
        if lock is None or not _begin(load, now=utc_now()):
            rollback()
            return
        try:
            _load(scope, load)
        except Exception as error:
            if is_outage(error):
                raise
            rollback()
            # The log has the rest: whoever asked is told nothing internal.
            _give_up(load, f"The sample data could not be made ({type(error).__name__}).")
            raise
    ring()


def finish_sample(scope: Scope, *, progress: Callable[[SampleLoad], None]) -> SampleLoad | None:
    """Load and score here what was asked for, or wait while workers do; commits batch by batch.

    Tells `progress` whenever there is some. Returns how it ended; None when somebody wiped it
    meanwhile.
    """
    told: SampleLoad | None = None
    while (load := queries.find_sample(scope)) is not None and not load.is_complete:
        rollback()
        if load != told:
            progress(load)
            told = load
        advance_sample(scope, ring=lambda: None)
        if not process.process_batch(scope, limit=BATCH_SIZE).claimed:
            time.sleep(LOOK_SECONDS)
    rollback()
    process.refresh_statistics()
    return load


def resume_due_samples(queue: JobQueue, *, now: datetime) -> int:
    """Send a job for every sample that nobody works on; returns how many there were."""
    due = queries.due_samples(now=now)
    for load in due:
        _send(queue, load.unit_id, load.load_id)
    return len(due)


def remove_sample(principal: Principal, scope: Scope, *, now: datetime) -> WipeReport:
    """Take the sample out again, or withdraw the wish for it. See `wipe_sample`."""
    # First, for it waits until a worker that loads it has committed; one that comes later finds
    # that nobody asks any more.
    report = wipe_sample(principal, scope, now=now)
    session().execute(delete(SampleLoadRow).where(SampleLoadRow.unit_id == scope.unit_id))
    return report


def _begin(load: SampleLoad, *, now: datetime) -> bool:
    """Note that a worker is at it; False when there is nothing for it to do."""
    attempts = _set(
        load,
        SampleLoadRow.state == SampleState.QUEUED,
        started_at=now,
        attempts=SampleLoadRow.attempts + 1,
    )
    if attempts is None:
        return False
    if attempts > MOST_ATTEMPTS:
        _give_up(load, f"The worker that made the sample data died {MOST_ATTEMPTS} times.")
        return False
    commit()
    return True


def _load(scope: Scope, load: SampleLoad) -> None:
    asker = Principal(
        org_id=scope.org_id,
        via=Via.COMMAND,
        org_role=OrgRole.ADMIN,
        unit_id=scope.unit_id,
        label=load.created_by,
    )
    now = utc_now()
    report = load_sample(asker, scope, now=now)
    done = _set(
        load,
        SampleLoadRow.state == SampleState.QUEUED,
        state=SampleState.LOADED,
        leads=report.leads,
        events=report.events,
        rules=report.rules,
        loaded_at=now,
    )
    if done is None:
        rollback()
        log.warning("unit %s wants no sample data any more", scope.unit_id)
        return
    commit()


def _give_up(load: SampleLoad, error: str) -> None:
    _set(load, state=SampleState.FAILED, error=error)
    commit()


def _set(load: SampleLoad, *conditions: Any, **values: Any) -> int | None:
    """Change the row of this very wish; returns its attempts, or None when it is gone."""
    return session().scalar(
        update(SampleLoadRow)
        .where(
            SampleLoadRow.unit_id == load.unit_id,
            SampleLoadRow.load_id == load.load_id,
            *conditions,
        )
        .values(**values)
        .returning(SampleLoadRow.attempts)
    )


def _send(queue: JobQueue, unit_id: UUID, load_id: UUID) -> None:
    queue.send(LOAD_SAMPLE, str(unit_id), job_id=f"sample-{load_id}")
