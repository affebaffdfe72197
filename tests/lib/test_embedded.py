"""Real servers in real folders: each test has a home of its own, short enough for sockets."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy import make_url

from leadvibe.lib import embedded
from leadvibe.lib.embedded.home import Home, own_folder, servers_account
from leadvibe.lib.embedded.leftovers import _running
from leadvibe.lib.processes import Account, spawn

VALKEY_ONLY = embedded.Which(postgres=False)
STRANGER = Account(name="stranger", uid=54321, gid=54321)


@pytest.fixture
def home(short_folder: Path) -> Path:
    return short_folder / "home"


def test_what_was_stored_is_there_after_a_restart(home):
    with embedded.start(home) as servers:
        with _connect(servers.database_url) as connection:
            connection.execute("CREATE TABLE kept (word text)")
            connection.execute("INSERT INTO kept VALUES ('durable')")
        _broker(servers).set("kept", "durable")

    with embedded.start(home) as servers:
        with _connect(servers.database_url) as connection:
            assert connection.execute("SELECT word FROM kept").fetchone() == ("durable",)
            assert _shown(connection, "fsync", "synchronous_commit", "data_checksums") == ["on"] * 3
        assert _broker(servers).get("kept") == b"durable"


def test_throwaway_servers_do_without_durability(home):
    with (
        embedded.start(home, throwaway=True) as servers,
        _connect(servers.database_url) as connection,
    ):
        assert _shown(connection, "fsync", "synchronous_commit") == ["off", "off"]
        assert _broker(servers).config_get("appendonly") == {"appendonly": "no"}


def test_text_is_ordered_the_same_on_every_machine(home):
    with (
        embedded.start(home, throwaway=True) as servers,
        _connect(servers.database_url) as connection,
    ):
        found = connection.execute(
            "SELECT datlocprovider, datlocale, pg_encoding_to_char(encoding)"
            " FROM pg_database WHERE datname = current_database()"
        ).fetchone()

    assert found == ("b", "C.UTF-8", "UTF8")


def test_nothing_but_a_private_socket_is_listened_on(home):
    with embedded.start(home, throwaway=True) as servers:
        with _connect(servers.database_url) as connection:
            assert _shown(connection, "listen_addresses") == [""]
        assert _broker(servers).config_get("port") == {"port": "0"}
        folder = Home(home).run.stat()

    account = servers_account()
    assert stat.S_IMODE(folder.st_mode) == 0o700
    assert folder.st_uid == (os.geteuid() if account is None else account.uid)


def test_a_second_start_in_the_same_folder_names_the_first(home):
    with (
        embedded.start(home, which=VALKEY_ONLY),
        pytest.raises(embedded.HomeInUseError, match=rf"process {os.getpid()}"),
    ):
        embedded.start(home, which=VALKEY_ONLY)


def test_two_homes_run_beside_each_other(home, short_folder):
    other = short_folder / "other"

    with (
        embedded.start(home, which=VALKEY_ONLY) as one,
        embedded.start(other, which=VALKEY_ONLY) as two,
    ):
        _broker(one).set("whose", "one")

        assert _broker(two).get("whose") is None


def test_addresses_are_known_without_starting(home):
    addresses = embedded.urls(home)

    assert not embedded.is_running(home)
    with embedded.start(home, throwaway=True) as servers:
        assert (servers.database_url, servers.redis_url) == (
            addresses.database_url,
            addresses.redis_url,
        )
        assert embedded.is_running(home)
    assert not embedded.is_running(home)


def test_a_long_path_gets_a_short_folder_for_its_sockets(short_folder):
    home = short_folder / ("long " * 20) / ("longer" * 10)

    with embedded.start(home, throwaway=True) as servers:
        assert _broker(servers).ping()
        with _connect(servers.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)

    run = Home(home).run
    assert home not in run.parents
    run.rmdir()  # empty: the servers took their sockets away


def test_a_killed_supervisor_leaves_no_process_and_whole_data(home):
    _start_and_kill_supervisor(home)

    _wait_until(lambda: not _processes(home))
    with (
        embedded.start(home) as servers,
        _connect(servers.database_url) as connection,
    ):
        assert connection.execute("SELECT word FROM kept").fetchone() == ("durable",)


def test_killed_servers_are_started_again(home):
    reports: list[str] = []
    with embedded.start(home, throwaway=True) as servers:
        _broker(servers).set("before", "1")
        for server in servers._servers:
            server._process.kill()
            server._process.wait()

        servers.revive_dead(reports.append)

        assert embedded.is_running(home)
    assert [line.split(" ended ")[0] for line in reports] == [
        "The embedded PostgreSQL",
        "The embedded Valkey",
    ]


def test_a_pid_file_that_names_a_stranger_does_not_hinder_the_start(home):
    """After a restart of a container the same number belongs to another process."""
    embedded.start(home, throwaway=True).stop()
    stranger = spawn(["/bin/sleep", "60"], account=servers_account())
    (home / "postgres" / "postmaster.pid").write_text(f"{stranger.pid}\n{home / 'postgres'}\n")

    with embedded.start(home, throwaway=True):
        assert embedded.is_running(home)
        assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_servers_that_outlived_their_supervisor_are_ended_first(home):
    """Where the kernel does not tell them, or before they have noticed."""
    _start_and_kill_supervisor(home, prelude="processes._libc = None")
    outlived = _processes(home)

    with embedded.start(home, throwaway=True):
        assert embedded.is_running(home)

    assert outlived
    assert not _processes(home)


def test_servers_run_for_as_long_as_somebody_uses_them(home):
    was_running: list[bool] = []
    has_begun, may_end = threading.Event(), threading.Event()

    def use() -> None:
        with Home(home).used():
            has_begun.set()
            may_end.wait(10)
            time.sleep(0.2)  # long enough for the first user to be gone, were it not waiting
            was_running.append(embedded.is_running(home, which=VALKEY_ONLY))

    with embedded.using(home, which=VALKEY_ONLY):
        other = threading.Thread(target=use)
        other.start()
        has_begun.wait(10)
        may_end.set()

    other.join()
    assert was_running == [True]
    assert not embedded.is_running(home, which=VALKEY_ONLY)


def test_running_servers_are_used_and_left_running(home):
    with embedded.start(home, which=VALKEY_ONLY):
        with embedded.using(home, which=VALKEY_ONLY) as addresses:
            assert redis.Redis.from_url(addresses.redis_url).ping()

        assert embedded.is_running(home, which=VALKEY_ONLY)


def test_the_key_of_a_folder_is_private_and_stays(home):
    embedded.start(home, which=VALKEY_ONLY).stop()
    first = embedded.secret_key(home)
    embedded.start(home, which=VALKEY_ONLY).stop()

    assert embedded.secret_key(home) == first
    assert len(first) >= 32
    assert stat.S_IMODE((home / "secret_key").stat().st_mode) == 0o600


@pytest.mark.parametrize("path", ["/proc/leadvibe", "/dev/null/leadvibe"])
def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(path):
    with pytest.raises(embedded.HomeError, match=rf"{path}.* with --home or LEADVIBE_HOME"):
        embedded.start(Path(path))


def test_a_folder_that_the_servers_account_may_not_enter_is_named(short_folder):
    short_folder.chmod(0o711)
    closed = short_folder / "closed"
    closed.mkdir(0o700)

    with pytest.raises(embedded.HomeError, match=f"user stranger, who may not enter {closed}:"):
        Home(closed / "home").make(STRANGER)

    assert not (closed / "home").exists()


def test_a_folder_that_somebody_else_made_first_is_refused(short_folder):
    squatted = short_folder / "run"
    squatted.mkdir()

    with pytest.raises(embedded.HomeError, match=f"{squatted} belongs to user"):
        own_folder(squatted, STRANGER)


def test_data_of_another_version_is_left_alone(home):
    embedded.start(home, throwaway=True).stop()
    (home / "postgres" / "PG_VERSION").write_text("17\n")

    with pytest.raises(embedded.HomeError, match=r"data of PostgreSQL 17, and .* server is 18"):
        embedded.start(home, throwaway=True)


def _start_and_kill_supervisor(home: Path, *, prelude: str = "") -> None:
    supervisor = subprocess.Popen(
        [sys.executable, "-c", _SUPERVISOR.format(prelude=prelude), home],
        stdout=subprocess.PIPE,
        text=True,
    )
    with supervisor:
        assert supervisor.stdout.readline() == "ready\n"
        supervisor.kill()


_SUPERVISOR = """
import sys, time
from pathlib import Path
import psycopg
from sqlalchemy import make_url
from leadvibe.lib import embedded, processes

{prelude}
with embedded.start(Path(sys.argv[1])) as servers:
    url = make_url(servers.database_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'durable' AS word")
        print("ready", flush=True)
        time.sleep(60)
"""


def _connect(url: str) -> psycopg.Connection:
    plain = make_url(url).set(drivername="postgresql").render_as_string()
    return psycopg.connect(plain, autocommit=True)


def _broker(addresses: embedded.Addresses | embedded.RunningServers) -> redis.Redis:
    return redis.Redis.from_url(addresses.redis_url, decode_responses=False)


def _shown(connection: psycopg.Connection, *names: str) -> list[str]:
    return [connection.execute(f"SHOW {name}").fetchone()[0] for name in names]


def _processes(home: Path) -> list[int]:
    return [
        *_running("postgres", home / "postgres"),
        *_running("valkey-server", home / "valkey"),
    ]


def _wait_until(is_so, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
