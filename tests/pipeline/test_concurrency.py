"""Two workers at once, with real commits on connections of their own."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from flask import Flask

from leadvibe.events import queries as event_queries
from leadvibe.identity.types import Scope
from leadvibe.leads import service as leads
from leadvibe.lib.db import commit, driver, rollback
from leadvibe.pipeline import process, rescore
from tests.factories import make_event, make_rule, make_scope, send

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
