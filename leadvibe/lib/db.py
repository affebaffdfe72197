"""The database: one session per request or job, bulk writes, and effects that wait for the commit.

The edge of a request or job calls `commit`; everything below only flushes. What must happen
outside the database (ringing a bell, sending a job) is handed to `after_commit` and leaves only
once the rows it speaks of can be seen by others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, cast
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
from flask_sqlalchemy import SQLAlchemy
from psycopg.errors import ProgramLimitExceeded
from sqlalchemy import Connection, DateTime, Engine, MetaData, Text, Uuid, event
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session

from leadvibe.lib import arrays, behind
from leadvibe.lib.group_commit import GroupCommit

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

_EFFECTS = "leadvibe.effects"
_log = logging.getLogger(__name__)

OUTAGES = (
    OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError,
)  # fmt: skip
"""What a database that is away raises, through the session and beside it. See `is_outage`."""

FAULTS_OF_ROWS = (psycopg.DataError, psycopg.IntegrityError)
"""What a row raises that cannot be stored, whichever rows it is stored with."""


class Base(DeclarativeBase):
    """Base of all tables: text, aware timestamps, UUIDs and JSONB by annotation."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        str: Text(),
        datetime: DateTime(timezone=True),
        UUID: Uuid(),
        dict[str, Any]: JSONB(),
        list[Any]: JSONB(),
    }


arrays.register()  # before any connection is made

# Flask-SQLAlchemy keeps the engines and the session; its own Model class would override our
# annotations, so the tables derive from Base and only the metadata is shared.
db = SQLAlchemy(metadata=Base.metadata)


def session() -> Session:
    """Return the session of the current request or job, when no write is behind any more."""
    behind.settle()
    return cast("Session", db.session())


def commit() -> None:
    """Commit, then run what waited for it.

    An effect that fails is logged: what was asked for is stored, and saying otherwise would have
    it asked for again. Sweeps make up for effects that are lost.
    """
    if not db.session.registry.has():
        return  # a request that needed no session should not pay for one at its end
    current = session()
    current.commit()
    for name, effect in current.info.pop(_EFFECTS, {}).items():
        try:
            effect()
        except Exception:  # noqa: BLE001 - not raised again, for the reason above
            _log.exception("the effect '%s' of a commit failed", name)


def rollback() -> None:
    """Undo the transaction and forget the effects that waited for it."""
    current = session()
    current.info.pop(_EFFECTS, None)
    current.rollback()


@contextmanager
def own_transaction() -> Iterator[Session]:
    """Open a second session that commits by itself: for what must outlive a request that fails.

    Use it while the request's own session holds no lock that this one needs.
    """
    with db.session.session_factory.begin() as apart:
        yield cast("Session", apart)


def is_outage(error: BaseException) -> bool:
    """Say whether it is the database's fault, so that the same work may succeed later.

    The driver also files values that are too large for an index among these errors; those never
    succeed.
    """
    cause = getattr(error, "orig", None) or error
    return isinstance(error, OUTAGES) and not isinstance(cause, ProgramLimitExceeded)


def reset() -> None:
    """Forget session and connections, which may be dead: the next use makes new ones."""
    with suppress(Exception):  # a dead connection cannot even be given back
        db.session.remove()
    left = db.engine.pool
    db.engine.dispose()
    # What others still use comes back to a pool that nobody takes anything from.
    event.listen(left, "checkin", lambda _, entry: entry.close())


@contextmanager
def held_lock(key: int) -> Iterator[Lock | None]:
    """Hold an advisory lock across transactions; None when another process holds it.

    It lives on a connection of its own and ends with it, so a killed process frees it at once.
    """
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(sql("SELECT pg_try_advisory_lock(:key)"), {"key": key}):
            yield None
            return
        try:
            yield Lock(connection)
        finally:
            _free(connection, key)


def _free(connection: Connection, key: int) -> None:
    if connection.invalidated:
        return  # it has died, and the lock with it
    try:
        connection.execute(sql("SELECT pg_advisory_unlock(:key)"), {"key": key})
    except OUTAGES:
        connection.invalidate()  # back in the pool it might still hold the lock


def held_lock_keys() -> set[int]:
    """Return the keys of `held_lock` that any process holds at this moment."""
    statement = """
        SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks
        WHERE locktype = 'advisory' AND objsubid = 1 AND granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """
    return {key for (key,) in driver().execute(statement)}


