"""What PostgreSQL knows of tables that a burst has just filled."""

from __future__ import annotations

import pytest

from leadvibe.lib.db import commit, driver, rollback
from leadvibe.pipeline import process
from tests.factories import make_event, make_scope, send

pytestmark = pytest.mark.usefixtures("app", "fresh_database")


def burst(count: int) -> None:
    scope = make_scope()
    send(scope, *(make_event(email=f"p{number}@acme.test") for number in range(count)))
    commit()
    process.drain(scope)


def look_up(statement: str) -> int:
    [number] = driver().execute(statement).fetchone()
    rollback()
    return number


def known_rows() -> int:
    """Return how many events the planner believes in; -1 when it was never told."""
    return look_up("SELECT reltuples::int FROM pg_class WHERE relname = 'events'")


def analyses() -> int:
    return look_up("SELECT analyze_count FROM pg_stat_user_tables WHERE relname = 'events'")


def test_a_burst_into_empty_tables_is_told_at_once():
    burst(process.FEWEST_CHANGES)

    process.refresh_statistics()

    assert known_rows() == process.FEWEST_CHANGES


def test_tables_whose_statistics_are_fit_are_left_alone():
    burst(process.FEWEST_CHANGES)
    process.refresh_statistics()
    before = analyses()

    process.refresh_statistics()
    burst(10)
    process.refresh_statistics()

    assert analyses() == before
