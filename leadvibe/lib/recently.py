"""Answers that took long to find, kept for a while with the time they were true at.

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
    """Keeps answers for as long as it is told to, and only those that are worth it."""

    def __init__(
        self,
        kept_for: timedelta = KEPT_FOR,
        *,
        is_worth_it: Callable[[T], bool] = lambda _: True,
    ) -> None:
        self._kept_for = kept_for
        self._is_worth_it = is_worth_it
        self._lock = Lock()
        self._kept: dict[Hashable, Dated[T]] = {}

    def find(
        self, key: Hashable, look: Callable[[], T], *, now: datetime, is_afresh: bool
    ) -> Dated[T]:
        """Return what is kept, or look and keep it; `is_afresh` looks in any case."""
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and not is_afresh and now - kept.at < self._kept_for:
            return kept
        found = Dated(now, look())
        if not self._is_worth_it(found.answer):
            return found
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = found  # the last one now: the first is the oldest
            if len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        return found