class Lock:
    """A lock that is held for as long as its connection lives."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def is_held(self) -> bool:
        """Say whether the connection still lives."""
        try:
            self._connection.execute(sql("SELECT 1"))
        except OUTAGES:
            return False
        return True


def after_commit(name: str, effect: Callable[[], None]) -> None:
    """Run `effect` once the current transaction is committed; the same name runs once."""
    session().info.setdefault(_EFFECTS, {})[name] = effect


def is_in_transaction() -> bool:
    """Say whether the current request or job has done anything that waits for a commit."""
    return db.session.registry.has() and session().in_transaction()


def read_by_statements() -> None:
    """Let each statement of this request stand alone, unless a transaction is open.

    For a read that is asked for all the time: it sees what it would see anyway, and is spared the
    two ways to the server that begin and end a transaction. Not for what is streamed or written.
    """
    if not is_in_transaction():
        session().connection(execution_options={"isolation_level": "AUTOCOMMIT"})


@contextmanager
def single_statement() -> Iterator[psycopg.Connection[Any]]:
    """Lend a connection for one statement, which commits by itself unless a transaction is open.

    For the path of every event: a session's transaction costs five times the statement, and a
    request that has one open must not wait for a second connection.
    """
    if is_in_transaction():
        yield driver()
        return
    with closing(db.engine.raw_connection()) as pooled:
        connection = cast("psycopg.Connection[Any]", pooled.driver_connection)
        connection.autocommit = True
        try:
            yield connection
        finally:
            connection.autocommit = False


_groups: WeakKeyDictionary[Engine, dict[str, GroupCommit[Sequence[object]]]] = WeakKeyDictionary()


def write_together(statement: str, row: Sequence[object]) -> None:
    """Carry out a statement for one row, together with the rows that other threads bring meanwhile.

    The statement takes its rows as one array for each column, and returns nothing. Outside a
    transaction the row is committed when this returns.
    """
    if is_in_transaction():
        _write_rows(statement, [row])  # what others bring must not wait for this commit
        return
    _group_of(statement).put(row)


def _group_of(statement: str) -> GroupCommit[Sequence[object]]:
    """Return who writes together: the threads on one database, with the same statement."""
    groups = _groups.setdefault(db.engine, {})
    if statement not in groups:
        write_rows = partial(_write_rows, statement)
        groups.setdefault(statement, GroupCommit(write_rows, faults_of_items=FAULTS_OF_ROWS))
    return groups[statement]


def _write_rows(statement: str, rows: Sequence[Sequence[object]]) -> None:
    with single_statement() as connection:
        connection.execute(statement, [list(column) for column in zip(*rows, strict=True)])


@contextmanager
def writing_behind() -> Iterator[None]:
    """Let `write`, `later` and COPY inside be carried out by a second thread, in their order.

    Only the connection is shared with it: what it does goes through `driver`, never the session.
    """
    with behind.writing_behind(driver()):
        yield


def later(write: Callable[..., object], *args: object, **kwargs: object) -> None:
    """Call a function that only writes, through `driver`, and that nobody waits for."""
    behind.later(partial(write, *args, **kwargs))


def write(statement: str, bound: Sequence[object] | Mapping[str, object]) -> None:
    """Carry out a statement whose result nobody waits for."""
    behind.later(lambda: driver().execute(statement, bound))


@contextmanager
def reading_apart() -> Iterator[None]:
    """Let `driver` read what is committed over a second connection, waiting for no write.

    Not for what the current transaction has changed, which cannot be seen from there.
    """
    with second_connection() as connection, behind.lending(connection):
        yield


@contextmanager
def second_connection() -> Iterator[psycopg.Connection[Any]]:
    with closing(db.engine.raw_connection()) as pooled:
        yield cast("psycopg.Connection[Any]", pooled.driver_connection)


def driver() -> psycopg.Connection[Any]:
    """Return the psycopg connection of the current transaction."""
    connection = behind.lent()
    if connection is not None:
        return cast("psycopg.Connection[Any]", connection)
    raw = session().connection().connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    return raw


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """COPY rows into a table inside the current transaction: the quick way to write many."""
    behind.later(partial(_copy_rows, table, columns, rows))


def copy_lines(table: str, columns: Sequence[str], lines: Iterable[str]) -> None:
    """COPY rows that are written out already: values with tabs between them, and a line's end.

    For the tables that take most rows, where writing them out by hand is several times quicker.
    Texts go through `as_copy_text`; what is null is written as NULL_IN_COPY.
    """
    waiting = iter(lines)
    while block := "".join(islice(waiting, LINES_AT_ONCE)):
        behind.later(partial(_copy_block, table, columns, block.encode()))


def _copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with driver().cursor() as cursor, cursor.copy(_copy_statement(table, columns)) as copy:
        for row in rows:
            copy.write_row(row)


def _copy_block(table: str, columns: Sequence[str], block: bytes) -> None:
    with driver().cursor() as cursor, cursor.copy(_copy_statement(table, columns)) as copy:
        copy.write(block)


def _copy_statement(table: str, columns: Sequence[str]) -> str:
    return f"COPY {table} ({', '.join(columns)}) FROM STDIN"


NULL_IN_COPY = "\\N"
LINES_AT_ONCE = 5_000
_COPY_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def as_copy_text(text: str) -> str:
    """Return a text as it stands in a line of COPY."""
    # Few texts hold any of these, and looking for them takes a tenth of the time of `translate`.
    if "\\" in text or "\t" in text or "\n" in text or "\r" in text:
        return text.translate(_COPY_ESCAPES)
    return text
