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
from rq.exceptions import DuplicateJobError, InvalidJobOperation, NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer

WORK = "leadvibe"
"""The queue of what may take long."""

NOTIFICATIONS = "leadvibe-notifications"
"""The queue of what somebody waits for, so that no import keeps a message."""

QUEUE_NAMES = (WORK, NOTIFICATIONS)
LONGEST_JOB_SECONDS = 6 * 60 * 60
KEEP_FAILED_SECONDS = 24 * 60 * 60
FOLLOWING = "-following"
"""What the id of a job ends with that waits for one of the same kind to end."""

_log = logging.getLogger(__name__)


class JobQueue:
    """Sends jobs through the broker; `function` names what a worker calls, with text arguments."""

    def __init__(self, broker: Redis) -> None:
        self._broker = broker

    def send(self, function: str, *arguments: str, job_id: str, name: str = WORK) -> None:
        """Have a worker call the function soon, unless a job with this id waits already.

        Logs it when the broker is away: the sweep comes round again.
        """
        try:
            self._send(open_queue(self._broker, name), function, arguments, job_id)
        except RedisError as error:
            _log.warning("job %s cannot be sent now: %s", job_id, error)

    def count_waiting(self) -> int:
        """Return how many jobs wait for a worker. Raises RedisError."""
        return sum(open_queue(self._broker, name).count for name in QUEUE_NAMES)

    def _send(self, queue: Queue, function: str, arguments: tuple[str, ...], job_id: str) -> None:
        following = f"{job_id}{FOLLOWING}"
        if any(queue.get_job_position(each) is not None for each in (job_id, following)):
            return
        # A job that runs may have looked already at what this one is about, so another follows it.
        # Of two that seem to run, one at least has lost its worker.
        name = following if self._runs(job_id) and not self._runs(following) else job_id
        self._forget(name)
        with suppress(DuplicateJobError):  # somebody else was quicker
            queue.enqueue_call(
                function,
                args=arguments,
                job_id=name,
                unique=True,
                timeout=LONGEST_JOB_SECONDS,
                result_ttl=0,
                failure_ttl=KEEP_FAILED_SECONDS,
                description=name,
            )

    def _runs(self, job_id: str) -> bool:
        """Say whether a job is under way, as far as RQ knows."""
        with suppress(NoSuchJobError, InvalidJobOperation):  # it ended while we looked
            return bool(self._job(job_id).is_started)
        return False

    def _forget(self, job_id: str) -> None:
        """Remove what RQ still knows under an id: it would refuse another job."""
        with suppress(NoSuchJobError, InvalidJobOperation):
            self._job(job_id).delete()

    def _job(self, job_id: str) -> Job:
        return Job.fetch(job_id, connection=self._broker, serializer=JSONSerializer)


def own_client(broker: Redis) -> Redis:
    """Return a second client of the same broker, for a worker that waits longer than others do."""
    client, connection_class, options = parse_connection(broker)
    return client(connection_pool=ConnectionPool(connection_class=connection_class, **options))


def open_queue(broker: Redis, name: str = WORK) -> Queue:
    """Return RQ's own queue, for the worker that serves it."""
    return Queue(name, connection=broker, serializer=JSONSerializer)
