"""The supervisor in a process of its own, whose signals it handles, over small commands."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

TALKER = "import os, time; os.write(1, b'pid %d\\n' % os.getpid()); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + TALKER
# A grandchild in a session of its own, as a job that a worker forked.
PARENT = "import os; os.fork() or os.setsid();" + TALKER


def test_lines_come_out_behind_the_name_of_their_role():
    with _supervisor({"web": TALKER, "pipeline": TALKER}) as supervisor:
        lines = [supervisor.read_line() for _ in range(2)]

    assert sorted(line.partition(" pid ")[0] for line in lines) == ["pipeline |", "web      |"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_all_children_and_is_no_failure(number):
    with _supervisor({"web": TALKER, "jobs": TALKER}) as supervisor:
        pids = [supervisor.read_pid() for _ in range(2)]

        supervisor.process.send_signal(number)

        assert supervisor.process.wait(10) == 0
        assert not any(map(_is_alive, pids))


def test_a_killed_supervisor_takes_its_children_along():
    with _supervisor({"web": STUBBORN, "jobs": STUBBORN}) as supervisor:
        pids = [supervisor.read_pid() for _ in range(2)]

        supervisor.process.kill()

        _wait_until(lambda: not any(map(_is_alive, pids)))


def test_a_child_that_does_not_stop_is_killed():
    with _supervisor({"web": STUBBORN}) as supervisor:
        pid = supervisor.read_pid()

        supervisor.process.terminate()

        assert supervisor.process.wait(10) == 0
        assert not _is_alive(pid)


def test_what_children_started_themselves_does_not_stay_behind():
    with _supervisor({"jobs": PARENT}) as supervisor:
        pids = [supervisor.read_pid() for _ in range(2)]

        supervisor.process.terminate()

        assert supervisor.process.wait(10) == 0
        assert not any(map(_is_alive, pids))


def test_a_killed_child_is_started_again():
    with _supervisor({"web": TALKER}) as supervisor:
        first = supervisor.read_pid()

        os.kill(first, signal.SIGKILL)

        assert "ended with signal SIGKILL: starting it again" in supervisor.read_line()
        assert supervisor.read_pid() != first


def test_a_child_that_ends_at_once_is_tried_less_and_less_often():
    with _supervisor({"jobs": "exit(3)"}) as supervisor:
        lines = [supervisor.read_line() for _ in range(3)]

    assert [line.partition(": ")[2] for line in lines] == [
        "starting it again in 0.5 s",
        "starting it again in 1 s",
        "starting it again in 2 s",
    ]


def test_an_essential_role_that_does_not_start_ends_everything():
    with _supervisor({"web": "exit(3)", "jobs": TALKER}, essential="web") as supervisor:
        lines = supervisor.process.stdout.read().splitlines()

        assert supervisor.process.wait(10) == 1
    assert lines[-1] == "web does not start (exit code 3): its last lines above say why"
    pid = next(int(line.rpartition(" ")[2]) for line in lines if " | pid " in line)
    assert not _is_alive(pid)


def test_the_reader_of_the_output_may_leave():
    with _supervisor({"web": "while True: print('busy', flush=True)"}) as supervisor:
        supervisor.read_line()

        supervisor.process.stdout.close()

        assert supervisor.process.wait(10) == 0


def test_a_task_runs_beside_the_roles_and_hands_over_what_it_wrote():
    task = "import sys; print('half way', file=sys.stderr); print('result')"
    with _supervisor({"web": TALKER}, task=task) as supervisor:
        lines = {re.sub(r"\d+", "N", supervisor.read_line()) for _ in range(3)}

    assert lines == {"web  | pid N", "task | half way", "b'result\\n'"}


def test_a_task_that_fails_ends_everything():
    with _supervisor({"web": TALKER}, task="exit(1)") as supervisor:
        lines = supervisor.process.stdout.read().splitlines()

        assert supervisor.process.wait(10) == 1
    assert lines[-1] == "task failed: its last lines above say why"


class _Running:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def read_line(self) -> str:
        return self.process.stdout.readline().rstrip("\n")

    def read_pid(self) -> int:
        """Return the next pid that a child prints about itself."""
        while True:
            line = self.read_line()
            assert line, "the supervisor ended"
            if found := re.search(r"\| pid (\d+)$", line):
                return int(found[1])


@contextmanager
def _supervisor(
    roles: dict[str, str], *, essential: str = "", task: str = ""
) -> Iterator[_Running]:
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, repr(roles), essential, task],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield _Running(process)
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


_PROGRAM = """
import ast, sys
from leadvibe.lib.supervisor import Role, SupervisionError, Supervisor

roles, essential, task = ast.literal_eval(sys.argv[1]), sys.argv[2], sys.argv[3]
try:
    with Supervisor(sys.stdout, stop_within_seconds=1) as supervisor:
        for name, code in roles.items():
            command = [sys.executable, "-c", code]
            supervisor.keep(Role(name=name, command=command, essential=name == essential))
        if task:
            result = supervisor.run_task(Role(name="task", command=[sys.executable, "-c", task]))
            supervisor.console.print(str(result))
        supervisor.run_until(lambda: False)
except SupervisionError as error:
    sys.exit(str(error))
"""


def _is_alive(pid: int) -> bool:
    """Say whether a process runs: one that only waits to be reaped by somebody does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _wait_until(is_so: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
