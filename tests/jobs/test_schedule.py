from __future__ import annotations

import threading
import time
from datetime import datetime

import pytest

from leadvibe.jobs import schedule
from leadvibe.jobs.schedule import LEADER_LOCK, SCHEDULE, Task
from leadvibe.jobs.stopping import StopRequest
from leadvibe.lib.db import held_lock


@pytest.fixture
def runs(monkeypatch) -> list[datetime]:
    """Return when the only task of a quick schedule has run."""
    runs: list[datetime] = []
    monkeypatch.setattr(schedule, "SCHEDULE", (Task("note", 0.05, runs.append),))
    monkeypatch.setattr(schedule, "TICK_SECONDS", 0.01)
    monkeypatch.setattr(schedule, "CANDIDATE_SECONDS", 0.05)
    return runs


@pytest.fixture
def running(app, fresh_database, runs):
    """Return what starts another process's schedule.

    All of them are stopped in the end, and before the quick schedule is taken away again (hence
    `runs`): they would look up tasks that they have not begun with.
    """
    stop, threads = StopRequest(), []

    def start() -> None:
        thread = threading.Thread(target=schedule.run, args=(app, stop), daemon=True)
        threads.append(thread)
        thread.start()

    yield start
    stop.make()
    for thread in threads:
        thread.join(timeout=10)
        assert not thread.is_alive()


def wait_for(runs: list[datetime], count: int) -> None:
    deadline = time.monotonic() + 10
    while len(runs) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_task_runs_again_and_again(running, runs):
    running()

    wait_for(runs, 3)


def test_a_task_that_fails_is_tried_again_and_keeps_nobody_from_their_turn(
    running, runs, monkeypatch
):
    def fail(_now: datetime) -> None:
        raise RuntimeError("a bug")

    failing = Task("fail", 0.01, fail)
    monkeypatch.setattr(schedule, "SCHEDULE", (failing, *schedule.SCHEDULE))

    running()

    wait_for(runs, 3)


def test_only_the_leader_keeps_the_schedule(running, runs):
    with held_lock(LEADER_LOCK):
        running()
        time.sleep(0.3)
        assert runs == []

    wait_for(runs, 1)


def test_every_task_can_be_done_in_an_empty_installation(app):
    for task in SCHEDULE:
        schedule._do(app, task)

    assert len({task.name for task in SCHEDULE}) == len(SCHEDULE)
