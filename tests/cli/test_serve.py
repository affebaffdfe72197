"""`leadvibe serve`: several web processes that must agree at once on whom they let in."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection

import pytest

from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.scoring import service as scoring
from tests.cli.conftest import COMMAND, Installation, environment, wait_until
from tests.conftest import SECRET_KEY
from tests.people import People, basic

WEB_WORKERS = 2
CONNECTIONS = 8  # that the processes share out among themselves
MOMENT_SECONDS = 1  # for a notice to arrive; less than anything is remembered without one


@pytest.fixture
def served(app, fresh_database, redis_url, free_port, home) -> Iterator[Installation]:
    """Run the web server alone, over the database of the tests."""
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", str(free_port), "--home", home],
        env=environment(
            DATABASE_URL=fresh_database,
            REDIS_URL=redis_url,
            SECRET_KEY=SECRET_KEY,
            WEB_WORKERS=str(WEB_WORKERS),
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        served = Installation(process, free_port, home)
        try:
            wait_until(served.is_ready)
            yield served
        finally:
            process.send_signal(signal.SIGTERM)
            served.output, _ = process.communicate(timeout=30)
    assert (process.returncode, "Traceback" in served.output) == (0, False), served.output


@pytest.fixture
def connections(served) -> Iterator[list[HTTPConnection]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(closing(HTTPConnection("127.0.0.1", served.port, timeout=10)))
            for _ in range(CONNECTIONS)
        ]


def test_a_deleted_credential_is_refused_by_every_process(connections, people: People):
    scoring.install_defaults(people.scope, by="setup", now=utc_now())
    commit()
    wait_until(lambda: count_listeners() == WEB_WORKERS)
    own = basic(people.credential)
    for _ in range(2):
        assert {ask(connection, "GET", "/leads", own) for connection in connections} == {200}

    path = f"/secrets/{people.credential.credential.secret_id}"
    assert ask(connections[0], "DELETE", path, people.owner.bearer) == 204

    wait_until(
        lambda: {ask(connection, "GET", "/leads", own) for connection in connections} == {401},
        MOMENT_SECONDS,
    )


def count_listeners() -> int:
    """Count the processes that hear of changes."""
    commit()  # a transaction goes on seeing the connections that it saw first
    return (
        driver()
        .execute("""
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'leadvibe listener'
    """)
        .fetchone()[0]
    )


def ask(connection: HTTPConnection, method: str, path: str, headers: dict[str, str]) -> int:
    connection.request(method, path, headers=headers)
    with connection.getresponse() as response:
        response.read()
        return response.status
