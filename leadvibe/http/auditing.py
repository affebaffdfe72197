"""One audit row after each request that writes, and so after each sign-in, failed ones too.

Not for the intake of events: they are the product's own record, thousands a second, and each
row would cost as much as the event itself.
"""

from __future__ import annotations

import logging
from time import perf_counter
from typing import cast
from uuid import UUID

from flask import Flask, Response, g, request

from leadvibe.audit import service
from leadvibe.audit.types import Entry
from leadvibe.http import principal as asking
from leadvibe.http import rate_limits, request_id
from leadvibe.http.csrf import SAFE_METHODS
from leadvibe.identity.queries import find_member_by_email
from leadvibe.lib import db
from leadvibe.lib.clock import utc_now

INTAKE_PATHS = frozenset({"/ingest", "/ingest/batch"})
LONGEST_ACTOR = 254
LONGEST_PATH = 500
LONGEST_NAME = 100
SECRET_ARGUMENT = "token"  # noqa: S105 - the name of the part of a path that is one

_log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Audit from now on. Register before the transaction, so that it has ended by then."""
    app.before_request(_start)
    app.after_request(_record)


def name_actor(email: str) -> None:
    """Say which address a request is about that nobody is signed in for, such as a sign-in."""
    g.audit_email = email


def only_tried() -> None:
    """Say that the request asked what would happen, and changed nothing: it leaves no row."""
    g.is_trial = True


def _start() -> None:
    g.started = perf_counter()


def _record(response: Response) -> Response:
    if _is_audited():
        try:
            service.record(_entry(response.status_code))
            db.commit()
        except Exception:  # noqa: BLE001 - the edge; not raised again, for the reason below
            # What was asked for is already done and stored; refusing it now would be a lie.
            _log.exception("audit of %s %s failed", request.method, _path())
            db.rollback()
    return response


def _is_audited() -> bool:
    """Say whether the request asks to change something that there is."""
    if request.method in SAFE_METHODS or request.path in INTAKE_PATHS:
        return False
    if g.get("is_trial"):
        return False
    if rate_limits.is_refused():
        return False  # or a flood of requests would still write as many rows
    # Scanners try many addresses that are not ours, and need not fill the record.
    return request.routing_exception is None


def _entry(status: int) -> Entry:
    principal = asking.known()
    return Entry(
        created_at=utc_now(),
        actor=_printable(principal.label if principal else _named_email(), LONGEST_ACTOR),
        method=request.method,
        path=_path(),
        status=status,
        latency_ms=round((perf_counter() - g.started) * 1000),
        org_id=principal.org_id if principal else _org_of_named(),
        unit_id=principal.unit_id if principal else None,
        ip=request.remote_addr,
        request_id=request_id.current(),
        via=principal.via if principal else None,
        token_name=_printable(principal.token_name, LONGEST_NAME) or None if principal else None,
    )


def _named_email() -> str:
    return cast("str", g.get("audit_email", ""))


def _org_of_named() -> UUID | None:
    """Find whose admins should see a failed sign-in; asked afterwards, it betrays nothing."""
    member = find_member_by_email(_named_email()) if _named_email() else None
    return member.org_id if member else None


def _path() -> str:
    """Return the path without its query string and without the secret of a one-time link."""
    path, secret = request.path, (request.view_args or {}).get(SECRET_ARGUMENT)
    return _printable(path.replace(secret, "…") if secret else path, LONGEST_PATH)


def _printable(text: str, longest: int) -> str:
    # PostgreSQL stores no NUL, and a log viewer should see no control characters.
    return "".join(filter(str.isprintable, text))[:longest]
