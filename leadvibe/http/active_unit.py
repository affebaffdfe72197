"""The organisation unit that a browser or client works in: a cookie, echoed in headers."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

from flask import Response, current_app

from leadvibe.http import principal as asking
from leadvibe.http.principal import ACTIVE_UNIT_COOKIE
from leadvibe.identity.queries import get_default_unit
from leadvibe.identity.types import Unit

COOKIE_SECONDS = 365 * 24 * 3600


def remember_unit(response: Response, unit: Unit) -> Response:
    """Set the cookie, and say in headers which unit it is (the name percent-encoded)."""
    response.set_cookie(
        ACTIVE_UNIT_COOKIE,
        str(unit.unit_id),
        max_age=COOKIE_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )
    response.headers["X-OU-Id"] = str(unit.unit_id)
    response.headers["X-OU-Name"] = quote(unit.name)
    if unit.role is not None:
        response.headers["X-OU-Role"] = unit.role.value
    return response


def leave_unit(unit_id: UUID) -> None:
    """Go on in the default unit when the caller's own was put away, where they read the audit."""
    principal = asking.current()
    if principal.unit_id == unit_id:
        asking.enter(get_default_unit(principal.org_id).unit_id)


def forget_unit(response: Response) -> Response:
    response.delete_cookie(ACTIVE_UNIT_COOKIE)
    return response
