"""Who is asking, found once a request: by a token, by API credentials, or by browser session.

Surfaces of their own (http.surfaces) say by themselves who is asking.

Does not know how a browser session works: web registers that, so that the JSON surfaces need
neither cookies nor forms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast
from uuid import UUID

from flask import Flask, current_app, g, request

from leadvibe.http import surfaces
from leadvibe.identity import personal_tokens, queries, service, tokens
from leadvibe.identity.errors import TokenRefusedError
from leadvibe.identity.remembered import RememberedCredentials
from leadvibe.identity.security import Security
from leadvibe.identity.types import Principal, Via
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import UnauthenticatedError
from leadvibe.lib.ids import parse_id

ACTIVE_UNIT_COOKIE = "activeOu"
_SECURITY = "leadvibe.security"
_REMEMBERED = "leadvibe.remembered_credentials"
_BROWSER = "leadvibe.browser_session"


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """How a browser proves who it is, and that a write was meant."""

    find_principal: Callable[[], Principal | None]
    check_csrf: Callable[[], None]
    """Raises ForbiddenError when the request carries no valid token."""


def register(app: Flask, *, security: Security) -> None:
    """Hand over the keys that tokens are checked with."""
    app.extensions[_SECURITY] = security
    app.extensions[_REMEMBERED] = RememberedCredentials()


def register_browser_session(app: Flask, browser: BrowserSession) -> None:
    app.extensions[_BROWSER] = browser


def security() -> Security:
    """Return the keys and costs of this installation."""
    return cast("Security", current_app.extensions[_SECURITY])


def remembered_credentials(app: Flask) -> RememberedCredentials:
    """Return what the application need not ask the database for; nothing until it is resumed."""
    return cast("RememberedCredentials", app.extensions[_REMEMBERED])


def browser_session() -> BrowserSession | None:
    return current_app.extensions.get(_BROWSER)


def find() -> Principal | None:
    """Return who is asking, or None for nobody.

    Somebody who gives a wrong token or credential is refused rather than taken for nobody.
    """
    if "principal" not in g:
        g.principal = _resolve()
    return cast("Principal | None", g.principal)


def current() -> Principal:
    """Return who is asking. Raises UnauthenticatedError for nobody."""
    principal = find()
    if principal is None:
        raise UnauthenticatedError(
            "Sign in, or send an access token or a personal access token (Bearer), or API"
            " credentials (Basic)."
        )
    return principal


def known() -> Principal | None:
    """Return whom this request already turned out to be from, without looking."""
    return cast("Principal | None", g.get("principal"))


def remember(principal: Principal) -> None:
    """Take somebody for the rest of the request: who has just signed in, or changed unit."""
    g.principal = principal


def enter(unit_id: UUID) -> None:
    """Let who is asking work in another unit for the rest of the request.

    Raises UnauthenticatedError, UnitNotFoundError, and NotInUnitError for one they do not belong
    to.
    """
    principal = current()
    if principal.unit_id == unit_id:
        return
    unit = service.choose_unit(principal, unit_id)
    remember(replace(principal, unit_id=unit.unit_id, unit_role=unit.role))


def wanted_unit_id() -> UUID | None:
    """Return the unit that the cookie names; whether it may be entered is not checked here."""
    return parse_id(request.cookies.get(ACTIVE_UNIT_COOKIE, ""))


def _resolve() -> Principal | None:
    surface = surfaces.find(request.path)
    if surface is not None:
        return surface.find_principal()
    if "Authorization" in request.headers:
        return _authorized()
    browser = browser_session()
    return browser.find_principal() if browser else None


def _authorized() -> Principal:
    # The library would fail over Basic with anything else in it.
    is_readable = request.headers["Authorization"].isascii()
    given = request.authorization if is_readable else None
    if given is not None and given.type == "bearer" and given.token:
        return _bearer(given.token)
    if given is not None and given.type == "basic" and given.username and given.password:
        return queries.authenticate_credential(
            given.username,
            given.password,
            remembered=remembered_credentials(current_app),
        )
    raise UnauthenticatedError(
        "The Authorization header is neither Bearer with an access token or a personal access token"
        " nor Basic with client_id and client_secret."
    )


def _bearer(token: str) -> Principal:
    if personal_tokens.is_personal_token(token):
        return personal_tokens.authenticate_token(
            token, wanted_unit_id=wanted_unit_id(), now=utc_now()
        )
    access = tokens.read_access_token(token, security=security(), now=utc_now())
    principal = queries.find_member_principal(
        access.member_id,
        session_epoch=access.session_epoch,
        via=Via.BEARER,
        wanted_unit_id=wanted_unit_id(),
    )
    if principal is None:
        raise TokenRefusedError("The member signed out everywhere or is gone: sign in again.")
    return principal
