"""Every request counted and timed, from the first look at it until its answer is ready to be sent.

Registered before what ends the transaction, and so done after it: the commit is in the time. What
is streamed afterwards is not.
"""

from __future__ import annotations

import re
from functools import cache
from time import perf_counter

from flask import Flask, Response, g, request

from leadvibe.metrics import service

UNKNOWN_ROUTE = "none"
"""Of addresses that are not ours: nobody can make a new series by asking for one."""

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def register(app: Flask) -> None:
    """Measure from now on."""
    app.before_request(_start)
    app.after_request(_measure)


def _start() -> None:
    g.measured_from = perf_counter()


def _measure(response: Response) -> Response:
    rule = request.url_rule
    service.note_request(
        method=request.method,
        status=response.status_code,
        route=_template(rule.rule) if rule else UNKNOWN_ROUTE,
        seconds=perf_counter() - g.get("measured_from", perf_counter()),
    )
    return response


@cache
def _template(rule: str) -> str:
    """Return a route as the API document writes it."""
    return _PARAMETER.sub(r"{\1}", rule)
