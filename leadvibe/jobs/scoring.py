"""The jobs that go over a unit's scores: previews, rescores, decay, and snapshots of them."""

from __future__ import annotations

from uuid import UUID

from flask import current_app

from leadvibe.jobs.units import in_unit, is_stopping
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.lib.queue import JobQueue
from leadvibe.pipeline import process, rescore
from leadvibe.rescoring.previewing import advance_preview
from leadvibe.rescoring.rewriting import advance_rescore
from leadvibe.scoring import mixes, snapshots

SETTLE_DECAY = "leadvibe.jobs.scoring.settle_decay"
TAKE_SNAPSHOTS = "leadvibe.jobs.scoring.take_snapshots"
"""What the schedule sends for a unit."""


def run_preview(unit_id: str, preview_id: str) -> None:
    """Go on with a preview. Called twice, or by two workers, it does no harm."""
    with in_unit(unit_id, f"preview {preview_id}") as scope:
        if scope is not None:
            advance_preview(scope, UUID(preview_id), is_stopping=is_stopping)


def run_rescore(unit_id: str, rescore_id: str) -> None:
    """Go on with a rescore. Called twice, or by two workers, it does no harm."""
    with in_unit(unit_id, f"rescore {rescore_id}") as scope:
        if scope is not None:
            ring = current_app.extensions["leadvibe.bell"].ring
            advance_rescore(scope, UUID(rescore_id), ring=ring, is_stopping=is_stopping)


def settle_decay(unit_id: str) -> None:
    """Take the points that inactivity has cost by now. Called twice, it takes nothing twice.

    Each stretch holds the pipeline's lock; between two the inbox has its turn right here.
    """
    with in_unit(unit_id, f"decay of unit {unit_id}") as scope:
        if scope is None:
            return
        queue = JobQueue(current_app.extensions["leadvibe.redis"])
        for _ in rescore.settle_decay(scope, now=utc_now(), queue=queue):
            if is_stopping():
                return
            process.process_batch(scope)


def take_snapshots(unit_id: str) -> None:
    """Note the scores that have changed since the last time, and once a day how many have which."""
    with in_unit(unit_id, f"snapshots of unit {unit_id}") as scope:
        if scope is not None:
            now = utc_now()
            mixes.note_mix(scope, now=now)
            commit()
            snapshots.take_snapshots(scope, now=now)
            commit()
