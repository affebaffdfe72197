from __future__ import annotations

import pytest
from redis import Redis

from leadvibe.lib import embedded, heartbeat
from leadvibe.lib.clock import utc_now
from leadvibe.lib.migrate import current_and_head
from tests.cli.conftest import SECRET_KEY

REFUSED = "postgresql://nobody@127.0.0.1:1/leads"


@pytest.fixture
def external(empty_database_url, empty_redis_url):
    """Return the variables of an installation with servers of its own."""
    return {
        "DATABASE_URL": empty_database_url,
        "REDIS_URL": empty_redis_url,
        "SECRET_KEY": SECRET_KEY,
    }


def test_db_upgrade_migrates_once(leadvibe, external):
    first, second = leadvibe("db", "upgrade", **external), leadvibe("db", "upgrade", **external)

    assert first.stdout.startswith("The database went from empty to ")
    assert second.stdout.endswith(": nothing to do.\n")
    assert current_and_head(external["DATABASE_URL"]).is_at_head


def test_db_upgrade_starts_embedded_servers_for_as_long_as_it_needs_them(leadvibe, home):
    done = leadvibe("db", "upgrade", LEADVIBE_HOME=home)

    assert done.stdout.startswith("The database went from empty to ")
    assert not embedded.is_running(home)


def test_a_database_that_is_away_is_one_line(leadvibe, external):
    ended = leadvibe("db", "upgrade", **external | {"DATABASE_URL": REFUSED})

    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: The database cannot be reached (connection")
    assert ended.stderr.count("\n") == 1


def test_a_doctor_says_what_is_missing(leadvibe, external):
    report = leadvibe("doctor", **external)

    assert report.returncode == 1
    states = {line.split()[0]: line.split()[1] for line in report.stdout.splitlines()}
    assert states == {
        "servers": "ok",
        "database": "ok",
        "broker": "ok",
        "migrations": "FAILED",
        "pipeline": "FAILED",
        "jobs": "FAILED",
        "notifications": "FAILED",
        "schedule": "FAILED",
        "inbox": "FAILED",
    }


def test_a_doctor_is_content_when_all_are_alive(leadvibe, external):
    leadvibe("db", "upgrade", **external)
    with Redis.from_url(external["REDIS_URL"]) as broker:
        for role in ("pipeline", "jobs", "notifications", "schedule"):
            heartbeat.beat(broker, role, now=utc_now())

    report = leadvibe("doctor", **external)

    assert report.returncode == 0, report.stdout


def test_a_doctor_survives_servers_that_are_away(leadvibe, external):
    away = {"DATABASE_URL": REFUSED, "REDIS_URL": "redis://127.0.0.1:1"}

    report = leadvibe("doctor", **external | away)

    assert report.returncode == 1
    assert report.stderr == ""
    assert "database     FAILED  cannot be reached: connection" in report.stdout
    assert "broker       FAILED  cannot be reached: " in report.stdout


@pytest.mark.parametrize("command", [["serve"], ["worker"], ["worker", "--role", "jobs"]])
def test_a_single_process_does_not_start_servers(leadvibe, home, command):
    ended = leadvibe(*command, "--home", home)

    assert ended.returncode == 1
    assert ended.stderr == (
        f"Error: The embedded servers of {home} do not run: start everything with `leadvibe up`,"
        " or set DATABASE_URL and REDIS_URL\n"
    )
