"""Server processes and files that a killed supervisor left in a data folder.

The caller holds the folder, so nobody else may run a server there. Processes are found through
/proc; without one (outside Linux) nothing is touched, and the servers' own pid files stand guard.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from leadvibe.lib.embedded.errors import EmbeddedError

PROCESSES = Path("/proc")

# SIGINT is PostgreSQL's fast shutdown and ends Valkey after it has written what it holds. A server
# whose supervisor was just killed is often ending already, hence the patience.
ESCALATION = ((signal.SIGINT, 60), (signal.SIGQUIT, 10), (signal.SIGKILL, 5))
POLL_SECONDS = 0.05


def end_leftovers(program: str, data: Path, tokens: Sequence[Path]) -> None:
    """End the program's processes that work in the data folder, and clear its tokens away.

    A token names a process id. After a restart of the machine or the container that number can
    belong to anybody, and the server would refuse to start beside a stranger.
    """
    if not PROCESSES.is_dir():
        return
    for ask, patience_seconds in ESCALATION:
        if not _end(program, data, ask, patience_seconds):
            break
    else:
        raise EmbeddedError(f"An earlier {program} in {data} does not end: stop it by hand")
    for token in tokens:
        token.unlink(missing_ok=True)


def _end(program: str, data: Path, ask: signal.Signals, patience_seconds: float) -> bool:
    """Signal what runs and wait; return whether something still runs."""
    for pid in _running(program, data):
        with suppress(ProcessLookupError):
            os.kill(pid, ask)
    deadline = time.monotonic() + patience_seconds
    while (alive := any(_running(program, data))) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return alive


def _running(program: str, data: Path) -> Iterator[int]:
    """Yield the processes of that program whose working folder is the data folder."""
    workplace = data.resolve()
    for entry in PROCESSES.iterdir():
        if not entry.name.isdecimal():
            continue
        with suppress(OSError):  # it ended meanwhile, or belongs to somebody else
            folder, executable = (entry / "cwd").readlink(), (entry / "exe").readlink()
            if folder == workplace and executable.name == program:
                yield int(entry.name)
