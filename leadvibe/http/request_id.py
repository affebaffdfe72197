"""A name for each request, taken from the caller or made, in the answer and in every log line."""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar

from flask import Flask, Response, request

from leadvibe.lib.ids import new_id

HEADER = "X-Request-Id"
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,64}")
_current: ContextVar[str | None] = ContextVar("request_id", default=None)


def current() -> str | None:
    """Return the request's id, or None outside a request."""
    return _current.get()


def rename(name: str) -> None:
    """Go by another id for the rest of the request, in the log and in the answer."""
    _current.set(name)


class RequestIdFilter(logging.Filter):
    """Put `request_id` on every log record, "-" outside a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = _current.get() or "-"
        return True


def register(app: Flask) -> None:
    app.before_request(_take)
    app.after_request(_give_back)
    app.teardown_request(_forget)


def _take() -> None:
    given = request.headers.get(HEADER, "")
    _current.set(given if _ACCEPTED.fullmatch(given) else new_id().hex)


def _give_back(response: Response) -> Response:
    name = _current.get()
    if name:
        response.headers[HEADER] = name
    return response


def _forget(_error: BaseException | None) -> None:
    # Threads serve many requests; a line logged between two belongs to neither.
    _current.set(None)
