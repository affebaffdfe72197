"""Answers that took long to find, kept for some minutes with the time they were true at.

Each process keeps its own. Whoever shows one says how old it is.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

KEPT_FOR = timedelta(minutes=5)
MOST_KEPT = 200


class Dated(NamedTuple, Generic[T]):
    at: datetime
    answer: T


class Recently(Generic[T]):
    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[Hashable, Dated[T]] = {}

    def find(
        self, key: Hashable, look: Callable[[], T], *, now: datetime, is_afresh: bool
    ) -> Dated[T]:
        """Return what is kept, or look and keep it; `is_afresh` looks in any case."""
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and not is_afresh and now - kept.at < KEPT_FOR:
            return kept
        found = Dated(now, look())
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = found  # the last one now: the first is the oldest
            if len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        return found
