"""The `leadvibe` command as people run it: in processes of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.forking import run_command

SECRET_KEY = "a key of the tests that is long enough"
COMMAND = [sys.executable, "-m", "leadvibe.cli"]


@pytest.fixture
def leadvibe() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a runner of commands to their end; keywords are environment variables."""

    def run(*arguments: str | Path, **variables: str | Path) -> subprocess.CompletedProcess[str]:
        return run_command([str(it) for it in arguments], environment(**variables))

    return run


@pytest.fixture
def free_port() -> int:
    return find_free_port()


@pytest.fixture
def home(short_folder: Path) -> Path:
    return short_folder / "home"


class Installation:
    """A running `leadvibe up`, seen from outside."""

    def __init__(self, process: subprocess.Popen[str], port: int, home: Path) -> None:
        self.process = process
        self.port = port
        self.home = home
        self.output = ""

    def read_until(self, words: str) -> str:
        """Read what it prints until a line has the words; returns that line."""
        for line in self.process.stdout:
            self.output += line
            if words in line:
                return line
        raise AssertionError(f"it ended without saying {words!r}:\n{self.output}")

    def is_ready(self) -> bool:
        """Ask the web server."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            try:
                connection.request("GET", "/readyz")
                return connection.getresponse().status == HTTPStatus.OK
            except OSError:
                return False

    def processes(self) -> dict[int, str]:
        """Return the command lines of all that runs for this installation, by process id."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            except OSError:  # it ended meanwhile
                continue
            if str(self.home) in line and state != "Z" and int(entry.name) != self.process.pid:
                found[int(entry.name)] = line
        return found

    def find_role(self, words: str) -> int | None:
        """Return the oldest process whose command line has the words."""
        return min((pid for pid, line in self.processes().items() if words in line), default=None)


@contextmanager
def installation(home: Path, *options: str, **variables: str | Path) -> Iterator[Installation]:
    """Run `leadvibe up` until the end of the block."""
    port = find_free_port()
    process = subprocess.Popen(
        [*COMMAND, "up", "--port", str(port), "--home", home, *options],
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield Installation(process, port, home)
        finally:
            process.send_signal(signal.SIGTERM)
            process.stdout.read()
            process.wait(30)


def environment(**variables: str | Path) -> dict[str, str]:
    """Return variables for a child: none of Leadvibe's own but those that are given."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {name: str(value) for name, value in variables.items()}


def find_free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def wait_until(is_so: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)
