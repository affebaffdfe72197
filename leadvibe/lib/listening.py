"""An ear on the database: it hears what transactions notify of, the moment they commit.

Notices are not kept for who is away, so whoever listens is told when it can hear and when it
cannot. Does not say what a notice means.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import make_url

LOOK_UP_SECONDS = 0.2
"""Between two looks at whether it shall stop; a notice is heard at once."""

PAUSE_SECONDS = 1.0
"""Before connecting again."""

# A network that lost the connection without a word is found out within half a minute.
_CONNECTION = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}

_log = logging.getLogger(__name__)


class Listener:
    """A thread that listens on a channel for as long as the process lives, or until it is stopped.

    The callbacks are called in that thread, one at a time: `on_hearing` once every transaction
    that commits from now on will be heard, `on_notice` for each notice, `on_deaf` when the
    connection is lost. Start it after a fork: a thread does not survive one.
    """

    def __init__(
        self,
        database_url: str,
        channel: str,
        *,
        on_hearing: Callable[[], None],
        on_notice: Callable[[], None],
        on_deaf: Callable[[], None],
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._connection = _connection_arguments(database_url)
        self._channel = channel
        self._on_hearing = on_hearing
        self._on_notice = on_notice
        self._on_deaf = on_deaf
        self._pause_seconds = pause_seconds
        self._is_lost = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"hears {channel}", daemon=True)

    def start(self) -> None:
        """Begin to connect; returns at once and never raises for a database that is away."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, and return once the thread has ended."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except Exception as error:  # noqa: BLE001 - nobody would start the thread again
                self._lose(error)
                self._stopping.wait(self._pause_seconds)

    def _listen(self) -> None:
        with psycopg.connect(**self._connection, autocommit=True) as connection:
            connection.execute(SQL("LISTEN {}").format(Identifier(self._channel)))
            try:
                self._hear(connection)
            finally:
                self._on_deaf()

    def _hear(self, connection: psycopg.Connection) -> None:
        self._on_hearing()
        if self._is_lost:
            self._is_lost = False
            _log.info("the database can be heard again about %s", self._channel)
        while not self._stopping.is_set():
            for _notice in connection.notifies(timeout=LOOK_UP_SECONDS):
                self._on_notice()

    def _lose(self, error: Exception) -> None:
        if not self._is_lost:
            self._is_lost = True
            reason, _, _ = str(error).partition("\n")  # without the pages of background
            _log.warning("the database cannot be heard about %s: %s", self._channel, reason)


def _connection_arguments(database_url: str) -> dict[str, Any]:
    """Return what the driver is connected with; the address may set its own keepalives."""
    url = make_url(database_url)
    _, given = url.get_dialect()().create_connect_args(url)
    return {**_CONNECTION, **given, "application_name": "leadvibe listener"}
