from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import text

from leadvibe.lib.db import (
    after_commit,
    commit,
    db,
    driver,
    held_lock,
    held_lock_keys,
    is_outage,
    read_by_statements,
    reset,
    rollback,
    session,
    write_together,
)

KEY = -0x1234_5678_9ABC_DEF0  # negative: ids make such keys as well


def end_other_connections() -> None:
    driver().execute(
        """
        SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
        """
    )


def test_effects_run_after_the_commit_once_for_each_name(app):
    done: list[str] = []
    after_commit("a", lambda: done.append("first"))
    after_commit("a", lambda: done.append("second"))
    assert done == []

    commit()
    commit()

    assert done == ["second"]


def test_an_effect_that_fails_is_logged_and_leaves_commit_and_other_effects_alone(app, caplog):
    done: list[str] = []
    after_commit("bell", lambda: 1 / 0)
    after_commit("job", lambda: done.append("sent"))

    commit()

    assert done == ["sent"]
    assert "the effect 'bell' of a commit failed" in caplog.text


def test_effects_are_forgotten_with_the_transaction(app):
    done: list[str] = []
    after_commit("a", lambda: done.append("never"))

    rollback()
    commit()

    assert done == []


def test_a_lock_is_held_by_one_and_outlives_transactions(app):
    with held_lock(KEY) as lock:
        commit()
        assert lock is not None
        assert lock.is_held()
        assert KEY in held_lock_keys()
        with held_lock(KEY) as second:
            assert second is None

    assert KEY not in held_lock_keys()
    with held_lock(KEY) as again:
        assert again is not None


def test_a_lock_is_free_the_moment_its_connection_dies(app):
    with held_lock(KEY) as lock:
        end_other_connections()

        assert not lock.is_held()
        with held_lock(KEY) as again:
            assert again is not None


def test_an_error_inside_frees_the_lock(app):
    with pytest.raises(ValueError, match="inside"), held_lock(KEY):
        raise ValueError("inside")

    assert KEY not in held_lock_keys()


def test_a_dead_connection_is_an_outage_and_a_reset_gets_over_it(app, fresh_database):
    pid = driver().info.backend_pid
    with psycopg.connect(fresh_database.replace("+psycopg", ""), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (pid,))

    with pytest.raises(Exception) as error:
        session().execute(text("SELECT 1"))

    assert is_outage(error.value)
    reset()
    assert session().scalar(text("SELECT 1")) == 1


def test_what_no_index_can_hold_is_no_outage():
    assert is_outage(psycopg.OperationalError())
    assert not is_outage(psycopg.errors.ProgramLimitExceeded())
    assert not is_outage(ValueError())


def test_reading_by_statements_opens_no_transaction_and_leaves_no_trace(app, fresh_database):
    read_by_statements()
    assert driver().execute("SELECT 1").fetchone() == (1,)
    assert driver().info.transaction_status is TransactionStatus.IDLE
    db.session.remove()

    assert driver().execute("SELECT 1").fetchone() == (1,)
    assert driver().info.transaction_status is TransactionStatus.INTRANS


def test_a_transaction_that_is_open_goes_on(app, fresh_database):
    driver().execute("SELECT 1")

    read_by_statements()

    assert driver().info.transaction_status is TransactionStatus.INTRANS


JOT = "INSERT INTO jottings SELECT unnest(%s::int[]), unnest(%s::text[])::json"


def make_jottings():
    driver().execute("DROP TABLE IF EXISTS jottings")
    driver().execute("CREATE TABLE jottings (number integer PRIMARY KEY, body json)")
    commit()


def list_jottings():
    numbers = driver().execute("SELECT number FROM jottings ORDER BY number").fetchall()
    rollback()
    return [number for (number,) in numbers]


def test_rows_of_many_threads_are_stored_once_each_and_a_bad_one_fails_alone(app, fresh_database):
    make_jottings()

    def jot(number):
        with app.app_context():
            try:
                write_together(JOT, (number, "{" if number % 50 == 7 else "{}"))
            except psycopg.DataError:
                return number
        return None

    with ThreadPoolExecutor(16) as pool:
        refused = [number for number in pool.map(jot, range(500)) if number is not None]

    assert refused == list(range(7, 500, 50))
    assert list_jottings() == [number for number in range(500) if number % 50 != 7]


def test_a_row_written_inside_a_transaction_is_stored_with_it(app, fresh_database):
    make_jottings()

    session().execute(text("SELECT 1"))
    write_together(JOT, (1, "{}"))
    rollback()
    session().execute(text("SELECT 1"))
    write_together(JOT, (2, "{}"))
    commit()

    assert list_jottings() == [2]


def test_a_connection_that_was_in_use_at_a_reset_is_closed_when_it_comes_back(app, fresh_database):
    in_use = db.engine.connect()
    raw = in_use.connection.driver_connection

    reset()
    in_use.close()

    assert raw.closed
    assert db.session.scalar(text("SELECT 1")) == 1
