"""Runs the roles of an installation as child processes in the foreground.

A child that ends is started again. What children print comes out line by line behind the name of
their role. A signal stops everything in order; a second one at once. One thread does all of it,
which is what makes forking children safe.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any, Self, TextIO

from leadvibe.lib.console import Console
from leadvibe.lib.errors import UnavailableError
from leadvibe.lib.processes import (
    adopt_orphans,
    ended_because,
    kill_group,
    kill_orphans,
    reap_orphans,
    spawn,
)

STOP_WITHIN_SECONDS = 10.0
TURN_SECONDS = 0.5
DOUBLED_SIGNAL_SECONDS = 1.0

# A child that ends sooner than this has not got going: wait longer and longer before the next try.
GOT_GOING_SECONDS = 5.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
TRIES_OF_ESSENTIAL_ROLE = 3

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class SupervisionError(UnavailableError):
    """A role cannot be kept running, or a task failed."""

    code = "supervision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A command with a name; without an essential one the rest need not run either."""

    name: str
    command: Sequence[str]
    essential: bool = False


@dataclass(slots=True, eq=False)
class _Child:
    role: Role
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    early_ends: int = 0
    has_got_going: bool = False


class Supervisor:
    """Use it as a context manager: children that are left at the end are stopped."""

    def __init__(self, output: TextIO, *, stop_within_seconds: float = STOP_WITHIN_SECONDS) -> None:
        self.console = Console(output)
        self._stop_within_seconds = stop_within_seconds
        self._children: list[_Child] = []
        self._checks: list[Callable[[], None]] = []
        self._signalled_at: list[float] = []
        self._previous_handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        adopt_orphans()
        reader, self._wake_writer = os.pipe()
        os.set_blocking(self._wake_writer, False)
        self._wake_reader = os.fdopen(reader, "rb", buffering=0)
        self.console.collect(self._wake_reader, lambda _: None)
        signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        for number in STOP_SIGNALS:
            self._previous_handlers[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop_children()
        signal.set_wakeup_fd(-1)
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)
        self.console.close()
        self._wake_reader.close()
        os.close(self._wake_writer)

    @property
    def is_stopping(self) -> bool:
        return bool(self._signalled_at) or self.console.is_cut_off

    @property
    def _is_hurried(self) -> bool:
        """Whether a second signal came: not one that only doubled the first, as make's can."""
        return (
            len(self._signalled_at) > 1
            and self._signalled_at[-1] - self._signalled_at[0] > DOUBLED_SIGNAL_SECONDS
        )

    def look_after(self, check: Callable[[], None]) -> None:
        """Have the check called on every turn; what it raises ends the supervision."""
        self._checks.append(check)

    def keep(self, role: Role) -> None:
        """Start a role and keep it running from now on."""
        child = _Child(role)
        self._children.append(child)
        self._start(child)

    def run_until(self, is_done: Callable[[], bool]) -> bool:
        """Supervise until it is done; False when a signal came first.

        `is_done` is asked at least twice a second and should answer quickly. Raises
        SupervisionError when an essential role does not get going.
        """
        while not self.is_stopping:
            if is_done():
                self.console.pump(timeout_seconds=0)  # what was printed while it became so
                return True
            self._turn()
        return False

    def run_task(self, role: Role) -> bytes | None:
        """Run a command once beside the roles and return what it wrote to its standard output.

        None when a signal came first; raises SupervisionError when it fails.
        """
        process = spawn(role.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stderr is not None
        written: list[bytes] = []
        self.console.collect(process.stdout, written.append)
        self.console.watch(process.stderr, role.name)
        try:
            is_done = self.run_until(lambda: process.poll() is not None)
        finally:
            kill_group(process)
            self.console.release(process.stdout)
            self.console.release(process.stderr)
        if not is_done:
            return None
        if process.returncode != 0:
            raise SupervisionError(f"{role.name} failed: its last lines above say why")
        return b"".join(written)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signalled_at.append(time.monotonic())

    def _turn(self) -> None:
        self.console.pump(timeout_seconds=TURN_SECONDS)
        for child in self._children:
            if child.process is None:
                if time.monotonic() >= child.start_again_at:
                    self._start(child)
            elif child.process.poll() is not None:
                self._take_note_of_end(child, child.process)
        for check in self._checks:
            check()
        reap_orphans()

    def _start(self, child: _Child) -> None:
        child.process = spawn(child.role.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        child.started_at = time.monotonic()
        assert child.process.stdout is not None
        self.console.watch(child.process.stdout, child.role.name)

    def _take_note_of_end(self, child: _Child, process: subprocess.Popen[bytes]) -> None:
        """Clear up after a child and plan its next start."""
        self._clear(child, process)
        how = ended_because(process.returncode)
        if time.monotonic() - child.started_at >= GOT_GOING_SECONDS:
            child.has_got_going, child.early_ends = True, 0
        else:
            child.early_ends += 1
        if _is_hopeless(child, process.returncode):
            raise SupervisionError(
                f"{child.role.name} does not start ({how}): its last lines above say why"
            )
        pause_seconds = _pause_seconds(child.early_ends)
        child.start_again_at = time.monotonic() + pause_seconds
        self.console.say(
            child.role.name, f"ended with {how}: starting it again in {pause_seconds:g} s"
        )

    def _clear(self, child: _Child, process: subprocess.Popen[bytes]) -> None:
        kill_group(process)  # what it started itself must not linger beside its successor
        assert process.stdout is not None
        self.console.release(process.stdout)
        child.process = None

    def _stop_children(self) -> None:
        """Ask all children to end, and kill those that do not or that are in the user's way."""
        living = [(child, child.process) for child in self._children if child.process is not None]
        for _, process in living:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + self._stop_within_seconds
        while any(process.poll() is None for _, process in living):
            if time.monotonic() > deadline or self._is_hurried:
                break
            self.console.pump(timeout_seconds=TURN_SECONDS / 5)
        for child, process in living:
            self._clear(child, process)
        kill_orphans()


def _is_hopeless(child: _Child, returncode: int) -> bool:
    """Say whether it is no use to try again: it never worked, and nobody killed it."""
    return (
        child.role.essential
        and not child.has_got_going
        and returncode > 0
        and child.early_ends >= TRIES_OF_ESSENTIAL_ROLE
    )


def _pause_seconds(early_ends: int) -> float:
    if early_ends == 0:
        return 0.0
    return min(FIRST_PAUSE_SECONDS * 2.0 ** (early_ends - 1), LONGEST_PAUSE_SECONDS)
