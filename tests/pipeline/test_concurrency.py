"""Workers, callers and jobs at once, with real commits on connections of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask

from leadvibe.engine.policies import SURGE_GENTLE, SURGE_STANDARD
from leadvibe.events import queries as event_queries
from leadvibe.identity import service as identity
from leadvibe.identity.types import Scope
from leadvibe.leads import service as leads
from leadvibe.lib.db import commit, driver, rollback
from leadvibe.pipeline import process, rescore
from tests.factories import (
    make_decay,
    make_event,
    make_metadata_filter,
    make_rule,
    make_scope,
    make_velocity_filter,
    send,
    set_surge,
)
from tests.people import basic

from .stored import discrepancies, get_lead, list_ledger, rescore_all, settle

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
EVENTS = 1_500


def make_busy_scope() -> Scope:
    """Make a unit with many events of few leads, in no order, each with a message id."""
    scope = make_scope()
    make_rule(scope, "page_view", 3)
    make_rule(scope, "email_bounced", -7)
    events = [
        make_event(
            "page_view" if number % 3 else "email_bounced",
            email=f"lead{number % 40}@example.com",
            timestamp=NOON + timedelta(minutes=number * 7_919 % EVENTS),
            message_id=f"m{number}",
        )
        for number in range(EVENTS)
    ]
    send(scope, *events)
    commit()
    return scope


def work_off(app: Flask, scope: Scope, failures: list[BaseException]) -> None:
    """Do what a worker does until the inbox is empty."""
    with app.app_context():
        try:
            while event_queries.inbox_status(scope).waiting:
                rollback()
                process.process_batch(scope, limit=50)
        except BaseException as error:
            failures.append(error)
            raise


def test_two_workers_on_one_unit_lose_and_double_nothing(app, fresh_database):
    scope, failures = make_busy_scope(), []
    workers = [threading.Thread(target=work_off, args=(app, scope, failures)) for _ in range(2)]

    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=100)

    assert failures == []
    assert driver().execute("SELECT count(*) FROM events").fetchone() == (EVENTS,)
    assert event_queries.get_tally(scope, "test").processed == EVENTS
    rollback()
    assert [one for step in rescore.verify(scope) for one in step.found] == []


def test_a_unit_that_another_worker_holds_is_passed_over(app, fresh_database):
    scope = make_scope()
    send(scope, make_event())
    commit()
    is_held, may_go = threading.Event(), threading.Event()

    def hold() -> None:
        with app.app_context():
            leads.lock_identities(scope)
            is_held.set()
            may_go.wait(20)
            rollback()

    holder = threading.Thread(target=hold)
    holder.start()
    assert is_held.wait(20)

    while_held = process.process_batch(scope)
    may_go.set()
    holder.join()

    assert while_held == process.IDLE
    assert process.process_batch(scope).scored == 1


# --- With everything switched on ---

JOURNEYS = 900
LEAD_IDS = [f"lead{number}" for number in range(20)]


def make_lively_scope() -> Scope:
    """Make a unit with surge, decay by the hour, and filters of every kind."""
    scope = make_scope(surges=True)
    make_rule(scope, "page_view", 3)
    make_rule(scope, "email_bounced", -7)
    make_decay(scope, 5, "hours", 2)
    make_velocity_filter(scope, 3, 600, group_events=True)
    make_velocity_filter(scope, 2, 900, event_type="email_bounced")
    make_metadata_filter(scope, ("agent", "contains", "bot"))
    commit()
    return scope


def journeys() -> list[dict[str, Any]]:
    """Return what is sent to the API, in no order; no two things happen at one instant."""
    return [
        {
            "event_type": "email_bounced" if number % 4 == 0 else "page_view",
            "lead_id": LEAD_IDS[number % len(LEAD_IDS)],
            "timestamp": (NOON + timedelta(seconds=number * 7_919 % JOURNEYS * 97)).isoformat(),
            "message_id": f"m{number}",
            "metadata": {"agent": "a bot"} if number % 11 == 0 else {"n": number % 3},
        }
        for number in range(JOURNEYS)
    ]


def standing(scope: Scope) -> dict[str, Any]:
    return {
        lead_id: (get_lead(scope, lead_id), list_ledger(scope, lead_id)) for lead_id in LEAD_IDS
    }


def post_all(app: Flask, scope: Scope) -> None:
    """Send the journeys through the API, some twice, as a caller who is never sure would."""
    with app.app_context():
        credential = identity.create_credential(scope, name="x", created_by=None, now=NOON)
        commit()
    client, told = app.test_client(), journeys()
    for start in range(0, JOURNEYS, 60):
        batch = told[max(0, start - 10) : start + 60]
        response = client.post("/ingest/batch", json={"events": batch}, headers=basic(credential))
        assert response.status_code == 202, response.json


def run_at_once(app: Flask, *tasks: Callable[[], None]) -> None:
    """Run tasks at once, each in a context of its own, until all are done; none may fail."""
    failures: list[BaseException] = []

    def run(task: Callable[[], None]) -> None:
        with app.app_context():
            try:
                task()
            except BaseException as error:
                failures.append(error)
                raise

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=100)
    assert failures == []
    assert not any(thread.is_alive() for thread in threads)


def work_until(is_over: threading.Event, scope: Scope) -> Callable[[], None]:
    """Do what a worker does until nothing comes in any more."""

    def work() -> None:
        is_last = False
        while not is_last:
            is_last = is_over.is_set()
            while event_queries.inbox_status(scope).waiting:
                rollback()
                process.process_batch(scope, limit=40)
            rollback()
            is_over.wait(0.01)

    return work


def test_workers_callers_and_decay_at_once_end_in_the_same_scores(app, fresh_database, clock):
    quiet = make_lively_scope()
    clock.forward(days=2)
    send(quiet, *(make_event(**one) for one in journeys()))
    commit()
    process.drain(quiet)
    settle(quiet, clock.now)
    clock.forward(days=-2)
    busy, is_over = make_lively_scope(), threading.Event()
    clock.forward(days=2)

    def call() -> None:
        post_all(app, busy)
        is_over.set()

    def fade() -> None:
        while not is_over.wait(0.02):
            settle(busy, clock.now)

    work = work_until(is_over, busy)
    run_at_once(app, call, work, work, fade, fade)
    settle(busy, clock.now)

    assert standing(busy) == standing(quiet)
    assert sum(it.last_decay_at is not None for it, _ in standing(busy).values()) > 10
    assert event_queries.get_tally(busy, "api").processed == JOURNEYS
    rollback()
    assert discrepancies(busy) == []


def test_whatever_is_changed_meanwhile_what_is_stored_stays_right(app, fresh_database, clock):
    scope, is_over = make_lively_scope(), threading.Event()
    clock.forward(days=2)

    def call() -> None:
        post_all(app, scope)
        is_over.set()

    def change() -> None:
        while not is_over.wait(0.05):
            clock.forward(seconds=1)
            for policy in (SURGE_GENTLE, SURGE_STANDARD):
                set_surge(scope, policy)
                commit()

    def go_over_it() -> None:
        while not is_over.wait(0.05):
            leads.lock_identities(scope)
            rescore_all(scope, clock.now)
            settle(scope, clock.now)

    run_at_once(app, call, work_until(is_over, scope), change, go_over_it)

    assert event_queries.get_tally(scope, "api").processed == JOURNEYS
    rollback()
    assert discrepancies(scope) == []
