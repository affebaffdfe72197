"""The browser session: a signed cookie that names a member and the epoch they signed in under.

A password change raises the member's epoch and so ends every session signed in before it.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import Flask, Request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_login import LoginManager, UserMixin, current_user, login_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from itsdangerous import URLSafeTimedSerializer

from leadvibe.http import principal as asking
from leadvibe.identity import queries
from leadvibe.identity.types import Account, Member, Principal, Via
from leadvibe.lib.errors import ForbiddenError
from leadvibe.lib.ids import parse_id

_csrf = CSRFProtect()


class _SessionInterface(SecureCookieSessionInterface):
    """Flask's own, but its serialiser is made once an application rather than once a request."""

    def __init__(self) -> None:
        self._made: URLSafeTimedSerializer | None = None

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if "HTTP_COOKIE" not in request.environ:
            return self.session_class()  # events come without: they need not pay for parsing none
        return super().open_session(app, request)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        if self._made is None:
            self._made = super().get_signing_serializer(app)
        return self._made


class SignedIn(UserMixin):  # type: ignore[misc]
    """What Flask-Login keeps for the request: the member, and the name in the cookie."""

    def __init__(self, account: Account, principal: Principal, name: str) -> None:
        self.account = account
        self.principal = principal
        self.name = name

    def get_id(self) -> str:
        return self.name


def register(app: Flask, *, lifetime: timedelta) -> None:
    """Let browsers sign in to the application."""
    app.session_interface = _SessionInterface()
    app.config.update(
        PERMANENT_SESSION_LIFETIME=lifetime,
        # A cookie on every answer would keep shared caches from storing static files.
        SESSION_REFRESH_EACH_REQUEST=False,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a form may stay open over lunch
        WTF_CSRF_CHECK_DEFAULT=False,  # http.csrf decides when; pages add their own check
    )
    _csrf.init_app(app)
    manager = LoginManager()
    manager.session_protection = "basic"
    manager.user_loader(_load)
    # Not by init_app: it would look into the session after every request, and ask the database
    # for a member before every template, even the one that says the database is away.
    app.login_manager = manager  # type: ignore[attr-defined]
    asking.register_browser_session(app, asking.BrowserSession(_find_principal, check_csrf))


def sign_in(member: Member) -> None:
    """Start a fresh session for the member; nothing of an earlier one is left in it."""
    session.clear()
    session.permanent = True
    name = _name(member.org_member_id, member.session_epoch)
    signed_in = _load(name)
    assert signed_in is not None
    login_user(signed_in)
    asking.remember(signed_in.principal)


def sign_out() -> None:
    """Forget who is signed in, and everything else in the session."""
    session.clear()


def check_csrf() -> None:
    """Raise ForbiddenError unless the request carries the session's token."""
    try:
        _csrf.protect()
    except CSRFError as error:
        raise ForbiddenError(
            f"{error.description} Reload the page and try again; a script sends the token in the"
            " X-CSRFToken header."
        ) from None


def account_of(principal: Principal) -> Account:
    """Return the member's account, which is read already when the cookie is what vouches."""
    user = _find_signed_in() if principal.via is Via.SESSION else None
    is_theirs = user is not None and user.account.member.org_member_id == principal.member_id
    return user.account if user and is_theirs else queries.get_account(principal)


def _find_principal() -> Principal | None:
    user = _find_signed_in()
    return user.principal if user else None


def _find_signed_in() -> SignedIn | None:
    user = current_user._get_current_object()  # noqa: SLF001 - the way behind the proxy
    return user if isinstance(user, SignedIn) else None


def _name(member_id: UUID, session_epoch: int) -> str:
    return f"{member_id}.{session_epoch}"


def _load(name: str) -> SignedIn | None:
    member_text, _, epoch = name.partition(".")
    member_id = parse_id(member_text)
    if member_id is None or not epoch.isdecimal():
        return None
    account = queries.find_account(member_id, session_epoch=int(epoch))
    if account is None:
        return None
    wanted = asking.wanted_unit_id()
    principal = queries.principal_of(account, via=Via.SESSION, wanted_unit_id=wanted)
    return SignedIn(account, principal, name)
