"""Workers as they really run: processes of the `leadvibe` command."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from leadvibe.settings import Settings
from tests.forking import Process, start_command


class Workers:
    """Starts and ends worker processes on the test's own servers."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self._environment = {
            **os.environ,
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "SECRET_KEY": settings.secret_key,
            "LEADVIBE_HOME": str(settings.home),
            "PIPELINE_BATCH_SIZE": "1000",
        }
        self._log = log
        self._running: list[Process] = []

    def start(self, role: str) -> Process:
        arguments = ["worker", "--role", role]
        worker = start_command(arguments, self._environment, stdout=self._log, stderr=self._log)
        self._running.append(worker)
        return worker

    def end_all(self, number: signal.Signals = signal.SIGTERM) -> list[int]:
        """Send all of them a signal and return their exit codes."""
        for worker in self._running:
            if worker.is_alive():
                os.kill(worker.pid, number)
        for worker in self._running:
            worker.join(20)
        codes = [worker.exitcode for worker in self._running]
        self._running.clear()
        return codes

    @property
    def output(self) -> str:
        return self._log.read_text()


@pytest.fixture
def workers(
    app: Flask, fresh_database: str, settings: Settings, tmp_path: Path
) -> Iterator[Workers]:
    app.extensions["leadvibe.redis"].flushdb()
    workers = Workers(settings, tmp_path / "workers.log")
    yield workers
    workers.end_all(signal.SIGKILL)


def wait_until(is_so: Callable[[], bool], *, seconds: float = 60, pause: float = 0.02) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(pause)
