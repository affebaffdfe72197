"""Real servers for the tests: one throwaway PostgreSQL, and a Valkey for each worker of a run.

A process of its own holds them (this module, run as a script). It starts when the first test asks
for an address, so that tests of pure functions wait for nothing, and ends when the last process
of the run has gone, however it went: each of them holds a lock that the kernel lets go for it.

The tables are made once, in a template database that each pytest-xdist worker gets a copy of. Its
own Valkey keeps what it publishes, and which connections it cuts, from the others.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from signal import SIGTERM, signal
from types import FrameType
from typing import Any

import psycopg
import pytest
import redis
from sqlalchemy import make_url

from leadvibe.lib import embedded, migrate

FOLDER_KEY = pytest.StashKey[Path]()
LOCK_KEY = pytest.StashKey[Any]()
WORKER_INPUT = "servers_folder"

TEMPLATE = "leadvibe_template"
POLL_SECONDS = 0.05


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder of this run, or learn it from the process that made it."""
    workerinput = getattr(config, "workerinput", None)
    folder = Path(workerinput[WORKER_INPUT]) if workerinput else make_folder()
    config.stash[FOLDER_KEY] = folder
    config.stash[LOCK_KEY] = _lock(folder / "users", fcntl.LOCK_SH)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker process of pytest-xdist where the servers are."""
    node.workerinput[WORKER_INPUT] = str(node.config.stash[FOLDER_KEY])


def pytest_unconfigure(config: pytest.Config) -> None:
    folder = config.stash[FOLDER_KEY]
    config.stash[LOCK_KEY].close()
    if not hasattr(config, "workerinput") and not _ready_file(folder).exists():
        shutil.rmtree(folder, ignore_errors=True)  # no test asked for a server


@dataclass(frozen=True)
class Servers:
    """Addresses of the one database server and of the broker of each worker."""

    database_url: str
    redis_urls: list[str]


@pytest.fixture(scope="session")
def _servers(pytestconfig: pytest.Config) -> Servers:
    """Start the servers, or find them started by another worker."""
    folder = pytestconfig.stash[FOLDER_KEY]
    worker_count = getattr(pytestconfig, "workerinput", {"workercount": 1})["workercount"]
    with _lock(folder / "starting", fcntl.LOCK_EX):
        if not _ready_file(folder).exists():
            _start_holder(folder, worker_count)
    return Servers(**json.loads(_ready_file(folder).read_text()))


@pytest.fixture(scope="session")
def database_url(_servers: Servers, worker_number: int) -> str:
    """Address of a migrated database that belongs to this worker alone."""
    name = f"test_{worker_number}"
    with _maintenance(_servers.database_url) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    return _with_database(_servers.database_url, name)


@pytest.fixture
def empty_database_url(_servers: Servers, worker_number: int) -> Iterator[str]:
    """Address of a database without tables, for tests of migrations and whole installations."""
    name = f"empty_{worker_number}"
    with _maintenance(_servers.database_url) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield _with_database(_servers.database_url, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def redis_url(_servers: Servers, worker_number: int) -> str:
    """Address of a Valkey that belongs to this worker alone."""
    return _servers.redis_urls[worker_number]


@pytest.fixture
def empty_redis_url(redis_url: str) -> Iterator[str]:
    """Address of the same Valkey, without what other tests left, for this test alone."""
    with redis.Redis.from_url(redis_url) as broker:
        broker.flushdb()
        yield redis_url
        broker.flushdb()


@pytest.fixture(scope="session")
def worker_number(request: pytest.FixtureRequest) -> int:
    """Number of this pytest-xdist worker, 0 without pytest-xdist."""
    workerinput = getattr(request.config, "workerinput", {"workerid": "gw0"})
    return int(workerinput["workerid"].removeprefix("gw"))


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Return a folder for embedded servers of a test's own: pytest's are too long."""
    folder = make_folder()
    yield folder
    shutil.rmtree(folder)


def make_folder() -> Path:
    """Make a folder whose path is short enough for sockets, and that any account may enter."""
    folder = Path(tempfile.mkdtemp(prefix="leadvibe-test-", dir="/tmp"))
    if os.geteuid() == 0:
        folder.chmod(0o711)
    return folder


def _start_holder(folder: Path, worker_count: int) -> None:
    with (folder / "holder.log").open("w+") as log:
        started = subprocess.run(
            [sys.executable, "-m", __name__, str(folder), str(worker_count)],
            cwd=Path(__file__).parent.parent,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        log.seek(0)
        assert started.returncode == 0, f"the servers of the tests do not start: {log.read()}"


def _run_holder(folder: Path, worker_count: int) -> int:
    """Leave the holder behind and return once it is ready: 0, or its exit code when it is not."""
    holder = os.fork()
    if holder == 0:
        os.setsid()  # a Ctrl-C must not reach it before the tests have ended
        _hold(folder, worker_count)
        return 0
    while not _ready_file(folder).exists():
        pid, status = os.waitpid(holder, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status) or 1
        time.sleep(POLL_SECONDS)
    return 0


def _hold(folder: Path, worker_count: int) -> None:
    """Run the servers until no process of the run is left, then leave nothing behind."""
    signal(SIGTERM, _exit)
    try:
        with ExitStack() as servers:
            database = servers.enter_context(_start(folder / "database", valkey=False))
            brokers = [
                servers.enter_context(_start(folder / f"broker-{number}", postgres=False))
                for number in range(worker_count)
            ]
            _make_template(database.database_url)
            urls = Servers(database.database_url, [broker.redis_url for broker in brokers])
            draft = _ready_file(folder).with_suffix(".new")
            draft.write_text(json.dumps(asdict(urls)))
            draft.rename(_ready_file(folder))
            _lock(folder / "users", fcntl.LOCK_EX).close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(home: Path, *, postgres: bool = True, valkey: bool = True) -> embedded.RunningServers:
    which = embedded.Which(postgres=postgres, valkey=valkey)
    return embedded.start(home, throwaway=True, which=which)


def _make_template(server_url: str) -> None:
    with _maintenance(server_url) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    migrate.upgrade(_with_database(server_url, TEMPLATE))


def _exit(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(1)


def _ready_file(folder: Path) -> Path:
    return folder / "ready.json"


def _with_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@contextmanager
def _maintenance(url: str) -> Iterator[psycopg.Connection]:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        yield connection


def _lock(path: Path, kind: int) -> Any:
    """Lock a file until it is closed or this process ends, whichever comes first."""
    file = path.open("a")
    fcntl.flock(file, kind)
    return file


if __name__ == "__main__":
    sys.exit(_run_holder(Path(sys.argv[1]), int(sys.argv[2])))
