"""Ending personal notifications from a link in a mail, without signing in.

A look at the page changes nothing, for mail scanners follow every link. The POST is what people's
button sends and what mail programs send by themselves (RFC 8058); the signed link vouches for it.
"""

from __future__ import annotations

from flask import Blueprint, current_app, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http import principal as asking
from leadvibe.identity.queries import get_unit
from leadvibe.identity.types import Scope
from leadvibe.lib.clock import utc_now
from leadvibe.notifications.types import Happening
from leadvibe.notifications.unsubscribing import (
    KEY_PURPOSE,
    Unsubscription,
    find_unit_scope,
    read_token,
    unsubscribe,
)
from leadvibe.web.pages.unsubscribe import UnsubscribePage
from leadvibe.web.rendering import render_bare

GONE = 410

WORDS = {
    Happening.MILESTONE_REACHED: "milestones reached by",
    Happening.MILESTONE_EXITED: "milestones left by",
    Happening.SEQUENCE_COMPLETED: "sequences completed by",
    Happening.PATTERN_MATCHED: "patterns matched by",
    Happening.SURGE_DETECTED: "surges in the activity of",
}

pages = Blueprint("unsubscribe", __name__)


@pages.get("/unsubscribe/<token>")
def ask(token: str) -> AnyResponse:
    asked, scope = _read(token)
    if asked is None or scope is None:
        return _answer(UnsubscribePage(), status=GONE)
    return _answer(_page(asked, scope, is_done=False))


@pages.post("/unsubscribe/<token>")
def confirm(token: str) -> AnyResponse:
    asked, scope = _read(token)
    if asked is None or scope is None:
        return _answer(UnsubscribePage(), status=GONE)
    unsubscribe(scope, asked, now=utc_now())
    return _answer(_page(asked, scope, is_done=True))


def _read(token: str) -> tuple[Unsubscription | None, Scope | None]:
    asked = read_token(asking.security().key(KEY_PURPOSE), token)
    return asked, find_unit_scope(asked) if asked else None


def _page(asked: Unsubscription, scope: Scope, *, is_done: bool) -> UnsubscribePage:
    return UnsubscribePage(
        unit_name=get_unit(scope).name,
        about=WORDS[asked.happening] if asked.happening else "",
        action_url=request.path,
        app_url=f"{current_app.config['PUBLIC_URL']}/app",
        is_done=is_done,
    )


def _answer(page: UnsubscribePage, *, status: int = 200) -> AnyResponse:
    return render_bare("unsubscribe/page.html", page=page, status=status)
