"""A radio between processes: whoever has news sends them, and who listens at the time hears them.

Each topic is a stream in the broker that keeps the latest broadcasts for a short while, so that a
listener who was cut off can catch up. Senders learn which topics are listened to and need not make
news that nobody hears. What is lost with the broker stays lost: news are hints, never the only
copy of anything. The receiving side is lib.reception.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from pydantic_core import from_json, to_json
from redis import Redis

PREFIX = "leadvibe:radio:"
LISTENED = f"{PREFIX}listened"
"""A sorted set of topics by when the mark that they are listened to expires."""

FIELD = b"messages"
"""Of an entry in a topic's stream."""

LISTENED_SECONDS = 60.0
"""How long a mark lasts: beyond the last listener, so that one who was cut off misses nothing."""

KEPT_BROADCASTS = 500
KEPT_SECONDS = 120
"""What listeners can catch up on; a topic that nobody listens to is forgotten."""

LOOK_SECONDS = 0.5
"""Between two looks at who listens: a listener may miss what happens just after it tuned in."""

MOST_WAITING = 100
"""Broadcasts that wait for a slow broker; beyond, the oldest are lost."""

PAUSE_WHILE_BROKEN_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Message(NamedTuple):
    """A piece of news; `body` is one line of JSON."""

    kind: str
    body: str


class Position(NamedTuple):
    """A broadcast's place in its topic: milliseconds of the broker's clock, and a number."""

    milliseconds: int
    number: int

    def __str__(self) -> str:
        return f"{self.milliseconds}-{self.number}"

    @classmethod
    def read(cls, text: str | bytes) -> Position:
        """Return the position that the broker writes so."""
        milliseconds, _, number = (text.decode() if isinstance(text, bytes) else text).partition(
            "-"
        )
        return cls(int(milliseconds), int(number))


BEGINNING = Position(0, 0)


class Broadcast(NamedTuple):
    """What was sent at once."""

    position: Position
    messages: tuple[Message, ...]


class Audience(Protocol):
    """Whoever may be listening."""

    def is_listening(self, topic: str) -> bool: ...

    def tell(self, topic: str, messages: Sequence[Message]) -> None: ...


class Transmitter:
    """A process's way to its audience. Telling returns at once and never raises.

    A thread of its own talks to the broker, so that one that is slow or away holds up nobody.
    """

    def __init__(self, broker: Redis) -> None:
        self._broker = broker
        self._waiting: deque[tuple[str, Sequence[Message]]] = deque(maxlen=MOST_WAITING)
        self._is_due = threading.Event()
        self._listened: frozenset[str] = frozenset()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def is_listening(self, topic: str) -> bool:
        """Say whether anybody listened to the topic a moment ago; asks nobody."""
        if self._thread is None:
            self.start()
        return topic in self._listened

    def tell(self, topic: str, messages: Sequence[Message]) -> None:
        """Send messages as one broadcast, soon."""
        self._waiting.append((topic, messages))
        self._is_due.set()
        if self._thread is None:
            self.start()

    def start(self) -> None:
        """Begin to look who listens, which the first news would do otherwise, and be unheard.

        After any fork, which a thread does not survive.
        """
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="radio", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        is_broken = False
        while True:
            try:
                self._listened = self._look()
                self._send_until(time.monotonic() + LOOK_SECONDS)
                is_broken = False
            except Exception as error:  # noqa: BLE001 - nobody would start the thread again
                if not is_broken:
                    _log.warning("nobody can be told of news: %s", error)
                is_broken = True
                self._listened = frozenset()
                time.sleep(PAUSE_WHILE_BROKEN_SECONDS)

    def _look(self) -> frozenset[str]:
        topics: Any = self._broker.zrangebyscore(LISTENED, time.time(), "+inf")
        return frozenset(topic.decode() for topic in topics)

    def _send_until(self, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            self._is_due.wait(left)
            self._is_due.clear()  # before sending, so that what comes meanwhile is not left
            while self._waiting:
                self._send(*self._waiting.popleft())

    def _send(self, topic: str, messages: Sequence[Message]) -> None:
        key = key_of(topic)
        with self._broker.pipeline(transaction=False) as pipe:
            pipe.xadd(key, {FIELD: to_json(messages)}, maxlen=KEPT_BROADCASTS, approximate=True)
            pipe.expire(key, KEPT_SECONDS)
            pipe.execute()


def key_of(topic: str) -> str:
    """Return the name of a topic's stream in the broker."""
    return f"{PREFIX}topic:{topic}"


def read_entries(entries: Iterable[tuple[bytes, dict[bytes, bytes]]]) -> list[Broadcast]:
    """Return the broadcasts that entries of a stream hold."""
    return [
        Broadcast(
            Position.read(entry_id),
            tuple(Message(*message) for message in from_json(fields[FIELD])),
        )
        for entry_id, fields in entries
    ]
