"""A doorbell between processes: it says that there is something to do, and never what.

Rings may be lost with the broker, so whoever waits also looks for itself from time to time.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Protocol

from redis import Redis, RedisError
from redis.client import PubSub

PREFIX = "leadvibe:bell:"
PIPELINE = "pipeline"
PAUSE_SECONDS = 0.02
"""Between two rings: a thousand requests a second still ring fifty times."""

PAUSE_WHILE_BROKEN_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Ringer(Protocol):
    """Whatever can be rung."""

    def ring(self) -> None: ...


class Bell:
    """One process's hand on the bell. Ringing returns at once and never raises."""

    def __init__(self, broker: Redis, name: str = PIPELINE) -> None:
        self._broker = broker
        self._channel = f"{PREFIX}{name}"
        self._is_due = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def ring(self) -> None:
        """Wake who listens. Rings within a moment of one another are heard as one."""
        self._is_due.set()
        if self._thread is None:
            self._start()

    def listen(self) -> Listener:
        """Return a listener that hears every ring from its first wait on."""
        return Listener(self._broker, self._channel)

    def _start(self) -> None:
        # Only once somebody rings: a thread does not survive the fork of a web server.
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="bell", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        is_broken = False
        while True:
            self._is_due.wait()
            self._is_due.clear()  # before ringing, so that a ring meanwhile is not lost
            try:
                self._broker.publish(self._channel, b"")
                is_broken = False
            except Exception as error:  # noqa: BLE001 - nobody would start the thread again
                if not is_broken:
                    _log.warning("the bell cannot be rung: %s", error)
                is_broken = True
            time.sleep(PAUSE_WHILE_BROKEN_SECONDS if is_broken else PAUSE_SECONDS)


class Listener:
    """Waits for rings; while the broker is away it only waits."""

    def __init__(self, broker: Redis, channel: str) -> None:
        self._broker = broker
        self._channel = channel
        self._subscription: PubSub | None = None
        self._is_deaf = False

    def wait(self, *, timeout_seconds: float) -> bool:
        """Return True as soon as it has rung since the last wait, False after the time."""
        until = time.monotonic() + timeout_seconds
        try:
            has_rung = self._hear(until)
        except RedisError as error:
            self._lose(error)
            time.sleep(max(0.0, until - time.monotonic()))
            return False
        if self._is_deaf:
            self._is_deaf = False
            _log.info("the bell can be heard again")
        return has_rung

    def close(self) -> None:
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None

    def _hear(self, until: float) -> bool:
        subscription = self._subscription or self._subscribe()
        has_rung = False
        while (left := until - time.monotonic()) > 0 or has_rung:
            message = subscription.get_message(timeout=0.0 if has_rung else max(0.0, left))
            if message is None and has_rung:
                break
            has_rung = has_rung or (message is not None and message["type"] == "message")
        return has_rung

    def _subscribe(self) -> PubSub:
        subscription: PubSub = self._broker.pubsub()  # type: ignore[no-untyped-call]
        subscription.subscribe(self._channel)
        self._subscription = subscription
        return subscription

    def _lose(self, error: RedisError) -> None:
        if not self._is_deaf:
            self._is_deaf = True
            _log.warning("the bell cannot be heard, looking once a moment instead: %s", error)
        self.close()
