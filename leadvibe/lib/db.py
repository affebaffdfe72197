"""The database: one session per request or job, bulk writes, and effects that wait for the commit.

The edge of a request or job calls `commit`; everything below only flushes. What must happen
outside the database (ringing a bell, sending a job) is handed to `after_commit` and leaves only
once the rows it speaks of can be seen by others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from itertools import islice
from typing import Any, cast
from uuid import UUID

import psycopg
from flask_sqlalchemy import SQLAlchemy
from psycopg.errors import ProgramLimitExceeded
from sqlalchemy import Connection, DateTime, MetaData, Text, Uuid
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session

from leadvibe.lib import arrays

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

_EFFECTS = "leadvibe.effects"

OUTAGES = (
    OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError,
)  # fmt: skip
"""What a database that is away raises, through the session and beside it. See `is_outage`."""


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
    """Return the session of the current request or job."""
    return cast("Session", db.session())


def commit() -> None:
    """Commit, then run what waited for it. An effect that fails never undoes the commit."""
    if not db.session.registry.has():
        return  # a request that needed no session should not pay for one at its end
    current = session()
    current.commit()
    for effect in current.info.pop(_EFFECTS, {}).values():
        effect()


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
    db.engine.dispose()


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


def driver() -> psycopg.Connection[Any]:
    """Return the psycopg connection of the current transaction, for COPY."""
    raw = session().connection().connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    return raw


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """COPY rows into a table inside the current transaction: the quick way to write many."""
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    with driver().cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def copy_lines(table: str, columns: Sequence[str], lines: Iterable[str]) -> None:
    """COPY rows that are written out already: values with tabs between them, and a line's end.

    For the one table that takes most rows, where writing them out by hand is several times quicker.
    Texts go through `as_copy_text`; what is null is written as NULL_IN_COPY.
    """
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    with driver().cursor() as cursor, cursor.copy(statement) as copy:
        waiting = iter(lines)
        while block := "".join(islice(waiting, LINES_AT_ONCE)):
            copy.write(block)


NULL_IN_COPY = "\\N"
LINES_AT_ONCE = 500
_COPY_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def as_copy_text(text: str) -> str:
    """Return a text as it stands in a line of COPY."""
    return text.translate(_COPY_ESCAPES) if not text.isalnum() else text
