"""The background roles, each the main loop of a process of its own.

`pipeline` scores what came in; `jobs` and `notifications` call the functions that were sent through
the broker, long ones and those that somebody waits for; `schedule` does what is due by the clock.
Any number of processes may run each role.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from flask import Flask
from redis import Redis, RedisError

from leadvibe.jobs import pipeline, schedule, worker
from leadvibe.jobs.stopping import StopRequest
from leadvibe.lib import heartbeat, memory
from leadvibe.lib.clock import utc_now
from leadvibe.lib.queue import NOTIFICATIONS, WORK

BEAT_SECONDS = 15.0  # several within the time that a beat stays fresh

ROLES: dict[str, Callable[[Flask, StopRequest], None]] = {
    "pipeline": pipeline.run,
    "jobs": partial(worker.run, queue_name=WORK),
    "notifications": partial(worker.run, queue_name=NOTIFICATIONS),
    "schedule": schedule.run,
}

_log = logging.getLogger(__name__)


def run(role: str, app: Flask) -> None:
    """Work until SIGTERM or SIGINT, then finish what is begun. Call it in the main thread."""
    stop = StopRequest()
    stop.install_handlers()
    _log.info("%s: started", role)
    memory.settle()
    with _beating(app.extensions["leadvibe.redis"], role):
        ROLES[role](app, stop)
    _log.info("%s: stopped", role)


@contextmanager
def _beating(broker: Redis, role: str) -> Iterator[None]:
    """Give signs of life meanwhile: from a thread, because a job or a batch may take its time."""
    is_over = threading.Event()

    def beat() -> None:
        while True:
            try:
                heartbeat.beat(broker, role, now=utc_now())
            except RedisError as error:
                _log.debug("no sign of life can be given: %s", error)
            if is_over.wait(BEAT_SECONDS):
                return

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join(timeout=1.0)
