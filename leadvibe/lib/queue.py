"""Jobs for the workers: RQ behind plain functions.

A job in the broker is only a bell: what is due stands in the database, and a sweep sends it again.
So sending never raises, and a job that comes twice must do no harm.
"""

from __future__ import annotations

import logging
from contextlib import suppress

from redis import ConnectionPool, Redis, RedisError
from rq import Queue
from rq.connections import parse_connection
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer

QUEUE_NAME = "leadvibe"
LONGEST_JOB_SECONDS = 6 * 60 * 60
KEEP_FAILED_SECONDS = 24 * 60 * 60

_log = logging.getLogger(__name__)


class JobQueue:
    """Sends jobs through the broker; `function` names what a worker calls, with text arguments."""

    def __init__(self, broker: Redis) -> None:
        self._broker = broker

    def send(self, function: str, *arguments: str, job_id: str) -> None:
        """Have a worker call the function soon, unless a job with this id waits already.

        Logs it when the broker is away: the sweep comes round again.
        """
        try:
            self._send(function, arguments, job_id)
        except RedisError as error:
            _log.warning("job %s cannot be sent now: %s", job_id, error)

    def count_waiting(self) -> int:
        """Return how many jobs wait for a worker. Raises RedisError."""
        return open_queue(self._broker).count

    def _send(self, function: str, arguments: tuple[str, ...], job_id: str) -> None:
        queue = open_queue(self._broker)
        if queue.get_job_position(job_id) is not None:
            return
        # What RQ still knows under this id has run, or its worker died: it would refuse another.
        with suppress(NoSuchJobError):
            Job.fetch(job_id, connection=self._broker, serializer=JSONSerializer).delete()
        with suppress(DuplicateJobError):  # somebody else was quicker
            queue.enqueue_call(
                function,
                args=arguments,
                job_id=job_id,
                unique=True,
                timeout=LONGEST_JOB_SECONDS,
                result_ttl=0,
                failure_ttl=KEEP_FAILED_SECONDS,
                description=job_id,
            )


def own_client(broker: Redis) -> Redis:
    """Return a second client of the same broker, for a worker that waits longer than others do."""
    client, connection_class, options = parse_connection(broker)
    return client(connection_pool=ConnectionPool(connection_class=connection_class, **options))


def open_queue(broker: Redis) -> Queue:
    """Return RQ's own queue, for the worker that serves it."""
    return Queue(QUEUE_NAME, connection=broker, serializer=JSONSerializer)
