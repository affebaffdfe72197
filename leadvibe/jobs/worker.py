"""The role that calls functions sent through the broker: RQ without a fork for each job.

A fork a job would cost ten milliseconds and a fresh database connection; jobs that kill their
process are found again by the schedule, as any job whose worker died.
"""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask
from redis import RedisError
from rq import SimpleWorker
from rq.exceptions import StopRequested

from leadvibe.jobs.stopping import StopRequest
from leadvibe.lib.queue import open_queue, own_client

TIME_TO_LIVE_SECONDS = 45  # RQ waits for a job 15 s less than this at a time
PAUSE_SECONDS = 1.0

_log = logging.getLogger(__name__)


def run(app: Flask, stop: StopRequest, *, queue_name: str) -> None:
    """Work on the jobs of a queue until asked to stop; a broker that is away is waited for."""
    app.extensions["leadvibe.stop"] = stop
    while not stop.is_made:
        try:
            client = own_client(app.extensions["leadvibe.redis"])
            JobWorker(app, stop, open_queue(client, queue_name)).work(logging_level="WARNING")
        except StopRequested:
            break  # the signal came while the worker was ending for another reason
        except (RedisError, OSError) as error:
            _log.warning("the broker is away, trying again soon: %s", error)
        finally:
            stop.install_handlers()  # RQ's own belong to the worker that just ended
        stop.wait(PAUSE_SECONDS)


class JobWorker(SimpleWorker):
    """RQ's worker inside the application; each job has a context, and so a session, of its own."""

    log_result_lifespan = False
    log_job_description = False
    max_connection_wait_time = 5.0

    def __init__(self, app: Flask, stop: StopRequest, queue: Any) -> None:
        super().__init__(
            [queue],
            connection=queue.connection,
            serializer=queue.serializer,
            worker_ttl=TIME_TO_LIVE_SECONDS,
        )
        self._app = app
        self._stop = stop

    def _install_signal_handlers(self) -> None:
        """Put RQ's handlers in the place of ours, unless ours have been called by now."""
        super()._install_signal_handlers()  # type: ignore[no-untyped-call]
        if self._stop.is_made:
            raise StopRequested

    def perform_job(self, job: Any, queue: Any) -> bool:
        with self._app.app_context():
            return bool(super().perform_job(job, queue))

    def handle_warm_shutdown_request(self) -> None:
        """Tell the job as well: a long one leaves at its next batch and goes on elsewhere."""
        self._stop.make()
