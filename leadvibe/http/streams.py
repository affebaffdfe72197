"""Live streams: server-sent events for as long as somebody listens and may.

A stream holds a thread, so only so many of a process's threads may serve streams, and none of them
the database: it is asked anew from time to time whether its listener would still be let in.
"""

from __future__ import annotations

import logging
import re
import socket
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, cast

from flask import Flask, Response, current_app, request
from redis import Redis

from leadvibe.identity.types import Scope
from leadvibe.lib.db import OUTAGES, is_outage
from leadvibe.lib.radio import Broadcast, Message, Position
from leadvibe.lib.reception import Place, Receiver, Reception
from leadvibe.metrics import live, service

PING_SECONDS = 15.0
LOOK_AGAIN_SECONDS = 30.0
"""The longest that somebody goes on listening who has lost the right to."""

RETRY_MILLISECONDS = 3_000
MEDIA_TYPE = "text/event-stream"

_RECEPTION = "leadvibe.reception"
_OF_THREADS = 3, 4
"""The part of a process's threads that streams may hold; the others serve requests."""

_ID = re.compile(r"(\d{1,15}-\d{1,15})\.(\d{1,9})")

_log = logging.getLogger(__name__)


def register(app: Flask, *, threads: int) -> None:
    """Let the application serve streams."""
    part, whole = _OF_THREADS
    broker = cast("Redis", app.extensions["leadvibe.redis"])
    app.extensions[_RECEPTION] = Reception(broker, most=threads * part // whole)


def close(app: Flask) -> None:
    """End all streams of the process within a moment. A signal may call it."""
    cast("Reception", app.extensions[_RECEPTION]).close()


def stream(scope: Scope, *, may_listen: Callable[[], bool]) -> Response:
    """Answer with a unit's live stream. Raises UnavailableError when the process has no room.

    `may_listen` is asked again and again, inside the application's context.
    """
    response = Response(mimetype=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-cache, no-transform"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would hold frames back
    if request.method == "HEAD":
        return response
    reception = cast("Reception", current_app.extensions[_RECEPTION])
    receiver = reception.tune_in(live.topic_of(scope), since=_last_place())
    receiver.on_cut_off = _hanging_up(request.environ.get("gunicorn.socket"))
    service.note_stream_opened()
    response.response = _pieces(receiver, _asking_again(may_listen))
    # Called once: at the close, or when an answer that was never sent is thrown away.
    response.call_on_close(weakref.finalize(response, _leave, receiver))
    return response


def _leave(receiver: Receiver) -> None:
    receiver.leave()
    service.note_stream_closed()


def _pieces(receiver: Receiver, may_listen: Callable[[], bool]) -> Iterator[bytes]:
    yield f"retry: {RETRY_MILLISECONDS}\n\n".encode()
    arrived = receiver.missed
    while may_listen() and not receiver.is_over:
        frames = b"".join(_frames(arrived))
        if receiver.take_gap():
            frames += _frame(live.GAP)
        yield frames or b": ping\n\n"
        arrived = receiver.wait(timeout_seconds=PING_SECONDS)


def _frames(broadcasts: Iterable[Broadcast]) -> Iterator[bytes]:
    for position, messages in broadcasts:
        for number, message in enumerate(messages, start=1):
            yield _frame(message, f"id: {position}.{number}\n")


def _frame(message: Message, name: str = "") -> bytes:
    return f"{name}event: {message.kind}\ndata: {message.body}\n\n".encode()


def _last_place() -> Place | None:
    """Return where the client says that it was cut off."""
    found = _ID.fullmatch(request.headers.get("Last-Event-ID", ""))
    return Place(Position.read(found[1]), int(found[2])) if found else None


def _asking_again(may_listen: Callable[[], bool]) -> Callable[[], bool]:
    """Ask once in a while; a database that is away takes no right from anybody."""
    app = cast("Any", current_app)._get_current_object()  # noqa: SLF001 - the way behind the proxy
    due_at = time.monotonic() + LOOK_AGAIN_SECONDS

    def ask() -> bool:
        nonlocal due_at
        if time.monotonic() < due_at:
            return True
        due_at = time.monotonic() + LOOK_AGAIN_SECONDS
        with app.app_context():
            try:
                return may_listen()
            except OUTAGES as error:
                if not is_outage(error):
                    raise
                _log.debug("whether a stream may go on is not known: %s", error)
                return True

    return ask


def _hanging_up(connection: socket.socket | None) -> Callable[[], None]:
    """Return what ends a connection whose client does not read, where sending would wait."""

    def hang_up() -> None:
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    return hang_up
