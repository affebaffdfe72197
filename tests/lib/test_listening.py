"""An ear on a real PostgreSQL: connections that die, and notices that wait for the commit."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Queue

import psycopg
import pytest
from sqlalchemy import make_url

from leadvibe.lib.listening import Listener

HEARING, NOTICE, DEAF = "hearing", "notice", "deaf"
CHANNEL = "A channel of the tests"  # a name that needs its quotes
PATIENCE_SECONDS = 30


class Diary:
    """What the listener has said, in order."""

    def __init__(self) -> None:
        self.left: Queue[str] = Queue()
        self.on_notice: Callable[[], None] = lambda: None

    def next(self) -> str:
        return self.left.get(timeout=PATIENCE_SECONDS)

    def is_empty(self) -> bool:
        return self.left.empty()

    def take_notice(self) -> None:
        self.on_notice()
        self.left.put(NOTICE)


@pytest.fixture
def diary() -> Diary:
    return Diary()


@contextmanager
def listening(url: str, diary: Diary) -> Iterator[Listener]:
    listener = Listener(
        url,
        CHANNEL,
        on_hearing=lambda: diary.left.put(HEARING),
        on_notice=diary.take_notice,
        on_deaf=lambda: diary.left.put(DEAF),
        pause_seconds=0.01,
    )
    listener.start()
    try:
        yield listener
    finally:
        listener.stop()


@pytest.fixture
def other(database_url) -> Iterator[psycopg.Connection]:
    """Return another connection to the database, in autocommit."""
    plain = make_url(database_url).set(drivername="postgresql")
    address = plain.render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        yield connection


def notify(connection: psycopg.Connection, channel: str = CHANNEL) -> None:
    connection.execute("SELECT pg_notify(%s, '')", (channel,))


def end_listener(connection: psycopg.Connection) -> None:
    ended = connection.execute(
        """
        SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'leadvibe listener'
        """
    ).fetchall()
    assert ended == [(True,)]


def test_it_hears_each_notice_on_its_channel(database_url, diary, other):
    with listening(database_url, diary):
        assert diary.next() == HEARING

        notify(other, "another channel")
        notify(other)
        notify(other)

        assert [diary.next(), diary.next()] == [NOTICE, NOTICE]
    assert diary.next() == DEAF
    assert diary.is_empty()


def test_a_notice_is_heard_once_what_it_speaks_of_can_be_seen(database_url, diary, other):
    seen = []
    other.execute("CREATE TABLE told (number int)")
    try:
        with listening(database_url, diary), psycopg.connect(other.info.dsn) as reader:
            diary.on_notice = lambda: seen.append(
                reader.execute("SELECT count(*) FROM told").fetchone()
            )
            assert diary.next() == HEARING

            with other.transaction():
                other.execute("INSERT INTO told VALUES (1)")
                notify(other)
                assert diary.is_empty()

            assert diary.next() == NOTICE
        assert seen == [(1,)]
    finally:
        other.execute("DROP TABLE told")


def test_what_is_rolled_back_is_never_heard(database_url, diary, other):
    with listening(database_url, diary):
        assert diary.next() == HEARING

        with other.transaction(force_rollback=True):
            notify(other)
        notify(other)

        assert diary.next() == NOTICE
    assert diary.next() == DEAF


def test_a_lost_connection_is_told_at_once_and_made_again(database_url, diary, other, caplog):
    caplog.set_level(logging.INFO, "leadvibe.lib.listening")
    with listening(database_url, diary):
        assert diary.next() == HEARING

        end_listener(other)

        assert [diary.next(), diary.next()] == [DEAF, HEARING]
        notify(other)
        assert diary.next() == NOTICE
    said = [it for it in caplog.records if it.name == "leadvibe.lib.listening"]
    assert [record.levelname for record in said] == ["WARNING", "INFO"]
    assert all("\n" not in record.getMessage() for record in said)


def test_a_database_that_is_away_is_tried_again_and_complained_of_once(diary, caplog):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_SECONDS)
        url = f"postgresql+psycopg://{server.getsockname()[0]}:{server.getsockname()[1]}/leads"
        with listening(f"{url}?sslmode=disable", diary):
            for _ in range(3):
                server.accept()[0].close()

    assert diary.is_empty()
    assert caplog.text.count("cannot be heard") == 1


def test_a_callback_that_fails_leaves_nobody_believing_it_hears(database_url, diary, other):
    def fail() -> None:
        diary.on_notice = lambda: None
        raise ZeroDivisionError

    diary.on_notice = fail
    with listening(database_url, diary):
        assert diary.next() == HEARING

        notify(other)

        assert [diary.next(), diary.next()] == [DEAF, HEARING]
