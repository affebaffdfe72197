"""Sample data on request: asked for once, loaded by whoever gets to it, taken back at any time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from redis import Redis

from leadvibe.events import queries as event_queries
from leadvibe.identity.types import Scope
from leadvibe.imports import queries, sampling
from leadvibe.imports.sampling import (
    MOST_ATTEMPTS,
    advance_sample,
    finish_sample,
    remove_sample,
    request_sample,
    resume_due_samples,
)
from leadvibe.imports.types import SampleLoad, SampleStage
from leadvibe.leads import queries as lead_queries
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver, held_lock
from leadvibe.lib.queue import JobQueue, open_queue
from leadvibe.pipeline import process
from leadvibe.scoring import queries as score_queries
from tests.factories import make_event, make_principal, make_scope, send

pytestmark = pytest.mark.usefixtures("small_sample")


@pytest.fixture
def broker(app) -> Redis:
    broker = app.extensions["leadvibe.redis"]
    open_queue(broker).empty()
    return broker


@pytest.fixture
def scope(app) -> Scope:
    scope = make_scope()
    commit()
    return scope


def ask(scope: Scope, broker: Redis, by: str = "ana@acme.test") -> SampleLoad:
    load = request_sample(make_principal(scope), scope, queue=JobQueue(broker), now=utc_now())
    commit()
    return load


def advance(scope: Scope) -> int:
    """Do what the job does; returns how often it rang for the pipeline."""
    rings: list[None] = []
    advance_sample(scope, ring=lambda: rings.append(None))
    return len(rings)


def stage_of(scope: Scope) -> SampleStage | None:
    load = queries.find_sample(scope)
    return load.stage if load else None


def waiting(scope: Scope) -> int:
    return event_queries.inbox_status(scope).waiting


def jobs(broker: Redis) -> list[str]:
    return open_queue(broker).get_job_ids()


def test_what_is_asked_for_is_loaded_by_a_worker_and_watched_until_it_is_scored(scope, broker):
    stages = [ask(scope, broker).stage]
    assert waiting(scope) == 0

    rings = advance(scope)
    stages.append(stage_of(scope))
    process.drain(scope)
    stages.append(stage_of(scope))

    load = queries.find_sample(scope)
    assert stages == [SampleStage.QUEUED, SampleStage.SCORING, SampleStage.FINISHED]
    assert rings == 1
    assert (load.leads, load.events, load.handled, load.percent) == (20, 200, 200, 100)
    assert load.rules == len(score_queries.list_rules(scope))


def test_a_worker_hears_of_it_once_it_is_committed(scope, broker):
    request_sample(make_principal(scope), scope, queue=JobQueue(broker), now=utc_now())
    assert jobs(broker) == []

    commit()

    assert jobs(broker) == [f"sample-{queries.find_sample(scope).load_id}"]


def test_asking_again_changes_nothing(scope, broker):
    first = ask(scope, broker)

    assert ask(scope, broker) == first
    advance(scope)
    assert ask(scope, broker).stage is SampleStage.SCORING
    assert advance(scope) == 0
    assert (waiting(scope), len(jobs(broker))) == (200, 1)


def test_a_broker_that_is_away_only_makes_it_late(scope, broker):
    away = Redis(port=1, socket_connect_timeout=0.1)

    assert ask(scope, away).stage is SampleStage.QUEUED

    soon = utc_now() + timedelta(seconds=5)
    assert resume_due_samples(JobQueue(broker), now=soon) == 1
    assert jobs(broker) == [f"sample-{queries.find_sample(scope).load_id}"]


def test_only_what_nobody_works_on_is_sent_for(scope, broker):
    load = ask(scope, broker)
    soon = utc_now() + timedelta(seconds=5)
    queue = JobQueue(broker)

    assert resume_due_samples(queue, now=utc_now()) == 0  # its job has only just left
    with held_lock(queries.lock_key(load.load_id)):
        assert resume_due_samples(queue, now=soon) == 0
    assert resume_due_samples(queue, now=soon) == 1
    advance(scope)
    assert resume_due_samples(queue, now=soon) == 0


def test_two_workers_load_it_once(scope, broker):
    load = ask(scope, broker)

    with held_lock(queries.lock_key(load.load_id)):
        assert advance(scope) == 0
    assert waiting(scope) == 0
    assert advance(scope) + advance(scope) == 1
    assert waiting(scope) == 200


def test_a_worker_that_fails_leaves_nothing_behind_and_says_so(scope, broker, monkeypatch):
    ask(scope, broker)

    def fail(*_args, **_kwargs):
        raise RuntimeError("postgres://secret")

    with monkeypatch.context() as patch:
        patch.setattr("leadvibe.imports.sample_load._post_events", fail)
        with pytest.raises(RuntimeError):
            advance(scope)

    failed = queries.find_sample(scope)
    assert failed.stage is SampleStage.FAILED
    assert failed.error == "The sample data could not be made (RuntimeError)."
    assert lead_queries.count_leads(scope) == 0
    assert score_queries.list_rules(scope) == []


def test_what_failed_can_be_asked_for_again(scope, broker):
    load = ask(scope, broker)
    sampling._give_up(load, "The sample data could not be made.")

    again = ask(scope, broker)

    assert again.stage is SampleStage.QUEUED
    assert (again.error, again.load_id != load.load_id) == (None, True)
    assert advance(scope) == 1


def test_a_sample_that_kills_its_worker_is_given_up(scope, broker):
    load = ask(scope, broker)

    for _ in range(MOST_ATTEMPTS):
        assert sampling._begin(load, now=utc_now())
        assert stage_of(scope) is SampleStage.LOADING

    assert advance(scope) == 0
    assert queries.find_sample(scope).error == "The worker that made the sample data died 3 times."
    assert resume_due_samples(JobQueue(broker), now=utc_now() + timedelta(hours=1)) == 0


def test_who_takes_it_back_before_a_worker_comes_gets_none(scope, broker):
    ask(scope, broker)

    report = remove_sample(make_principal(scope), scope, now=utc_now())
    commit()

    assert (report.leads, report.events, report.waiting) == (0, 0, 0)
    assert advance(scope) == 0
    assert waiting(scope) == 0
    assert stage_of(scope) is None


def test_who_takes_it_back_while_it_is_loaded_gets_none(scope, broker, monkeypatch):
    load = ask(scope, broker)
    loading = sampling.load_sample

    def load_and_be_overtaken(*args, **kwargs):
        report = loading(*args, **kwargs)
        driver().execute("DELETE FROM sample_loads WHERE load_id = %s", (load.load_id,))
        return report

    monkeypatch.setattr(sampling, "load_sample", load_and_be_overtaken)
    advance(scope)

    assert waiting(scope) == 0
    assert lead_queries.count_leads(scope) == 0


def test_a_unit_whose_events_are_samples_already_gets_no_second_year(scope, broker):
    send(scope, make_event(lead_id="ld_1"), source="seed")
    ask(scope, broker)

    advance(scope)

    assert waiting(scope) == 1
    assert queries.find_sample(scope).events == 0


def test_it_can_be_loaded_and_scored_on_the_spot(scope, broker):
    ask(scope, broker)
    told: list[SampleStage] = []

    ended = finish_sample(scope, progress=lambda load: told.append(load.stage))

    assert told == [SampleStage.QUEUED]
    assert ended.stage is SampleStage.FINISHED
    assert finish_sample(scope, progress=lambda load: told.append(load.stage)) == ended
    assert told == [SampleStage.QUEUED]


def test_the_wish_of_one_unit_is_no_business_of_another(scope, broker):
    elsewhere = make_scope()
    ask(scope, broker)

    assert stage_of(elsewhere) is None
    assert advance(elsewhere) == 0
    remove_sample(make_principal(elsewhere), elsewhere, now=utc_now())
    commit()
    assert stage_of(scope) is SampleStage.QUEUED
