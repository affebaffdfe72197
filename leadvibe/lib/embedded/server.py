"""One embedded server process: started, waited for, stopped, and started again when it dies."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, ClassVar, Protocol

from leadvibe.lib.embedded.errors import BinariesError, EmbeddedError
from leadvibe.lib.embedded.leftovers import end_leftovers
from leadvibe.lib.processes import Account, ended_because, spawn, stop

READY_WITHIN_SECONDS = 300  # replaying a large log after a crash takes minutes, not hours
STOPPED_WITHIN_SECONDS = 60
POLL_SECONDS = 0.03
LONGEST_LOG_BYTES = 10_000_000  # a longer one is put aside at the next start; one predecessor stays

# Nothing of ours: a server has no business with the secrets in our environment.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


class Program(Protocol):
    """What differs between PostgreSQL and Valkey."""

    title: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]

    @property
    def executable(self) -> Path: ...

    @property
    def data(self) -> Path:
        """The folder that the server works in."""

    @property
    def tokens(self) -> tuple[Path, ...]:
        """Sockets and pid files, which hinder the next start when a server was killed."""

    def prepare(self) -> None:
        """Make what the server needs before it starts."""

    def command(self) -> list[str | Path]: ...

    def answers(self) -> bool: ...

    def settle(self) -> None:
        """Make what can only be made inside the running server."""


class Server:
    def __init__(self, program: Program, *, log_folder: Path, account: Account | None) -> None:
        self.program = program
        self._account = account
        self._log = log_folder / f"{program.executable.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; an earlier one that lost its supervisor is ended first."""
        end_leftovers(self.program.executable.name, self.program.data, self.program.tokens)
        try:
            self.program.prepare()
            with self._open_log() as log:
                self._process = spawn(
                    self.program.command(),
                    death_signal=self.program.stop_signal,
                    account=self._account,
                    environ=ENVIRONMENT,
                    cwd=self.program.data,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
        except (OSError, subprocess.SubprocessError) as error:
            raise BinariesError(
                f"The embedded {self.program.title} does not run here ({error})"
            ) from error

    def wait_until_ready(self) -> None:
        """Wait for answers; raises EmbeddedError when the process ends or stays mute."""
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while not self.program.answers():
            if self.has_died():
                raise EmbeddedError(self._how_it_ended())
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"The embedded {self.program.title} does not answer: see {self._log}"
                )
            time.sleep(POLL_SECONDS)
        self.program.settle()

    def has_died(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def revive(self, report: Callable[[str], None]) -> None:
        """Start a process that died again; raises EmbeddedError when it does not come back."""
        report(f"{self._how_it_ended()}; starting it again")
        self.start()
        self.wait_until_ready()

    def stop(self) -> None:
        if self._process is None:
            return
        stop(
            self._process,
            with_signal=self.program.stop_signal,
            timeout_seconds=STOPPED_WITHIN_SECONDS,
        )
        self._process = None

    def _open_log(self) -> IO[bytes]:
        if self._log.exists() and self._log.stat().st_size > LONGEST_LOG_BYTES:
            self._log.replace(self._log.with_suffix(".log.1"))
        return self._log.open("ab")

    def _how_it_ended(self) -> str:
        assert self._process is not None
        returncode = self._process.returncode
        how = f"The embedded {self.program.title} ended with {ended_because(returncode)}"
        if returncode < 0:  # killed from outside: it had no time to write why
            return how
        lines = self._log.read_text(errors="replace").splitlines() or ["it wrote nothing"]
        return f"{how}: {lines[-1].strip()} (all of it: {self._log})"
