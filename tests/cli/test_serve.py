"""`leadvibe serve`: several web processes that must agree at once on whom they let in."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection, HTTPResponse

import pytest
from flask import Flask

from leadvibe.cli.servers import SECONDS_TO_FINISH_REQUESTS
from leadvibe.identity.remembered import GOOD_FOR_SECONDS
from leadvibe.jobs import pipeline
from leadvibe.jobs.stopping import StopRequest
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.lib.radio import LOOK_SECONDS
from leadvibe.scoring import service as scoring
from tests.cli.conftest import COMMAND, Installation, environment, wait_until
from tests.conftest import SECRET_KEY
from tests.people import People, basic

WEB_WORKERS = 2
CONNECTIONS = 8  # that the processes share out among themselves
PATIENCE_SECONDS = 20
HEADERS = {"Content-Type": "application/json"}
MOMENT_SECONDS = GOOD_FOR_SECONDS / 2  # for a notice to arrive, before it is looked up anyway


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


@pytest.fixture
def streams(served, people: People) -> Iterator[list[HTTPResponse]]:
    """Open more streams than reads may compute at once, over both processes."""
    with ExitStack() as stack:
        opened = []
        for _ in range(CONNECTIONS):
            connection = HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE_SECONDS)
            stack.enter_context(closing(connection))
            connection.request("GET", "/stream", headers=people.viewer.bearer)
            opened.append(connection.getresponse())
        yield opened


def test_streams_of_all_processes_hear_the_pipeline_and_hold_up_no_page(
    app, served, streams, people: People
):
    scoring.install_defaults(people.scope, by="setup", now=utc_now())
    commit()
    assert {response.status for response in streams} == {200}
    page = HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE_SECONDS)
    with pipeline_running(app), closing(page):
        # The pipeline looks now and then whether anybody listens: the first may go by unheard.
        for _ in range(2):
            event = {"event_type": "page_view", "lead_id": "ld_1"}
            page.request("POST", "/ingest", json.dumps(event), HEADERS | basic(people.credential))
            assert page.getresponse().read()
            time.sleep(LOOK_SECONDS * 2)
        page.request("GET", "/metrics")
        metrics = page.getresponse().read().decode()
        for response in streams:
            assert read_until(response, b"event: new_event")

    assert f"live_streams_open {CONNECTIONS}.0" in metrics


@contextmanager
def pipeline_running(app: Flask) -> Iterator[None]:
    """Let the role run beside the test, and no longer: not even if that fails."""
    stop = StopRequest()
    role = threading.Thread(target=pipeline.run, args=(app, stop), daemon=True)
    role.start()
    try:
        yield
    finally:
        stop.make()
        role.join(PATIENCE_SECONDS)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_streams_end_by_themselves_when_the_server_stops(served, streams, number):
    began = time.monotonic()

    served.process.send_signal(number)

    for response in streams:
        response.read()  # to its proper end: a connection that is torn raises
    served.process.wait(PATIENCE_SECONDS)
    assert time.monotonic() - began < SECONDS_TO_FINISH_REQUESTS


def read_until(response: HTTPResponse, beginning: bytes) -> bytes:
    """Read a stream up to the line that begins so, and return that."""
    while not (line := response.readline()).startswith(beginning):
        assert line, "the stream has ended"
    return line


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
