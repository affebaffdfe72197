"""A process's ear on the radio: one connection to the broker, however many people listen.

A thread reads every topic that somebody listens to and hands each broadcast to its receivers. Who
does not keep up is cut off and may come back to catch up. While the broker is away receivers stay,
hear nothing, and hear again from where they were once it is back.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from redis import Redis, RedisError

from leadvibe.lib.errors import UnavailableError
from leadvibe.lib.radio import (
    BEGINNING,
    KEPT_BROADCASTS,
    LISTENED,
    LISTENED_SECONDS,
    Broadcast,
    Position,
    key_of,
    read_entries,
)

WAIT_MILLISECONDS = 250
"""How long one read waits; a topic that nobody here listened to before is heard after that."""

READ_AT_ONCE = 50
MARK_SECONDS = 10.0
"""Between two marks that a topic is listened to: several within the time that one lasts."""

MOST_WAITING = 256
"""Broadcasts that wait for a receiver before it is cut off: seconds, at the pace of the busiest."""

LOOK_UP_SECONDS = 1.0
"""Between two looks of a receiver at whether it is over; what was broadcast wakes it at once."""

PAUSE_WHILE_BROKEN_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Place(NamedTuple):
    """Where a listener was: a broadcast, and how many of its messages it has heard."""

    position: Position
    heard: int


class Receiver:
    """One listener's side. `missed` is what was broadcast since the place where it had been."""

    def __init__(self, leave: Callable[[Receiver], None], is_closing: Callable[[], bool]) -> None:
        self.missed: list[Broadcast] = []
        self.on_cut_off: Callable[[], None] = lambda: None
        self._leave = leave
        self._is_closing = is_closing
        self._floor = BEGINNING
        self._waiting: deque[Broadcast] = deque()
        self._arrival = threading.Condition()
        self._is_over = False
        self._has_gap = False

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more: it was cut off, has left, or the process ends."""
        return self._is_over or self._is_closing()

    def wait(self, *, timeout_seconds: float) -> list[Broadcast]:
        """Return what was broadcast, as soon as there is anything; nothing after the time."""
        until = time.monotonic() + timeout_seconds
        with self._arrival:
            while not (self._waiting or self._has_gap or self.is_over):
                left = until - time.monotonic()
                if left <= 0:
                    break
                self._arrival.wait(min(left, LOOK_UP_SECONDS))
            arrived = [it for it in self._waiting if it.position > self._floor]
            self._waiting.clear()
        return arrived

    def take_gap(self) -> bool:
        """Say whether, since it was asked last, more was missed than anybody knows of."""
        with self._arrival:
            had_gap, self._has_gap = self._has_gap, False
        return had_gap

    def note_gap(self) -> None:
        """Take note that something was broadcast, or may have been, that nobody can hear now."""
        with self._arrival:
            self._has_gap = True
            self._arrival.notify()

    def leave(self) -> None:
        """Listen no more. May be called more than once."""
        self._end()
        self._leave(self)

    def hand_over(self, broadcasts: Iterable[Broadcast]) -> None:
        """Give it what came in, or cut it off when too much waits already."""
        with self._arrival:
            if self._is_over:
                return
            self._waiting.extend(broadcasts)
            is_behind = len(self._waiting) > MOST_WAITING
            self._arrival.notify()
        if is_behind:
            self._end()
            self.on_cut_off()

    def begin(self, missed: list[Broadcast], *, end: Position) -> None:
        """Take what was missed up to the end of the topic; only later broadcasts follow."""
        self.missed, self._floor = missed, end

    def _end(self) -> None:
        with self._arrival:
            self._is_over = True
            self._waiting.clear()
            self._arrival.notify()


class Reception:
    """All receivers of a process. Starts its thread with the first of them, so after any fork."""

    def __init__(self, broker: Redis, *, most: int) -> None:
        self._broker = broker
        self._most = most
        self._lock = threading.Lock()
        self._receivers: dict[str, set[Receiver]] = {}
        self._positions: dict[str, Position] = {}
        self._has_listeners = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_closing = False
        self._is_deaf = False
        self._marked_at = 0.0

    def tune_in(self, topic: str, *, since: Place | None = None) -> Receiver:
        """Listen to a topic from now on, or from a place on. Raises UnavailableError when full."""
        receiver = Receiver(lambda it: self._remove(topic, it), lambda: self._is_closing)
        self._add(topic, receiver)
        try:
            self._begin(topic, receiver, since)
        except RedisError as error:
            if since:
                receiver.note_gap()
            self._lose(error)
        self._start()
        return receiver

    def close(self) -> None:
        """Let all receivers end, within a moment. Takes no lock: a signal may call it."""
        self._is_closing = True

    def _add(self, topic: str, receiver: Receiver) -> None:
        with self._lock:
            open_now = sum(map(len, self._receivers.values()))
            if open_now >= self._most or self._is_closing:
                raise UnavailableError(
                    f"This server holds as many live streams as it can, {self._most} in each web"
                    " process: try again later, or have WEB_THREADS raised."
                )
            self._receivers.setdefault(topic, set()).add(receiver)

    def _remove(self, topic: str, receiver: Receiver) -> None:
        with self._lock:
            others = self._receivers.get(topic, set())
            others.discard(receiver)
            if not others:
                self._receivers.pop(topic, None)
                self._positions.pop(topic, None)

    def _begin(self, topic: str, receiver: Receiver, since: Place | None) -> None:
        self._mark([topic])
        end = self._find_end(topic)
        with self._lock:
            if topic in self._receivers:
                self._positions.setdefault(topic, end)
        missed = self._read_since(topic, since) if since else []
        if since and (not missed or missed[0].position != since.position):
            receiver.note_gap()
        end = max([end, *(it.position for it in missed)])
        receiver.begin([it for it in map(_unheard(since), missed) if it.messages], end=end)

    def _start(self) -> None:
        with self._lock:
            self._has_listeners.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="reception", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._is_closing:
            try:
                self._hear()
            except Exception as error:  # noqa: BLE001 - nobody would start the thread again
                self._lose(error)
                time.sleep(PAUSE_WHILE_BROKEN_SECONDS)

    def _hear(self) -> None:
        with self._lock:
            topics = list(self._receivers)
            if not topics:
                self._has_listeners.clear()
        if not topics:
            self._has_listeners.wait(LOOK_UP_SECONDS)
            return
        if time.monotonic() - self._marked_at >= MARK_SECONDS:
            self._mark(topics)
            self._marked_at = time.monotonic()
        self._read(topics)
        self._find_again()

    def _read(self, topics: list[str]) -> None:
        keys = {key_of(topic): topic for topic in topics}
        after: Any = {key: str(self._position(topic)) for key, topic in keys.items()}
        found: Any = self._broker.xread(after, count=READ_AT_ONCE, block=WAIT_MILLISECONDS)
        pairs = found.items() if isinstance(found, dict) else found or ()
        for key, entries in pairs:
            self._deliver(keys[key.decode()], read_entries(entries))

    def _position(self, topic: str) -> Position:
        with self._lock:
            known = self._positions.get(topic)
        if known is not None:
            return known
        end = self._find_end(topic)  # the broker was away when somebody tuned in
        with self._lock:
            return self._positions.setdefault(topic, end)

    def _deliver(self, topic: str, broadcasts: list[Broadcast]) -> None:
        with self._lock:
            receivers = list(self._receivers.get(topic, ()))
            if receivers:
                self._positions[topic] = broadcasts[-1].position
        for receiver in receivers:
            receiver.hand_over(broadcasts)

    def _mark(self, topics: list[str]) -> None:
        """Tell senders that somebody listens."""
        now = time.time()
        with self._broker.pipeline(transaction=False) as pipe:
            pipe.zremrangebyscore(LISTENED, "-inf", now)
            pipe.zadd(LISTENED, dict.fromkeys(topics, now + LISTENED_SECONDS))
            pipe.execute()

    def _find_end(self, topic: str) -> Position:
        last: Any = self._broker.xrevrange(key_of(topic), count=1)
        return Position.read(last[0][0]) if last else BEGINNING

    def _read_since(self, topic: str, since: Place) -> list[Broadcast]:
        entries: Any = self._broker.xrange(
            key_of(topic), min=str(since.position), count=2 * KEPT_BROADCASTS
        )
        return read_entries(entries)

    def _lose(self, error: Exception) -> None:
        if not self._is_deaf:
            self._is_deaf = True
            _log.warning("live streams are silent, the broker cannot be heard: %s", error)

    def _find_again(self) -> None:
        if not self._is_deaf:
            return
        self._is_deaf = False
        self._marked_at = 0.0  # what it knew may be gone
        _log.info("live streams hear the broker again")
        with self._lock:
            receivers = [it for some in self._receivers.values() for it in some]
        for receiver in receivers:
            receiver.note_gap()  # who had news meanwhile had nobody to tell


def _unheard(since: Place | None) -> Callable[[Broadcast], Broadcast]:
    """Return what takes out of a broadcast the messages that were heard."""

    def cut(broadcast: Broadcast) -> Broadcast:
        if since is None or broadcast.position != since.position:
            return broadcast
        return broadcast._replace(messages=broadcast.messages[since.heard :])

    return cut
