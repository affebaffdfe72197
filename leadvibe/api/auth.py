"""Signing in for tokens, and who is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import after_this_request, request
from pydantic import BaseModel, Field
from werkzeug.wrappers import Response

from leadvibe.api.fields import Text
from leadvibe.http.auditing import name_actor
from leadvibe.http.principal import security
from leadvibe.http.sign_in import sign_in
from leadvibe.identity import queries, signing_in
from leadvibe.identity.types import Member, Principal, Tokens
from leadvibe.lib.clock import utc_now

LEGACY_COOKIES = ("token", "jwt", "auth_token", "access_token", "id_token", "refresh_token")
"""What earlier ways of signing in left in browsers; ours are none of them."""


class Login(BaseModel):
    """Who signs in."""

    email: Text = Field(description="The member's e-mail address.")
    password: Text = Field(description="The member's password.")


class Refresh(BaseModel):
    """A refresh token to spend: each works once."""

    refresh_token: Text = Field(description="As the last sign-in or refresh returned it.")


class Logout(BaseModel):
    """What to end."""

    refresh_token: Text | None = Field(
        None, description="The refresh token; access tokens end by themselves within minutes."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentUser:
    org_member_id: UUID
    first_name: str
    last_name: str
    email: str
    role: str
    verified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """An access token for the Authorization header, and a refresh token for the next one."""

    token: str
    refresh_token: str
    expires_in: int
    user: CurrentUser


def get_current_user(principal: Principal) -> CurrentUser:
    """Who is signed in."""
    return _user(queries.get_account(principal).member)


def log_in(body: Login) -> Session:
    """Sign in with e-mail address and password."""
    member = sign_in(body.email, body.password)
    return _session(signing_in.issue_tokens(member, security=security(), now=utc_now()))


def refresh(body: Refresh) -> Session:
    """Spend a refresh token for a new pair; one that comes twice ends all that came of it."""
    tokens = signing_in.rotate_refresh(body.refresh_token, security=security(), now=utc_now())
    name_actor(tokens.member.email)
    return _session(tokens)


def log_out(body: Logout) -> None:
    """End a refresh token and all that came of it."""
    if body.refresh_token is not None:
        signing_in.sign_out(body.refresh_token)


def clean_up_cookies() -> None:
    """Expire cookies that earlier ways of signing in left in the browser."""
    leftovers = [name for name in LEGACY_COOKIES if name in request.cookies]

    @after_this_request
    def expire(response: Response) -> Response:
        for name in leftovers:
            response.delete_cookie(name)
        return response


def _session(tokens: Tokens) -> Session:
    return Session(
        token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expires_in=tokens.expires_in_seconds,
        user=_user(tokens.member),
    )


def _user(member: Member) -> CurrentUser:
    return CurrentUser(
        org_member_id=member.org_member_id,
        first_name=member.first_name,
        last_name=member.last_name,
        email=member.email,
        role=member.role.value,
        verified=member.verified,
    )
