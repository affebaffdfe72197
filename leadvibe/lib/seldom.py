"""Saying at most once a minute what may happen a thousand times a second."""

from __future__ import annotations

import time
from threading import Lock

SILENT_SECONDS = 60.0


class Seldom:
    """Counts what happens, and tells now and then that it is time to say so."""

    def __init__(self, *, silent_seconds: float = SILENT_SECONDS) -> None:
        self._silent_seconds = silent_seconds
        self._lock = Lock()
        self._unsaid = 0
        self._silent_until = 0.0

    def count(self) -> int:
        """Count one more; return how many there are to tell of, 0 while it is too soon."""
        with self._lock:
            self._unsaid += 1
            now = time.monotonic()
            if now < self._silent_until:
                return 0
            self._silent_until = now + self._silent_seconds
            told, self._unsaid = self._unsaid, 0
            return told
