"""Many threads, one commit: whoever comes while a group is being written goes into the next.

A commit waits for the disk, and every statement has its thread change places with others twice. So
the first to come writes at once, alone; those who come meanwhile are written together, by one of
them. Without company it is as quick as writing by oneself, and nobody returns before what they
brought is committed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

Item = TypeVar("Item")


class GroupCommit(Generic[Item]):
    """Hands items to `write` in groups, one group at a time.

    `write` commits a whole group, or raises and has committed nothing of it. What it raises reaches
    everybody in the group; but after one of `faults_of_items` each item is written by itself, so
    that a bad one fails alone.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], object],
        *,
        faults_of_items: tuple[type[Exception], ...] = (),
    ) -> None:
        self._write = write
        self._faults_of_items = faults_of_items
        self._lock = Lock()
        self._is_writing = False
        self._waiting: deque[_Place[Item]] = deque()

    def put(self, item: Item) -> None:
        """Return once the item is committed."""
        place = _Place(item)
        with self._lock:
            if self._is_writing:
                self._waiting.append(place)
                place.turn.acquire()
            else:
                self._is_writing = place.leads = True
        place.turn.acquire()  # at once, unless it waits
        if place.leads:
            self._lead(place)
        if isinstance(place.error, self._faults_of_items):
            self._write([item])
        elif place.error is not None:
            raise place.error

    def _lead(self, place: _Place[Item]) -> None:
        """Write everybody who waits, then have the first who came meanwhile lead the next group."""
        with self._lock:
            group = [place, *self._waiting]
            self._waiting.clear()
        try:
            self._write([it.item for it in group])
        except BaseException as error:  # noqa: BLE001 - nobody may be left waiting; each raises it
            for it in group:
                it.error = error
        self._hand_over()
        for follower in group[1:]:
            follower.turn.release()

    def _hand_over(self) -> None:
        with self._lock:
            if not self._waiting:
                self._is_writing = False
                return
            leader = self._waiting.popleft()
        leader.leads = True
        leader.turn.release()


class _Place(Generic[Item]):
    """Somebody's place in a group."""

    __slots__ = ("error", "item", "leads", "turn")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.turn = Lock()
        self.leads = False
        self.error: BaseException | None = None
