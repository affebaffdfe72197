"""Few reads at a time in one process: its threads share one interpreter, and crowding costs.

Many threads that compute at once hand the interpreter lock around between every two statements;
on two cores that took a quarter of the pages per second and tripled their latency. Waiting in line
is quicker. Only reads wait: a body may come in slowly, and must not hold up others. A stream is
past the turnstile once its view has returned. Nobody waits long: behind a read that takes its time,
in the database say, they go in after a moment all the same.

Health checks pass: that pages are slow must not look as if the process were dead. Static files
stand in a line of their own, since somebody who waited for a page should not wait for everybody
else's pages again before it has its style; one at a time, so that many new visitors crowd nobody.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

READS_AT_ONCE = 1
"""The other core is another process's."""

FILES_AT_ONCE = 1
"""They are quick, and wait for nothing but the disk."""

PATIENCE_SECONDS = 0.2
"""Longer than the line of a crowded process, and than a look takes that nobody minds."""

HEALTH_CHECKS = frozenset({"/healthz", "/readyz"})
FILES = "/static/"

_READS = frozenset({"GET", "HEAD"})


class Turnstile:
    """WSGI middleware that lets few reads run at once, and everything else pass."""

    def __init__(
        self,
        app: WSGIApplication,
        *,
        reads_at_once: int = READS_AT_ONCE,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._app = app
        self._reads = Line(reads_at_once, patience=patience)
        self._files = Line(FILES_AT_ONCE, patience=patience)

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        line = self._line_for(environ["REQUEST_METHOD"], environ.get("PATH_INFO", ""))
        if line is None:
            return self._app(environ, start)
        with line.place():
            return self._app(environ, start)

    def _line_for(self, method: str, path: str) -> Line | None:
        if method not in _READS or path in HEALTH_CHECKS:
            return None
        return self._files if path.startswith(FILES) else self._reads


class Line:
    """A semaphore that is fair: whoever waits longest is next, so nobody is overtaken for long.

    Whoever has waited for as many seconds as their patience lasts goes in beyond the places.
    """

    def __init__(self, places: int, *, patience: float) -> None:
        self._free = places  # below 0 when somebody went in beyond them
        self._patience = patience
        self._waiting: deque[Lock] = deque()
        self._lock = Lock()

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place, having waited for it."""
        self._enter()
        try:
            yield
        finally:
            self._leave()

    def _enter(self) -> None:
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return
            turn = Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=self._patience):
            return
        with self._lock:
            if turn in self._waiting:  # if not, its turn came at this very moment
                self._waiting.remove(turn)
                self._free -= 1

    def _leave(self) -> None:
        with self._lock:
            if self._waiting and self._free >= 0:
                self._waiting.popleft().release()
            else:
                self._free += 1
