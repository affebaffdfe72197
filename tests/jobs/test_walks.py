"""Previews and rescores whose worker is killed with -9 in the middle, and decay in a job."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from uuid import uuid4

import pytest

from leadvibe.events import queries as events
from leadvibe.identity.types import Scope
from leadvibe.jobs import scoring as jobs
from leadvibe.jobs.schedule import settle_decay, take_snapshots
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver, rollback
from leadvibe.lib.paging import PageRequest
from leadvibe.lib.queue import JobQueue
from leadvibe.pipeline import process
from leadvibe.pipeline import rescore as replaying
from leadvibe.rescoring import queries, service
from leadvibe.rescoring.types import PreviewKind, Walk, WalkState
from leadvibe.scoring import queries as scoring
from tests.factories import make_decay, make_event, make_principal, make_rule, make_scope, send
from tests.jobs.conftest import wait_until

LEADS = 6_000


@pytest.fixture
def scope(workers) -> Scope:
    """Return a unit with many leads, whose events were scored before they were worth anything."""
    scope = make_scope()
    send(scope, *(make_event(lead_id=f"lead{number % LEADS}") for number in range(LEADS * 2)))
    commit()
    process.drain(scope)
    make_rule(scope, "page_view", 5)
    driver().execute("ANALYZE")  # as within 15 s: plans for what was empty take far longer
    commit()
    return scope


def finish_though_killed(workers, find: Callable[[], Walk]) -> Walk:
    """Kill two workers in the middle of a walk, and let a third one end it."""

    def look() -> Walk:
        walk = find()
        rollback()
        return walk

    done = 0
    workers.start("schedule")
    for _ in range(2):
        worker = workers.start("jobs")
        wait_until(lambda done=done: look().leads_done > done, pause=0)
        worker.kill()
        worker.join()
        walk = look()
        assert (walk.state, done < walk.leads_done < LEADS) == (WalkState.RUNNING, True)
        done = walk.leads_done
    workers.start("jobs")
    wait_until(lambda: look().is_complete)
    return look()


@pytest.mark.parametrize(
    ("sent", "function"),
    [
        (service.RUN_PREVIEW, jobs.run_preview),
        (service.RUN_RESCORE, jobs.run_rescore),
        (jobs.SETTLE_DECAY, jobs.settle_decay),
        (jobs.TAKE_SNAPSHOTS, jobs.take_snapshots),
    ],
)
def test_what_is_sent_to_the_workers_exists(sent, function):
    module, _, name = sent.rpartition(".")

    assert getattr(import_module(module), name) is function


def test_jobs_for_a_unit_that_is_gone_end_quietly(app):
    for job in (jobs.run_preview, jobs.run_rescore):
        job(str(uuid4()), str(uuid4()))
    for job in (jobs.settle_decay, jobs.take_snapshots):
        job(str(uuid4()))


def test_a_preview_outlives_its_workers(app, workers, scope):
    asked = service.request_preview(
        make_principal(scope),
        scope,
        scoring.get_config(scope, scoring.current_version(scope)),
        kind=PreviewKind.ENGAGEMENT,
        subject="the current configuration",
        queue=JobQueue(app.extensions["leadvibe.redis"]),
        now=utc_now(),
    )
    commit()

    found = finish_though_killed(workers, lambda: queries.get_preview(scope, asked.walk_id))

    assert found.state is WalkState.FINISHED
    assert (found.findings.leads, found.findings.movement.increases) == (LEADS, LEADS)
    assert found.findings.movement.total == LEADS * 10
    page = queries.search_preview_leads(scope, asked.walk_id, PageRequest(1, 1))
    assert page.total.count == LEADS


def test_a_rescore_outlives_its_workers(app, workers, scope):
    asked = service.request_rescore(
        make_principal(scope),
        scope,
        queue=JobQueue(app.extensions["leadvibe.redis"]),
        now=utc_now(),
    )
    commit()

    done = finish_though_killed(workers, lambda: queries.get_rescore(scope, asked.walk_id))

    assert (done.state, done.leads_done, done.restarts) == (WalkState.FINISHED, LEADS, 0)
    rows = driver().execute(
        "SELECT score, count(*) FROM leads WHERE unit_id = %s GROUP BY score", (scope.unit_id,)
    )
    assert rows.fetchall() == [(10, LEADS)]
    assert [one for step in replaying.verify(scope) for one in step.found] == []


def test_the_jobs_of_a_unit_do_no_harm_when_they_come_twice(app, monkeypatch):
    scope = make_scope()
    make_rule(scope, "page_view", 25)
    make_decay(scope, 1, "days", 10)
    send(scope, make_event(lead_id="ana"))
    commit()
    process.drain(scope)
    send(scope, make_event(lead_id="bo"))
    commit()
    later = utc_now() + timedelta(days=2, hours=1)
    monkeypatch.setattr(jobs, "utc_now", lambda: later)

    for _ in range(2):
        jobs.settle_decay(str(scope.unit_id))
        jobs.take_snapshots(str(scope.unit_id))

    assert events.inbox_status(scope).waiting == 0
    found = driver().execute("SELECT lead_id, score FROM score_snapshots ORDER BY lead_id")
    assert found.fetchall() == [("ana", 5), ("bo", 5)]
    assert [one for step in replaying.verify(scope) for one in step.found] == []


def test_the_schedule_sends_for_units_with_decay_and_for_units_with_scores(app):
    broker = app.extensions["leadvibe.redis"]
    broker.flushdb()
    plain, fading = make_scope(), make_scope()
    for scope in (plain, fading):
        make_rule(scope, "page_view", 5)
        send(scope, make_event(lead_id="ana"))
        commit()
        process.drain(scope)
    make_decay(fading)
    commit()

    settle_decay(utc_now() + timedelta(days=30))
    take_snapshots(utc_now())

    assert {key.decode() for key in broker.keys("rq:job:*")} == {
        f"rq:job:decay-{fading.unit_id}",
        f"rq:job:snapshots-{fading.unit_id}",
        f"rq:job:snapshots-{plain.unit_id}",
    }
