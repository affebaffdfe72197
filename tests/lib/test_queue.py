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


def send_and_take(broker: Redis, job_id: str, status: JobStatus) -> None:
    """Send a job that a worker takes from the queue, and bring it into a state."""
    JobQueue(broker).send(FUNCTION, job_id="import-1")
    broker.delete("rq:queue:leadvibe")
    Job.fetch(job_id, connection=broker, serializer=JSONSerializer).set_status(status)


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.FINISHED])
def test_a_job_that_has_run_can_be_sent_again(broker, status):
    send_and_take(broker, "import-1", status)

    JobQueue(broker).send(FUNCTION, job_id="import-1")

    assert waiting(broker) == ["import-1"]


def test_a_job_that_runs_is_followed_by_another_and_stays_what_it_is(broker):
    send_and_take(broker, "import-1", JobStatus.STARTED)

    for _ in range(3):
        JobQueue(broker).send(FUNCTION, job_id="import-1")

    assert waiting(broker) == ["import-1-following"]
    running = Job.fetch("import-1", connection=broker, serializer=JSONSerializer)
    assert running.is_started


def test_workers_that_die_one_after_the_other_keep_no_job_from_being_sent(broker):
    send_and_take(broker, "import-1", JobStatus.STARTED)
    send_and_take(broker, "import-1-following", JobStatus.STARTED)

    JobQueue(broker).send(FUNCTION, job_id="import-1")

    assert waiting(broker) == ["import-1"]


def test_a_job_that_ends_while_it_is_looked_at_can_be_sent_again(broker, monkeypatch):
    queue = JobQueue(broker)
    queue.send(FUNCTION, job_id="import-1")
    broker.delete("rq:queue:leadvibe")
    fetch = Job.fetch

    def fetch_at_its_end(job_id: str, **kwargs: object) -> Job:
        job = fetch(job_id, **kwargs)
        broker.delete(f"rq:job:{job_id}")
        return job

    with monkeypatch.context() as patch:
        patch.setattr(Job, "fetch", fetch_at_its_end)
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
