"""Writes behind: the same as one after the other, but for the time."""

from __future__ import annotations

import threading

import psycopg
import pytest

from leadvibe.lib import behind
from leadvibe.lib.db import copy_lines, driver, later, rollback, session, write, writing_behind

MAKE = "CREATE TEMPORARY TABLE notes (place int PRIMARY KEY, said text) ON COMMIT DROP"
ADD = "INSERT INTO notes (place, said) VALUES (%s, %s)"


@pytest.fixture
def notes(app):
    driver().execute(MAKE)


def stored() -> list[str]:
    return [said for (said,) in driver().execute("SELECT said FROM notes ORDER BY place")]


def test_a_write_is_carried_out_at_once_when_none_are_behind(notes):
    write(ADD, (1, "one"))

    assert stored() == ["one"]


def test_a_second_thread_writes_while_the_first_goes_on(app):
    may_write = threading.Event()
    wrote_in: list[str] = []

    def wait_and_note() -> None:
        assert may_write.wait(10)
        wrote_in.append(threading.current_thread().name)

    with writing_behind():
        later(wait_and_note)
        may_write.set()  # reached although the write has not ended

    assert wrote_in != [threading.current_thread().name]


def test_a_read_sees_every_write_before_it(notes):
    with writing_behind():
        write(ADD, (1, "one"))
        copy_lines("notes", ("place", "said"), ["2\ttwo\n"])
        write("UPDATE notes SET said = said || '!' WHERE place = %s", (2,))

        assert stored() == ["one", "two!"]


def test_what_is_written_is_there_after_the_block(notes):
    with writing_behind():
        write(ADD, (1, "one"))

    assert stored() == ["one"]


def test_a_write_that_fails_raises_at_the_end_at_the_latest(notes):
    def write_one_twice() -> None:
        with session().begin_nested(), writing_behind():
            write(ADD, (1, "one"))
            write(ADD, (1, "again"))
            write(ADD, (2, "never"))

    with pytest.raises(psycopg.errors.UniqueViolation):
        write_one_twice()

    assert stored() == []


def test_an_error_ends_the_block_when_no_write_is_under_way(notes):
    is_writing = threading.Event()
    may_end = threading.Event()

    def slow() -> None:
        is_writing.set()
        assert may_end.wait(10)
        driver().execute(ADD, (1, "one"))

    def fail() -> None:
        with writing_behind():
            later(slow)
            assert is_writing.wait(10)
            later(lambda: driver().execute(ADD, (2, "two")))
            threading.Timer(0.01, may_end.set).start()
            raise LookupError

    with pytest.raises(LookupError):
        fail()

    assert stored() == ["one"]


def test_the_session_is_not_for_the_second_thread(app):
    with pytest.raises(RuntimeError, match="application context"), writing_behind():
        later(session)

    rollback()


def test_only_the_second_thread_is_lent_anything(app):
    lent: list[object] = []
    with behind.writing_behind("a connection"):
        later(lambda: lent.append(behind.lent()))
        behind.settle()
        assert behind.lent() is None

    assert lent == ["a connection"]
