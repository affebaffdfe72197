"""The role that watches the clock: one leader among all processes does what is due.

Each task is safe to repeat, because a new leader begins with all of them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from flask import Flask, current_app

from leadvibe.identity import service as identity
from leadvibe.imports import service as imports
from leadvibe.jobs.stopping import StopRequest
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import OUTAGES, Lock, commit, held_lock, is_outage, reset
from leadvibe.lib.queue import JobQueue

LEADER_LOCK = 0x5C4E_D01E  # any number will do, as long as all versions agree on it
TICK_SECONDS = 1.0
CANDIDATE_SECONDS = 2.0
HOUR = 3600.0

_log = logging.getLogger(__name__)


class Task(NamedTuple):
    """Something to do every so often, in a transaction of its own."""

    name: str
    every_seconds: float
    do: Callable[[datetime], None]


def resume_imports(now: datetime) -> None:
    """Send for a worker where an import has none: its job was lost, or its worker died."""
    imports.resume_due_imports(JobQueue(current_app.extensions["leadvibe.redis"]), now=now)


def forget_failed_files(now: datetime) -> None:
    imports.forget_failed_files(now=now)


def forget_expired_sign_ins(now: datetime) -> None:
    identity.forget_expired(now=now)


SCHEDULE = (
    Task("resume imports", 2.0, resume_imports),
    Task("forget failed files", HOUR, forget_failed_files),
    Task("forget expired sign-ins", HOUR, forget_expired_sign_ins),
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
