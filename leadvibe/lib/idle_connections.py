"""Connections that waited in the pool for a while are asked whether they live before they are lent.

A database that restarts ends what is idle, and whoever was lent such a connection would fail for
no reason of their own. Asking each time would cost every request a round trip; a busy process uses
its connections again within moments, and so pays nothing. Does not help when a connection ends
while it is used: nobody knows what the server had done by then.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

IDLE_SECONDS = 0.5
"""Shorter than a restart, and seldom enough that a round trip does not matter."""

_SINCE = "leadvibe.idle_since"


def pool_events(
    clock: Callable[[], float] = time.monotonic,
) -> list[tuple[Callable[..., None], str]]:
    """Return what SQLAlchemy's engine takes under this name."""

    def note(_connection: object, entry: ConnectionPoolEntry) -> None:
        entry.info[_SINCE] = clock()

    def ask(
        connection: psycopg.Connection[Any],
        entry: ConnectionPoolEntry,
        _lent: PoolProxiedConnection,
    ) -> None:
        since = entry.info.pop(_SINCE, None)  # a new connection has none
        if since is not None and clock() - since >= IDLE_SECONDS:
            _require_life(connection)

    return [(note, "checkin"), (ask, "checkout")]


def _require_life(connection: psycopg.Connection[Any]) -> None:
    try:
        connection.autocommit = True  # a transaction would cost two more round trips
        connection.execute("SELECT 1")
        connection.autocommit = False
    except psycopg.Error as error:
        # What ended this one has most likely ended the others: the pool makes all of them anew.
        raise InvalidatePoolError(str(error)) from error
