"""Writes that a second thread carries out while the first goes on computing.

A batch of events keeps PostgreSQL busy for about as long as it keeps Python busy. Taking turns,
each of them idles while the other works; with the writes behind, both cores work.

Nothing changes but the time: writes are carried out in the order they were given, and whatever else
needs the connection waits for them first (`settle`), so it sees what it would have seen. A write
that fails raises at the next such place, at the latest at the end. Knows no database: what it
lends to the second thread is the caller's.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

SWITCH_SECONDS = 0.0005
"""How long the first thread may compute while the second has an answer to go on with.

Of Python's usual 5 ms, a batch of forty statements would lose a tenth of its time.
"""

_writes: ContextVar[_Writes | None] = ContextVar("writes", default=None)
_lent: ContextVar[Any] = ContextVar("lent", default=None)


class _Writes:
    """What was given to the second thread and has not been waited for."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self._executor = executor
        self._waiting: deque[Future[object]] = deque()

    def add(self, write: Callable[[], object]) -> None:
        if self._waiting and self._waiting[0].done():
            self._waiting.popleft().result()  # a batch that has failed need not be gone on with
        self._waiting.append(self._executor.submit(write))

    def settle(self) -> None:
        while self._waiting:
            self._waiting.popleft().result()


@contextmanager
def writing_behind(lend: Any) -> Iterator[None]:
    """Let a second thread carry out what is given to `later` inside, lending it something.

    It has ended when the block ends, however that ends. A block inside another is a part of it.
    """
    if _writes.get() is not None:
        yield
        return
    switch_seconds = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    with ThreadPoolExecutor(
        1, thread_name_prefix="writes", initializer=_lent.set, initargs=(lend,)
    ) as executor:
        writes = _Writes(executor)
        token = _writes.set(writes)
        try:
            yield
            writes.settle()
        except BaseException:
            executor.shutdown(cancel_futures=True)
            raise
        finally:
            _writes.reset(token)
            sys.setswitchinterval(switch_seconds)


def later(write: Callable[[], object]) -> None:
    """Carry out a write soon, in order; at once outside `writing_behind`."""
    writes = _writes.get()
    if writes is None:
        write()
    else:
        writes.add(write)


def settle() -> None:
    """Wait until all writes are carried out. Raises what the first of them raised that failed."""
    writes = _writes.get()
    if writes is not None:
        writes.settle()


@contextmanager
def lending(something: Any) -> Iterator[None]:
    """Lend something to this thread itself: with it, nothing has to be waited for."""
    token = _lent.set(something)
    try:
        yield
    finally:
        _lent.reset(token)


def lent() -> Any:
    """Return what this thread was lent: the second what it writes with, others mostly nothing."""
    return _lent.get()
