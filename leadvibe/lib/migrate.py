"""Brings the database to the version that this code expects, and says which one it has.

Migrations only go forward. Two processes may start at once: the second waits for the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, pool, text
from sqlalchemy.exc import DBAPIError

from leadvibe.lib.errors import UnavailableError
from leadvibe.lib.resources import resource_folder

OLDEST_POSTGRESQL = (15,)
CONNECT_SECONDS = 10
LOCK_KEY = 0x1EAD_51BE  # any number will do, as long as all versions agree on it


@dataclass(frozen=True, slots=True)
class Revisions:
    """`current` is what the database has, None when it is empty; `head` is what it should have."""

    current: str | None
    head: str | None

    @property
    def is_at_head(self) -> bool:
        return self.current == self.head


def upgrade(database_url: str) -> Revisions:
    """Run the migrations that are missing; returns where the database was and is now.

    Raises UnavailableError when the database cannot be reached or is too old.
    """
    with _engine(database_url) as engine, _locked(engine):
        with engine.connect() as connection:
            _check_version(connection)
            before = _revisions(connection)
            connection.rollback()  # the question opened a transaction
            if not before.is_at_head:
                command.upgrade(_configuration(connection), "head")
        return before


def current_and_head(database_url: str) -> Revisions:
    """Compare the database with this code; raises UnavailableError when it cannot be reached."""
    with _engine(database_url) as engine, engine.connect() as connection:
        return _revisions(connection)


def draft(database_url: str, message: str) -> str:
    """Write a migration from the difference between tables and database; returns its path."""
    with _engine(database_url) as engine, engine.connect() as connection:
        script = command.revision(_configuration(connection), message=message, autogenerate=True)
    assert not isinstance(script, list)
    assert script is not None
    return str(script.path)


@contextmanager
def _engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(
        database_url,
        poolclass=pool.NullPool,
        connect_args={"connect_timeout": CONNECT_SECONDS},
    )
    try:
        engine.connect().close()
    except DBAPIError as error:
        raise UnavailableError(
            f"The database cannot be reached ({first_line(error)}): see to it that it runs, or"
            " correct DATABASE_URL"
        ) from error
    yield engine


def first_line(error: DBAPIError) -> str:
    """Return what the driver says, without the pages of background."""
    return str(error.orig).strip().partition("\n")[0]


def _check_version(connection: Connection) -> None:
    found = connection.dialect.server_version_info or ()
    if found < OLDEST_POSTGRESQL:
        raise UnavailableError(
            f"The database is PostgreSQL {'.'.join(map(str, found))}, and Leadvibe needs"
            f" {OLDEST_POSTGRESQL[0]} or later: upgrade it, or leave DATABASE_URL unset"
        )


@contextmanager
def _locked(engine: Engine) -> Iterator[None]:
    """Hold the lock on a connection of its own.

    Without a transaction, which a migration that builds an index concurrently would wait for.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})
        yield  # closing the connection gives the lock back, whatever happened


def _revisions(connection: Connection) -> Revisions:
    return Revisions(
        current=MigrationContext.configure(connection).get_current_revision(),
        head=ScriptDirectory.from_config(_configuration(connection)).get_current_head(),
    )


def _configuration(connection: Connection) -> Config:
    configuration = Config(attributes={"connection": connection})
    # ConfigParser takes a percent sign for the start of a placeholder.
    folder = str(resource_folder("migrations")).replace("%", "%%")
    configuration.set_main_option("script_location", folder)
    return configuration


@cache
def head_revision() -> str | None:
    """Return the version that this code expects; it does not change while a process lives."""
    return ScriptDirectory(str(resource_folder("migrations"))).get_current_head()
