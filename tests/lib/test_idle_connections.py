"""Idle connections are asked whether they live; busy ones are not, and dead ones are replaced."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import create_engine, event, func, select
from sqlalchemy.exc import OperationalError

from leadvibe.lib.idle_connections import IDLE_SECONDS, pool_events

PID = select(func.pg_backend_pid())


class Clock:
    """A clock that stands until it is moved on."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def engine(database_url, clock):
    engine = create_engine(
        database_url, pool_size=3, pool_use_lifo=True, pool_events=pool_events(clock)
    )
    yield engine
    engine.dispose()


@pytest.fixture
def end(database_url):
    """Return what ends connections, given the server's process of each."""

    def end(*processes):
        with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as other:
            for pid in processes:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    return end


def use(engine, connections=1):
    """Use several connections at once; returns the server's process of each."""
    opened = [engine.connect() for _ in range(connections)]
    processes = [connection.scalar(PID) for connection in opened]
    for connection in opened:
        connection.close()
    return processes


def test_a_dead_connection_that_was_idle_is_replaced_unnoticed(engine, clock, end):
    dead = use(engine)
    end(*dead)
    clock.now += IDLE_SECONDS

    assert use(engine) != dead


def test_its_dead_neighbours_are_replaced_with_it(engine, clock, end):
    dead = use(engine, connections=3)
    end(*dead)
    clock.now += IDLE_SECONDS

    with engine.connect() as first:  # asked, and found to be dead
        clock.now -= IDLE_SECONDS  # so that the others would not be asked
        assert not {first.scalar(PID), *use(engine, connections=2)} & set(dead)


def test_a_connection_that_lives_is_kept_and_as_it_was(engine, clock):
    before = use(engine)
    clock.now += IDLE_SECONDS

    with engine.connect() as connection:
        assert connection.scalar(PID) == before[0]
        assert not connection.connection.driver_connection.autocommit


def test_only_a_connection_that_was_idle_is_asked(engine, clock, statements):
    for idle_seconds in (0, 0.9 * IDLE_SECONDS, IDLE_SECONDS):
        clock.now += idle_seconds
        use(engine)

    assert sum(statement == "SELECT 1" for statement in statements) == 1


def test_a_database_that_stays_away_is_an_outage(engine, clock, end):
    end(*use(engine))
    clock.now += IDLE_SECONDS
    event.listen(engine, "do_connect", lambda _dialect, _entry, _args, to: to.update(port=1))

    with pytest.raises(OperationalError):
        use(engine)
