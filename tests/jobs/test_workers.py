"""Worker processes killed with -9 wherever it hurts most, and ended politely."""

from __future__ import annotations

import io
import signal
from collections.abc import Callable

import pytest

from leadvibe.events import queries as event_queries
from leadvibe.identity.types import Scope
from leadvibe.imports import lead_uploads
from leadvibe.imports import queries as import_queries
from leadvibe.imports import service as imports
from leadvibe.imports.types import Import, ImportStage, LeadPlan
from leadvibe.leads.deletion import find_deletion
from leadvibe.leads.types import AliasKind
from leadvibe.lib import heartbeat
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver, held_lock_keys, rollback
from leadvibe.lib.queue import JobQueue
from leadvibe.pipeline import deletion, process, rescore
from tests.factories import make_event, make_principal, make_rule, make_scope, send
from tests.jobs.conftest import wait_until

ROLES = ("pipeline", "jobs", "notifications", "schedule")


@pytest.fixture
def scope(workers) -> Scope:
    scope = make_scope()
    make_rule(scope, "page_view", 3)
    make_rule(scope, "email_bounced", -7)
    commit()
    return scope


def upload(app, scope: Scope, rows: int) -> Import:
    lines = (
        f"{'page_view' if row % 3 else 'email_bounced'},lead{row % 400}@example.com,m{row}"
        for row in range(rows)
    )
    text = "\n".join(["event_type,email,message_id", *lines])
    file = imports.start_import(
        make_principal(scope),
        scope,
        filename="events.csv",
        stream=io.BytesIO(text.encode()),
        max_bytes=len(text),
        queue=JobQueue(app.extensions["leadvibe.redis"]),
        now=utc_now(),
    )
    commit()
    return file


def count(table: str) -> int:
    [number] = driver().execute(f"SELECT count(*) FROM {table}").fetchone()
    rollback()
    return number


def wait_for_change_and(is_so: Callable[[], bool]) -> None:
    """Wait until the inbox is not what it was, and something else is so at this very moment."""
    before = count("inbox")
    wait_until(lambda: count("inbox") != before and is_so(), pause=0)


def is_batch_in_progress() -> bool:
    """Say whether a worker is between claiming a batch and committing it."""
    statement = """
        SELECT EXISTS (
            SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
            WHERE l.locktype = 'advisory' AND a.xact_start IS NOT NULL
              AND a.datname = current_database() AND a.backend_xid IS NOT NULL
        )
    """
    [is_so] = driver().execute(statement).fetchone()
    rollback()
    return is_so


def is_lock_held(file: Import) -> bool:
    held = held_lock_keys()
    rollback()
    return import_queries.lock_key(file.import_id) in held


def stage(scope: Scope, file: Import) -> ImportStage:
    progress = import_queries.get_progress(scope, file.import_id, now=utc_now())
    rollback()
    return progress.stage


def assert_scores_are_right(scope: Scope) -> None:
    assert [one for step in rescore.verify(scope) for one in step.found] == []


def test_a_pipeline_killed_in_the_middle_of_batches_loses_and_doubles_nothing(workers, scope):
    total = 12_000
    send(
        scope,
        *(
            make_event("page_view", email=f"lead{number % 300}@example.com")
            for number in range(total)
        ),
    )
    commit()

    for _ in range(3):
        worker = workers.start("pipeline")
        wait_for_change_and(is_batch_in_progress)
        worker.kill()
        worker.join()
        wait_until(lambda: not is_batch_in_progress())
        assert count("inbox") + count("events") == total
    assert count("inbox") > 0
    workers.start("pipeline")
    wait_until(lambda: count("inbox") == 0)

    assert count("events") == total
    assert event_queries.get_tally(scope, "test").processed == total
    assert_scores_are_right(scope)


def test_an_import_outlives_the_workers_that_read_it(app, workers, scope):
    rows = 20_000
    file = upload(app, scope, rows)
    workers.start("schedule")

    for _ in range(2):
        worker = workers.start("jobs")
        wait_for_change_and(lambda: is_lock_held(file))
        worker.kill()
        worker.join()
    workers.start("jobs")
    workers.start("pipeline")
    wait_until(lambda: stage(scope, file) is ImportStage.FINISHED)

    assert count("events") == rows
    progress = import_queries.get_progress(scope, file.import_id, now=utc_now())
    assert (progress.accepted, progress.scored, progress.duplicates) == (rows, rows, 0)
    assert_scores_are_right(scope)


def test_an_import_of_leads_outlives_the_workers_that_read_it(app, workers, scope):
    rows = 8_000
    lines = (f"lead{row % 5_000}@example.com,Name {row}" for row in range(rows))
    file = lead_uploads.upload_leads(
        make_principal(scope),
        scope,
        filename="leads.csv",
        stream=io.BytesIO("\n".join(["Mail,Name", *lines]).encode()),
        now=utc_now(),
    ).file
    lead_uploads.start_leads(
        make_principal(scope),
        scope,
        file.import_id,
        LeadPlan(
            primary_column="Mail",
            primary_kind=AliasKind.EMAIL,
            properties={"Name": "name"},
            aliases={},
        ),
        queue=JobQueue(app.extensions["leadvibe.redis"]),
        now=utc_now(),
    )
    commit()
    workers.start("schedule")

    for _ in range(2):
        worker = workers.start("jobs")
        before = count("leads")
        wait_until(lambda before=before: count("leads") != before and is_lock_held(file), pause=0)
        worker.kill()
        worker.join()
    assert count("leads") < 5_000
    workers.start("jobs")
    wait_until(lambda: import_queries.get_file(scope, file.import_id).finished_at is not None)

    done = import_queries.get_lead_import(scope, file.import_id)
    assert (done.rows_read, done.rows_created, done.rows_failed) == (rows, 5_000, 0)
    assert count("leads") == count("lead_aliases") == 5_000
    assert_scores_are_right(scope)


def test_a_deletion_outlives_the_workers_that_are_at_it(app, workers, scope):
    events = 12_000
    send(scope, *(make_event("page_view", lead_id="big") for _ in range(events)))
    send(scope, make_event("page_view", lead_id="other"))
    commit()
    process.drain(scope)
    wanted = deletion.request_deletion(
        make_principal(scope),
        scope,
        "big",
        queue=JobQueue(app.extensions["leadvibe.redis"]),
        now=utc_now(),
    )
    commit()
    workers.start("schedule")

    worker = workers.start("jobs")
    wait_until(lambda: count("score_entries") <= events, pause=0)
    worker.kill()
    worker.join()
    assert count("leads") == 2
    workers.start("jobs")
    wait_until(lambda: count("lead_deletions WHERE state = 'completed'") == 1)

    assert count("events") == count("leads") == count("score_entries") == 1
    found = find_deletion(scope, "big")
    assert (found.deletion_id, found.events_deleted) == (wanted.deletion_id, events)
    assert_scores_are_right(scope)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_workers_show_that_they_live_and_leave_when_asked(app, workers, number):
    broker = app.extensions["leadvibe.redis"]
    for role in ROLES:
        workers.start(role)
    wait_until(lambda: all(heartbeat.find_last_beat(broker, role) for role in ROLES))
    wait_until(lambda: workers.output.count("started") >= len(ROLES))

    codes = workers.end_all(number)

    assert codes == [0] * len(ROLES), workers.output
    assert "Traceback" not in workers.output
