"""`leadvibe up` with everything real: servers, web, workers, signals."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import quote

import pytest

from leadvibe.leads.fields import LONGEST_RECORDED
from tests.cli.conftest import SECRET_KEY, Installation, installation, wait_until
from tests.servers import make_folder

ROLES = (
    "serve --port", "worker --role pipeline", "worker --role jobs",
    "worker --role notifications", "worker --role schedule",
)  # fmt: skip


@pytest.fixture(scope="module")
def running() -> Iterator[Installation]:
    """One installation for the tests that leave it running."""
    folder = make_folder()
    try:
        with installation(folder / "home") as up:
            up.read_until("Leadvibe is ready")
            yield up
    finally:
        shutil.rmtree(folder)


def test_it_says_ready_when_it_is(running):
    assert running.is_ready()
    assert f"Leadvibe is ready: http://127.0.0.1:{running.port}\n" in running.output


def test_each_command_line_names_its_role(running):
    lines = running.processes().values()

    for role in ROLES:
        assert any(re.search(f"leadvibe(\\.cli)? {role}", line) for line in lines), role


def test_a_doctor_finds_it_well(running, leadvibe):
    wait_until(lambda: leadvibe("doctor", "--home", running.home).returncode == 0)

    report = leadvibe("doctor", "--home", running.home).stdout

    assert "FAILED" not in report
    names = [line.split()[0] for line in report.splitlines()]
    assert names == [
        *("servers", "database", "broker", "migrations"),
        *("pipeline", "jobs", "notifications", "schedule", "inbox"),
    ]


def test_a_filter_by_the_longest_text_there_is_reaches_the_application(running):
    longest = quote("\N{GRINNING FACE}" * (LONGEST_RECORDED // 4))

    with closing(HTTPConnection("127.0.0.1", running.port, timeout=20)) as connection:
        connection.request("GET", f"/api/leads?gclid={longest}")
        answer = connection.getresponse()

    assert answer.status == 401  # for it has no key
    assert answer.getheader("X-Request-Id")


@pytest.mark.parametrize("role", ["serve --port", "worker --role pipeline"])
def test_a_killed_process_is_started_again(running, role):
    before = running.processes()

    os.kill(running.find_role(role), signal.SIGKILL)

    wait_until(lambda: running.find_role(role) not in {None, *before})
    wait_until(running.is_ready)


def test_a_second_one_in_the_same_folder_says_who_is_there(running, leadvibe, free_port):
    second = leadvibe("up", "--home", running.home, "--port", str(free_port))

    assert second.returncode == 1
    assert second.stderr == (
        f"Error: Leadvibe already runs in {running.home} (process {running.process.pid}):"
        " stop it first, or choose another folder with --home or LEADVIBE_HOME\n"
    )


def test_a_taken_port_is_named_before_anything_starts(home, leadvibe):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        ended = leadvibe("up", "--home", home, "--port", str(port))

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        f"Error: Port {port} is taken: stop what uses it or choose another with --port or PORT\n"
    )
    assert not home.exists()


def test_an_unwritable_folder_is_named(leadvibe, free_port):
    ended = leadvibe("up", "--home", "/proc/leadvibe", "--port", str(free_port))

    assert ended.returncode == 1
    assert ended.stderr == (
        "Error: Cannot write to /proc/leadvibe (No such file or directory):"
        " choose another folder with --home or LEADVIBE_HOME\n"
    )


def test_a_bad_setting_is_one_line(leadvibe):
    ended = leadvibe("up", DATABASE_URL="postgresql://db/leads")

    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: SECRET_KEY is not set")
    assert ended.stderr.count("\n") == 1


def test_ctrl_c_leaves_nothing_behind_and_is_no_failure(home, empty_database_url, empty_redis_url):
    """With servers of somebody's own, which are left alone."""
    variables = {
        "DATABASE_URL": empty_database_url.replace("+psycopg", ""),
        "REDIS_URL": empty_redis_url,
        "SECRET_KEY": SECRET_KEY,
    }
    with installation(home, **variables) as up:
        up.read_until("Leadvibe is ready")

        up.process.send_signal(signal.SIGINT)
        up.process.stdout.read()

        assert up.process.wait(30) == 0
        assert up.processes() == {}
    assert not home.exists()


def test_kill_9_leaves_nothing_behind(home):
    with installation(home) as up:
        up.read_until("Leadvibe is ready")

        up.process.kill()

        wait_until(lambda: not up.processes())
