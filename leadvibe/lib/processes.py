"""Child processes that cannot outlive their parent, however the parent ends.

A signal handler ends children in order when it gets to run. A parent killed with -9 never runs
one: then Linux itself signals each child (PR_SET_PDEATHSIG). Elsewhere only the first half holds.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from weakref import WeakSet

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

# Loaded before any fork: a forked child may not take the loader's lock.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

_spawned: WeakSet[subprocess.Popen[bytes]] = WeakSet()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The system user that a child runs as."""

    name: str
    uid: int
    gid: int


def die_with_parent(death_signal: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send this process the signal when the thread that made it ends."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of grandchildren whose own parent dies, so that they can be reaped."""
    if _libc is not None:
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def spawn(
    command: Sequence[str | Path],
    *,
    death_signal: signal.Signals = signal.SIGKILL,
    account: Account | None = None,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command in a process group of its own, tied to this process's life.

    Its own group keeps a Ctrl-C in the terminal from reaching it: its parent decides the order in
    which children stop. Call it from the main thread, which must outlive the child.
    """
    process = subprocess.Popen(  # noqa: S603 - our own command lines
        command,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        env=environ,
        cwd=cwd,
        process_group=0,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        # After the user has changed, because changing it clears the parent-death signal.
        preexec_fn=_tie_to(os.getpid(), death_signal),  # noqa: PLW1509 - parents are single-threaded
    )
    _spawned.add(process)
    return process


def stop(
    process: subprocess.Popen[bytes], *, with_signal: signal.Signals, timeout_seconds: float
) -> None:
    """Ask a child to end and wait for it; kill its whole group when it does not."""
    if process.poll() is None:
        process.send_signal(with_signal)
    try:
        process.wait(timeout_seconds)
    except subprocess.TimeoutExpired:
        kill_group(process)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a child and everything in its process group, and reap the child."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
    process.wait()


def reap_orphans() -> None:
    """Clear away ended children that were adopted, leaving the spawned ones to their owners."""
    while (pid := _ended_child()) is not None and pid not in _spawned_pids():
        os.waitpid(pid, os.WNOHANG)


def kill_orphans() -> None:
    """Kill the adopted children that still run.

    A grandchild in a session of its own is not in the process group that `kill_group` ends.
    """
    known = _spawned_pids()
    for pid in _children():
        if pid not in known:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def ended_because(returncode: int) -> str:
    """Say in words how a child ended."""
    if returncode >= 0:
        return f"exit code {returncode}"
    try:
        return f"signal {signal.Signals(-returncode).name}"
    except ValueError:
        return f"signal {-returncode}"


def _ended_child() -> int | None:
    """Return the pid of some ended child without reaping it."""
    try:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return ended.si_pid if ended else None


def _spawned_pids() -> set[int]:
    return {process.pid for process in _spawned if process.returncode is None}


def _children() -> list[int]:
    """Return the pids of this process's children; none where there is no /proc."""
    own, children = str(os.getpid()), []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended meanwhile
            # The name in brackets may hold anything; state and parent follow the last bracket.
            _state, parent, *_ = stat.read_text().rpartition(")")[2].split()
            if parent == own:
                children.append(int(stat.parent.name))
    return children


def _tie_to(parent: int, death_signal: signal.Signals) -> Callable[[], None] | None:
    if _libc is None:
        return None

    def tie() -> None:
        die_with_parent(death_signal)
        if os.getppid() != parent:  # the parent died before the kernel was told
            os._exit(1)

    return tie
