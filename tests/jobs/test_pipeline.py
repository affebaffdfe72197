from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psycopg
import pytest

from leadvibe.events import queries as event_queries
from leadvibe.identity.types import Scope
from leadvibe.jobs import pipeline
from leadvibe.jobs.pipeline import Rounds
from leadvibe.jobs.stopping import StopRequest
from leadvibe.lib.bell import Bell
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver, reset, rollback
from leadvibe.scoring import service as scoring
from tests.factories import (
    make_event,
    make_principal,
    make_rule,
    make_ruleset,
    make_scope,
    send,
)


@pytest.fixture
def scope(app) -> Scope:
    return make_scope()


def waiting(scope: Scope) -> int:
    return event_queries.inbox_status(scope).waiting


def wait_until(is_so: Callable[[], bool], *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_round_gives_every_unit_one_batch(scope):
    other = make_scope()
    for one in (scope, other):
        send(one, *(make_event() for _ in range(5)))
    commit()

    claimed = Rounds(StopRequest(), batch_size=2).go()

    assert claimed == 4
    assert (waiting(scope), waiting(other)) == (3, 3)


def test_a_unit_whose_batch_fails_is_set_aside_and_the_others_go_on(scope, monkeypatch):
    other = make_scope()
    for one in (scope, other):
        send(one, make_event())
    commit()
    # Its event can neither be processed nor put aside: the same receipt is among the dead.
    driver().execute("UPDATE inbox SET payload = '{}' WHERE unit_id = %s", (scope.unit_id,))
    driver().execute(
        """
        INSERT INTO dead_letters
        SELECT unit_id, receipt, event_id, received_at, source, message_id, payload, 'x', now()
        FROM inbox WHERE unit_id = %s
        """,
        (scope.unit_id,),
    )
    commit()
    monkeypatch.setattr(pipeline, "reset", rollback)  # the tests' one connection must stay
    rounds = Rounds(StopRequest(), batch_size=10)

    claimed = [rounds.go(), rounds.go()]

    assert claimed == [1, 0]
    assert (waiting(scope), waiting(other)) == (1, 0)


def test_a_round_ends_early_when_asked_to_stop(scope):
    send(scope, make_event())
    commit()
    stop = StopRequest()
    stop.make()

    assert Rounds(stop, batch_size=10).go() == 0
    assert waiting(scope) == 1


def test_an_idle_round_shows_the_right_ruleset_on_leads(scope):
    second = make_ruleset(scope)
    make_rule(scope, weight=1)
    make_rule(scope, weight=9, ruleset=second)
    send(scope, make_event(lead_id="ana"))
    commit()
    rounds = Rounds(StopRequest(), batch_size=10)
    rounds.go()
    scoring.update_ruleset(
        make_principal(scope), scope, second.ruleset_id, {"is_primary": True}, now=utc_now()
    )
    commit()

    rounds.go()

    assert driver().execute("SELECT score FROM leads").fetchall() == [(9,)]


def test_the_loop_scores_what_is_rung_for_and_gets_over_a_lost_database(app, fresh_database):
    scope = make_scope()
    commit()
    stop = StopRequest()
    loop = threading.Thread(target=pipeline.run, args=(app, stop), daemon=True)
    loop.start()
    bell = Bell(app.extensions["leadvibe.redis"])

    def score_one(number: int) -> None:
        send(scope, make_event())
        commit()
        bell.ring()
        wait_until(lambda: scored(scope) == number)

    score_one(1)
    end_connections(fresh_database)
    score_one(2)
    stop.make()
    loop.join(timeout=20)

    assert not loop.is_alive()


def scored(scope: Scope) -> int:
    tally = event_queries.get_tally(scope, "test")
    rollback()
    return tally.processed


def end_connections(url: str) -> None:
    """End all connections, as a restart of the server does, and have the test get new ones."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
            """
        )
    reset()
