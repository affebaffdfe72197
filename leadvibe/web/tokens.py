"""A member's own access: personal tokens for programs, and the end of other sessions."""

from __future__ import annotations

from datetime import timedelta
from http.client import UNPROCESSABLE_ENTITY
from uuid import UUID

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require_member
from leadvibe.identity import personal_tokens, signing_in
from leadvibe.identity.types import NewPersonalToken, PersonalToken, Principal
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError
from leadvibe.web import session
from leadvibe.web.pages.display import Choice, Moment, Tone
from leadvibe.web.pages.settings import TokenRow, TokensPage
from leadvibe.web.redirects import TOKENS
from leadvibe.web.rendering import render

SEE_OTHER = 303
LIFETIMES = {"30": "30 days", "90": "90 days", "365": "a year", "": "no end"}
USUAL = "90"

pages = Blueprint("tokens", __name__)


@pages.get("/account/tokens")
def show_tokens() -> AnyResponse:
    return _answer(require_member())


@pages.post("/account/tokens")
def create_token() -> AnyResponse:
    """Answer with the page itself: the token is in no other place that a redirect could show."""
    principal, name = require_member(), request.form.get("name", "")
    days = request.form.get("days", USUAL)
    now = utc_now()
    expires_at = now + timedelta(days=int(days)) if days in LIFETIMES and days else None
    try:
        new = personal_tokens.create_token(principal, name=name, expires_at=expires_at, now=now)
    except InvalidError as error:
        return _answer(principal, problem=error.message, name=name)
    response = _answer(principal, new=new)
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.post("/account/tokens/<uuid:token_id>/delete")
def revoke_token(token_id: UUID) -> AnyResponse:
    personal_tokens.delete_token(require_member(), token_id)
    flash("The token is revoked: programs that use it are refused from now on.", Tone.OK)
    return redirect(TOKENS, SEE_OTHER)


@pages.post("/account/sessions")
def end_sessions() -> AnyResponse:
    """Sign the member out everywhere, and in again here."""
    principal = require_member()
    assert principal.member_id is not None
    session.sign_in(signing_in.end_sessions(principal.member_id))
    flash("Your other sessions are signed out.", Tone.OK)
    return redirect(TOKENS, SEE_OTHER)


def _answer(
    principal: Principal,
    *,
    new: NewPersonalToken | None = None,
    problem: str = "",
    name: str = "",
) -> AnyResponse:
    page = TokensPage(
        tokens=tuple(_row(it) for it in personal_tokens.list_tokens(principal)),
        lifetimes=tuple(Choice(label, days, days == USUAL) for days, label in LIFETIMES.items()),
        created_name=new.stored.name if new else "",
        created_token=new.token if new else "",
        problem=problem,
        name=name,
        action_url=TOKENS,
        sessions_url="/app/account/sessions",
        email=principal.label,
    )
    status = UNPROCESSABLE_ENTITY if problem else 200
    return render("settings/tokens.html", page=page, section=TOKENS, status=status)


def _row(token: PersonalToken) -> TokenRow:
    return TokenRow(
        name=token.name,
        created_at=Moment.of(token.created_at),
        expires_at=Moment.of(token.expires_at) if token.expires_at else None,
        is_expired=token.expires_at is not None and token.expires_at <= utc_now(),
        last_used_at=Moment.of(token.last_used_at) if token.last_used_at else None,
        revoke_url=f"{TOKENS}/{token.token_id}/delete",
        dialog_id=f"revoke-{token.token_id}",
    )
