"""The role that watches the clock: one leader among all processes does what is due.

Each task is safe to repeat, because a new leader begins with all of them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from flask import Flask, current_app

from leadvibe.audit import service as audit
from leadvibe.bulk import service as bulk
from leadvibe.idempotency import service as idempotency
from leadvibe.identity import api_keys
from leadvibe.identity import service as identity
from leadvibe.imports import backfills, sampling, undoing
from leadvibe.imports import service as imports
from leadvibe.jobs.claims import RELEASE_CLAIMS
from leadvibe.jobs.members import LOOK_FOR_RARE_MEMBERS
from leadvibe.jobs.scoring import SETTLE_DECAY, TAKE_SNAPSHOTS
from leadvibe.jobs.stopping import StopRequest
from leadvibe.leadlist import rare_members
from leadvibe.leads import deletion as lead_deletion
from leadvibe.leads import ownership
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import OUTAGES, Lock, commit, held_lock, is_outage, reset
from leadvibe.lib.queue import JobQueue
from leadvibe.notifications import deliveries
from leadvibe.notifications import service as notifications
from leadvibe.pipeline import attributes, deletion, type_deletion
from leadvibe.rescoring import service as rescoring
from leadvibe.scoring import mixes, snapshots
from leadvibe.scoring import queries as score_queries

LEADER_LOCK = 0x5C4E_D01E  # any number will do, as long as all versions agree on it
TICK_SECONDS = 1.0
CANDIDATE_SECONDS = 2.0
HOUR = 3600.0
DAY = 24 * HOUR
AUDIT_BATCH_SIZE = 5_000  # a transaction: short enough for whoever writes to the audit meanwhile
AUDIT_BATCHES = 20  # an hour: what remains after a shorter retention goes over the next hours
KEEP_DELIVERIES = timedelta(days=90)
DELIVERIES_AT_ONCE = 2_000

_log = logging.getLogger(__name__)


class Task(NamedTuple):
    """Something to do every so often, in a transaction of its own."""

    name: str
    every_seconds: float
    do: Callable[[datetime], None]


def resume_imports(now: datetime) -> None:
    """Send for a worker where an import has none: its job was lost, or its worker died."""
    queue = JobQueue(current_app.extensions["leadvibe.redis"])
    imports.resume_due_imports(queue, now=now)
    sampling.resume_due_samples(queue, now=now)
    undoing.resume_due_undos(queue, now=now)


def resume_mails(now: datetime) -> None:
    """Send for a worker where a mail should be tried again, or was not tried at all."""
    notifications.resume_due_mails(JobQueue(current_app.extensions["leadvibe.redis"]), now=now)


def resume_deliveries(now: datetime) -> None:
    """Send for a worker where something should be told, for the first time or again."""
    if deliveries.are_due(now=now):
        deliveries.call_for_delivery(JobQueue(current_app.extensions["leadvibe.redis"]))


def forget_old_deliveries(now: datetime) -> None:
    """Delete what was told long ago, some at a time, each for good."""
    before = now - KEEP_DELIVERIES
    while deliveries.forget_deliveries(before=before, limit=DELIVERIES_AT_ONCE):
        commit()


def resume_deletions(now: datetime) -> None:
    """Send for a worker where something is half deleted and nobody is at it."""
    queue = JobQueue(current_app.extensions["leadvibe.redis"])
    deletion.resume_due_deletions(queue, now=now)
    type_deletion.resume_due_type_deletions(queue, now=now)


def resume_bulk_actions(now: datetime) -> None:
    """Send for a worker where something is being done to many leads and nobody is at it."""
    bulk.resume_due_actions(JobQueue(current_app.extensions["leadvibe.redis"]), now=now)


def forget_old_bulk_actions(now: datetime) -> None:
    bulk.forget_old_actions(now=now)


def resume_describing(now: datetime) -> None:
    """Send for a worker where a backfill has none, or scores by attributes are stale."""
    queue = JobQueue(current_app.extensions["leadvibe.redis"])
    backfills.resume_due_backfills(queue, now=now)
    attributes.resume_due_rescores(queue)


def forget_old_backfills(now: datetime) -> None:
    backfills.forget_old_backfills(now=now)


def resume_walks(now: datetime) -> None:
    """Send for a worker where a preview or a rescore has none."""
    rescoring.resume_due_walks(JobQueue(current_app.extensions["leadvibe.redis"]), now=now)


def look_for_rare_members(now: datetime) -> None:  # noqa: ARG001 - the worker looks at its own clock
    """Have a worker search for the rare members of segments where there are many leads."""
    if rare_members.are_due():
        queue = JobQueue(current_app.extensions["leadvibe.redis"])
        queue.send(LOOK_FOR_RARE_MEMBERS, job_id="rare-members")


def settle_decay(now: datetime) -> None:
    """Have a worker take what inactivity has cost in each unit where it may cost anything."""
    queue = JobQueue(current_app.extensions["leadvibe.redis"])
    for unit_id in score_queries.units_with_decay(now=now):
        queue.send(SETTLE_DECAY, str(unit_id), job_id=f"decay-{unit_id}")


def release_claims(now: datetime) -> None:
    """Have a worker put leads back into the pool whose claim has ended."""
    queue = JobQueue(current_app.extensions["leadvibe.redis"])
    for unit_id in ownership.units_with_ended_claims(now=now):
        queue.send(RELEASE_CLAIMS, str(unit_id), job_id=f"claims-{unit_id}")


def take_snapshots(now: datetime) -> None:  # noqa: ARG001 - the workers look at their own clocks
    """Have a worker note the scores of each unit."""
    queue = JobQueue(current_app.extensions["leadvibe.redis"])
    for unit_id in snapshots.units_with_scores():
        queue.send(TAKE_SNAPSHOTS, str(unit_id), job_id=f"snapshots-{unit_id}")


def forget_old_snapshots(now: datetime) -> None:
    snapshots.forget_snapshots(now=now)
    mixes.forget_mixes(now=now)


def forget_old_previews(now: datetime) -> None:
    rescoring.forget_old_previews(now=now)


def forget_old_deletions(now: datetime) -> None:
    lead_deletion.forget_old_deletions(now=now)


def forget_failed_files(now: datetime) -> None:
    imports.forget_failed_files(now=now)


def forget_old_audit(now: datetime) -> None:
    """Delete audit entries that are older than they are kept, some at a time, each for good."""
    before = now - timedelta(days=current_app.config["AUDIT_RETENTION_DAYS"])
    for _ in range(AUDIT_BATCHES):
        gone = audit.forget_entries(before=before, limit=AUDIT_BATCH_SIZE)
        commit()
        if gone < AUDIT_BATCH_SIZE:
            return


def forget_undo_data(now: datetime) -> None:
    undoing.forget_old_changes(now=now)


def forget_unstarted_files(now: datetime) -> None:
    imports.forget_unstarted_files(now=now)


def forget_expired_sign_ins(now: datetime) -> None:
    identity.forget_expired(now=now)
    api_keys.forget_expired_keys(now=now)


def forget_answers(now: datetime) -> None:
    """Forget how requests with a key were answered long ago, some at a time."""
    while idempotency.forget_expired(now=now):
        commit()


SCHEDULE = (
    Task("resume imports", 2.0, resume_imports),
    Task("resume mails", 5.0, resume_mails),
    Task("resume deliveries", 2.0, resume_deliveries),
    Task("forget old deliveries", HOUR, forget_old_deliveries),
    Task("resume deletions", 2.0, resume_deletions),
    Task("resume previews and rescores", 2.0, resume_walks),
    Task("resume bulk actions", 2.0, resume_bulk_actions),
    Task("forget old bulk actions", HOUR, forget_old_bulk_actions),
    Task("resume describing", 2.0, resume_describing),
    Task("look for rare members", 5.0, look_for_rare_members),
    Task("settle decay", HOUR, settle_decay),
    Task("release claims", 10.0, release_claims),
    Task("take snapshots", HOUR, take_snapshots),
    Task("forget old snapshots", DAY, forget_old_snapshots),
    Task("forget old previews", HOUR, forget_old_previews),
    Task("forget old backfills", HOUR, forget_old_backfills),
    Task("forget old deletions", HOUR, forget_old_deletions),
    Task("forget failed files", HOUR, forget_failed_files),
    Task("forget old audit entries", HOUR, forget_old_audit),
    Task("forget what imports changed", HOUR, forget_undo_data),
    Task("forget unstarted files", HOUR / 4, forget_unstarted_files),
    Task("forget expired sign-ins", HOUR, forget_expired_sign_ins),
    Task("forget answers", HOUR, forget_answers),
)


def run(app: Flask, stop: StopRequest) -> None:
    """Keep the schedule whenever nobody else does, until asked to stop."""
    while not stop.is_made:
        with app.app_context():
            try:
                with held_lock(LEADER_LOCK) as lock:
                    if lock is not None:
                        _lead(app, stop, lock)
            except OUTAGES as error:
                _log.warning("the database is away, trying again soon: %s", error)
                reset()
        stop.wait(CANDIDATE_SECONDS)


def _lead(app: Flask, stop: StopRequest, lock: Lock) -> None:
    """Do what is due for as long as the lock is held."""
    due_at = dict.fromkeys(SCHEDULE, 0.0)
    while not stop.is_made and lock.is_held():
        for task in SCHEDULE:
            if time.monotonic() >= due_at[task] and not stop.is_made:
                due_at[task] = time.monotonic() + task.every_seconds
                _do(app, task)
        stop.wait(TICK_SECONDS)


def _do(app: Flask, task: Task) -> None:
    with app.app_context():
        try:
            task.do(utc_now())
            commit()
        except Exception as error:  # the edge of a task: the others must have their turn
            if is_outage(error):
                raise
            _log.exception("the task '%s' failed", task.name)
