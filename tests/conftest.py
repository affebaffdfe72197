"""What every test may ask for: an application, a database that forgets, people, and browsers.

By default a test's transaction is rolled back: services, requests and tests share one connection,
and what they commit is a savepoint of it. Tests about several connections or processes, or about
what survives a rollback, ask for `fresh_database` instead, which is emptied afterwards.
"""

from __future__ import annotations

import gc
import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import Context
from dataclasses import replace
from datetime import datetime
from threading import get_ident
from typing import Any, ClassVar

import psycopg
import pytest
from flask import Flask, has_app_context
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from itsdangerous import URLSafeTimedSerializer
from psycopg.errors import DeadlockDetected
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from leadvibe import schema
from leadvibe.app import create_app
from leadvibe.http.principal import security as current_security
from leadvibe.identity.security import Hashing, Security
from leadvibe.imports.sample_load import load_sample
from leadvibe.lib.db import commit, db, driver
from leadvibe.settings import Settings
from tests.effort import USUAL, examples
from tests.people import People, Person, make_people
from tests.scenes import Scene, Scenes

pytest_plugins = [
    "tests.servers", "tests.probes", "tests.mailbox", "tests.world", "tests.standins.slack",
    "tests.standins.hubspot",
]  # fmt: skip

# Machines that do much else are slow, which says nothing of a strategy.
hypothesis_settings.register_profile(
    "leadvibe", max_examples=examples(USUAL), suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("leadvibe")

MANY_ROWS = 1_000
TAKING_LONG = {"browser", "cli", "jobs"}
CHEAP_HASHING = Hashing(memory_kib=8, passes=1, lanes=1)
SECRET_KEY = "a secret that only the tests know"  # long enough for the settings
CSRF_SECRET = "0123456789abcdef0123456789abcdef01234567"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, each part in its random order: so all processes end together."""
    items.sort(key=lambda item: item.path.parent.name not in TAKING_LONG)


def pytest_collection_finish() -> None:
    """Collect little garbage: looking through all that was imported takes an eighth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.fixture(scope="session", autouse=True)
def _no_outside_sockets() -> Iterator[None]:
    """Refuse connections to anything but this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and not _is_local(address[0]):
            raise AssertionError(f"a test tried to reach {address[0]}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


def _is_local(host: str) -> bool:
    return host == "localhost" or ipaddress.ip_address(host).is_loopback


@pytest.fixture(scope="session")
def settings(database_url: str, redis_url: str, tmp_path_factory) -> Settings:
    home = tmp_path_factory.mktemp("home")
    plain = Settings.from_environment({"LEADVIBE_HOME": str(home)})
    return replace(plain, database_url=database_url, redis_url=redis_url, secret_key=SECRET_KEY)


@pytest.fixture(scope="session")
def make_app(settings: Settings) -> Iterator[Callable[..., Flask]]:
    """Return a maker of applications; keywords replace settings. For tests of the settings."""
    made: list[Flask] = []

    def make(**changes: Any) -> Flask:
        app = create_app(replace(settings, **changes), hashing=CHEAP_HASHING)
        app.testing = True
        app.config["PROPAGATE_EXCEPTIONS"] = False  # answers are tested, not tracebacks
        app.test_client_class = SeparateClient
        made.append(app)
        return app

    yield make
    for app in made:
        _engine(app).dispose()
        app.extensions["leadvibe.redis"].close()


@pytest.fixture(scope="session")
def shared_app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture
def app(shared_app: Flask, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """Return the application, inside its context, over a database that forgets."""
    if "fresh_database" in request.fixturenames:
        request.getfixturevalue("fresh_database")  # first, to be emptied when this one has gone
        with shared_app.app_context():
            yield shared_app
        return
    with _rolled_back(shared_app), shared_app.app_context():
        yield shared_app


@pytest.fixture
def fresh_database(shared_app: Flask) -> Iterator[str]:
    """Let commits be real, for tests with several connections; returns the address."""
    yield shared_app.config["SQLALCHEMY_DATABASE_URI"]
    for is_last in (False, False, True):
        try:
            with _engine(shared_app).begin() as connection:
                _empty(connection)
        except OperationalError as error:
            # What a browser has left may still be answered, and reads tables in another order.
            if is_last or not isinstance(error.orig, DeadlockDetected):
                raise
        else:
            return


def _empty(connection: Connection) -> None:
    """Empty all tables: row by row where there are few, for truncating makes new files for all."""
    names = [table.name for table in schema.metadata.sorted_tables]
    everything = ", ".join(names)
    connection.execute(text(f"LOCK TABLE {everything}"))  # waits for what killed processes began
    counts = " UNION ALL ".join(
        f"SELECT '{name}', count(*) FROM (SELECT FROM {name} LIMIT {MANY_ROWS})" for name in names
    )
    found = {name: count for name, count in connection.execute(text(counts)) if count}
    if MANY_ROWS in found.values():
        connection.execute(text(f"TRUNCATE {everything}"))
        return
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    for name in found:
        connection.execute(text(f"DELETE FROM {name}"))


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of all statements sent to the database from now on.

    Counted in the driver, for not every statement passes through SQLAlchemy. The savepoints that
    make a test's database forget are left out, and so is what other threads send: a browser that
    an earlier test has left may still be answered.
    """
    sent: list[str] = []
    own = get_ident()
    execute = psycopg.Cursor.execute

    def counting(self: psycopg.Cursor, query: Any, *args: Any, **kwargs: Any) -> psycopg.Cursor:
        statement = str(query)
        if "SAVEPOINT" not in statement and get_ident() == own:
            sent.append(statement)
        return execute(self, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.Cursor, "execute", counting)
    return sent


@pytest.fixture
def security(app: Flask) -> Security:
    return current_security()


@pytest.fixture(scope="session")
def _kept_scenes() -> dict[tuple[str, datetime], Scene]:
    return {}


@pytest.fixture
def scenes(app: Flask, _kept_scenes: dict[tuple[str, datetime], Scene]) -> Scenes:
    """Return a maker of scenes over this test's database."""
    return Scenes(_kept_scenes)


@pytest.fixture
def people(scenes: Scenes, security: Security) -> People:
    return scenes.set("people", lambda: make_people(security))


@pytest.fixture
def small_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the sample data little: the same in kind, and quick."""
    for name, count in (("leads", 20), ("events", 200)):
        monkeypatch.setitem(load_sample.__kwdefaults__, name, count)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a client that nobody is signed in with."""
    return app.test_client()


@pytest.fixture
def browse(app: Flask) -> Callable[[Person | None], Browser]:
    """Return a maker of browsers, signed in as somebody."""

    def open_browser(person: Person | None = None) -> Browser:
        return Browser(app.test_client(), person)

    return open_browser


class SeparateClient(FlaskClient):
    """A client whose requests share nothing with the test but the database."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        if has_app_context():
            commit()  # ends the test's own savepoint, and so forgets what it has read
        kwargs.setdefault("buffered", True)  # reads the answer to its end, and closes the file
        return Context().run(super().open, *args, **kwargs)


class Browser:
    """A browser: it keeps cookies and sends the token that its pages would."""

    def __init__(self, client: FlaskClient, person: Person | None) -> None:
        self.client = client
        with client.session_transaction() as session:
            session["csrf_token"] = CSRF_SECRET
            if person is not None:
                member = person.member
                session["_user_id"] = f"{member.org_member_id}.{member.session_epoch}"
                session["_fresh"] = True
        app = client.application
        self.csrf_token = URLSafeTimedSerializer(app.secret_key, salt="wtf-csrf-token").dumps(
            CSRF_SECRET
        )

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.client.get(path, **kwargs)

    def post(self, path: str, data: dict[str, Any] | None = None, **kwargs: Any) -> TestResponse:
        form = {"csrf_token": self.csrf_token, **(data or {})}
        return self.client.post(path, data=form, **kwargs)

    def send(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        """Send what a script of ours would: JSON, with the token in a header."""
        headers = {"X-CSRFToken": self.csrf_token, **kwargs.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **kwargs)


class _ForgettingSession(db.session.session_factory.class_):  # type: ignore[name-defined, misc]
    """A session whose commits are savepoints of the test's one connection."""

    connection_of_test: ClassVar[Connection | None] = None

    def get_bind(self, *_args: Any, **_kwargs: Any) -> Connection:
        assert self.connection_of_test is not None
        return self.connection_of_test


@contextmanager
def _rolled_back(app: Flask) -> Iterator[None]:
    """Run what is inside over one connection and roll it all back."""
    factory = db.session.session_factory
    with _engine(app).connect() as connection, pytest.MonkeyPatch.context() as patch:
        transaction = connection.begin()
        patch.setattr(_ForgettingSession, "connection_of_test", connection)
        patch.setattr(factory, "class_", _ForgettingSession)
        patch.setitem(factory.kw, "join_transaction_mode", "create_savepoint")
        # A statement outside a transaction would take another connection and commit there.
        patch.setattr("leadvibe.lib.db.is_in_transaction", lambda: True)
        # What a second connection should see as committed is seen by the test's one alone.
        patch.setattr("leadvibe.lib.db.second_connection", lambda: nullcontext(driver()))
        yield
        transaction.rollback()


def _engine(app: Flask) -> Engine:
    with app.app_context():
        return db.engine
