from __future__ import annotations

import pytest
from redis import Redis
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from leadvibe.lib.queue import JobQueue, open_queue, own_client

FUNCTION = "leadvibe.jobs.imports.run_import"


@pytest.fixture
def broker(redis_url):
    with Redis.from_url(redis_url, socket_timeout=2) as client:
        client.flushdb()
        yield client


def waiting(broker: Redis) -> list[str]:
    return open_queue(broker).job_ids


def test_a_job_carries_its_function_and_its_arguments_as_text(broker):
    JobQueue(broker).send(FUNCTION, "unit", "import", job_id="import-1")

    job = Job.fetch("import-1", connection=broker, serializer=JSONSerializer)
    assert (job.func_name, list(job.args)) == (FUNCTION, ["unit", "import"])


def test_a_job_that_waits_is_not_sent_twice(broker):
    for _ in range(3):
        JobQueue(broker).send(FUNCTION, job_id="import-1")

    assert waiting(broker) == ["import-1"]


@pytest.mark.parametrize("status", [JobStatus.STARTED, JobStatus.FAILED, JobStatus.FINISHED])
def test_a_job_whose_worker_died_or_that_has_run_can_be_sent_again(broker, status):
    queue = JobQueue(broker)
    queue.send(FUNCTION, job_id="import-1")
    broker.delete("rq:queue:leadvibe")
    Job.fetch("import-1", connection=broker, serializer=JSONSerializer).set_status(status)

    queue.send(FUNCTION, job_id="import-1")

    assert waiting(broker) == ["import-1"]


def test_sending_without_a_broker_is_logged_and_raises_nothing(caplog):
    JobQueue(Redis.from_url("redis://127.0.0.1:1")).send(FUNCTION, job_id="import-1")

    assert "import-1 cannot be sent now" in caplog.text


def test_a_worker_waits_on_a_client_of_its_own(broker):
    own = own_client(broker)

    own.connection_pool.connection_kwargs["socket_timeout"] = 60

    assert own.ping()
    assert broker.connection_pool.connection_kwargs["socket_timeout"] == 2
    own.close()
