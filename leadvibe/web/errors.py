"""Errors as a person sees them: a page that says what to do, or the way to the sign-in."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

from flask import Response, make_response, redirect
from htmx_flask import request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http import principal as asking
from leadvibe.http import request_id
from leadvibe.http.csrf import SAFE_METHODS
from leadvibe.identity.errors import NoActiveUnitError
from leadvibe.lib.db import rollback
from leadvibe.lib.errors import (
    LeadvibeError,
    NotFoundError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
)
from leadvibe.scoring.errors import DraftNotFoundError
from leadvibe.web.elsewhere import address, find_elsewhere
from leadvibe.web.pages.display import Link, Tone
from leadvibe.web.pages.errors import ErrorPage, describe_error, draft_gone, unit_needed
from leadvibe.web.redirects import HOME, local_path, login_path
from leadvibe.web.rendering import VARY, render, render_bare, wanted_fragment

PATH = "/app"
_PAGES = (PATH, "/docs")
FIRST_FAULT_OF_OURS = 500
_LOADED_AGAIN = frozenset({400, 405, 409, 412, 413})
"""Where the way on leads over the page that somebody came from."""

_log = logging.getLogger(__name__)


def is_page(path: str) -> bool:
    """Say whether an address is one of a page's, so that its errors are for people."""
    return path in _PAGES or path.startswith(tuple(f"{page}/" for page in _PAGES))


def render_error(error: LeadvibeError | HTTPException) -> AnyResponse:
    """Turn an error into a page; somebody who is not signed in is led to the sign-in instead."""
    if isinstance(error, UnauthenticatedError):
        return _to_login()
    if isinstance(error, NotFoundError | NoActiveUnitError) and (found := _find_elsewhere()):
        return redirect(found)
    response = _error_page(error)
    if isinstance(error, ThrottledError):
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def _find_elsewhere() -> str | None:
    """Return the page that a member asked for in another unit of theirs, if it is there."""
    principal = asking.find() if _is_member() else None
    return find_elsewhere(principal) if principal else None


def _to_login() -> AnyResponse:
    """Lead to the sign-in and back; a form that was sent is not sent again, so back to its page."""
    here = address() if request.method in SAFE_METHODS else HOME
    if not request.htmx:
        return redirect(login_path(here))
    # htmx would follow a redirect and put the sign-in page into a fragment of this one.
    response = make_response("", UnauthenticatedError.status)
    response.headers["HX-Redirect"] = login_path(_shown_page())
    return response


def _shown_page() -> str:
    shown = str(request.htmx.current_url or "").removeprefix(request.host_url.rstrip("/"))
    return local_path(shown)


def _error_page(error: LeadvibeError | HTTPException) -> Response:
    status = error.status if isinstance(error, LeadvibeError) else error.code or FIRST_FAULT_OF_OURS
    page = _page(error, status)
    if wanted_fragment():
        return _as_toast(page, status)
    if status != UnavailableError.status:  # what is away may be what the frame needs
        try:
            if _is_member():
                return render("errors/page.html", page=page, status=status)
        except Exception:  # the frame may be what has failed: the error is told in any case
            if status < FIRST_FAULT_OF_OURS:
                raise
            _log.exception("the frame around an error cannot be shown")
    return render_bare("errors/page.html", page=page, status=status)


def _as_toast(page: ErrorPage, status: int) -> Response:
    """Say it beside the page that is there, for a page has no place inside another one."""
    response = make_response("", status)
    response.headers["HX-Reswap"] = "none"
    toast = {"text": page.said, "tone": Tone.BAD}
    response.headers["HX-Trigger"] = json.dumps({"toast": toast})
    response.vary.update(VARY)
    return response


def _is_member() -> bool:
    """Say whether a member asks, who then keeps the frame around the page and finds on from there.

    Ends what the failed request has begun: the frame needs a transaction that still works.
    """
    rollback()
    try:
        principal = asking.find()
    except UnauthenticatedError:
        return False
    return principal is not None and principal.is_member


def _page(error: LeadvibeError | HTTPException, status: int) -> ErrorPage:
    quote = request_id.current() or ""
    if isinstance(error, NoActiveUnitError):
        return unit_needed(request_id=quote)
    if isinstance(error, DraftNotFoundError):
        return draft_gone(request_id=quote)
    # Of the library's errors, the page has better words than the library.
    message = error.message if isinstance(error, LeadvibeError) else ""
    seconds = error.retry_after_seconds if isinstance(error, ThrottledError) else None
    page = describe_error(status, message, request_id=quote, retry_after_seconds=seconds)
    here = _where_from()
    if status in _LOADED_AGAIN and here:
        return replace(page, ways_out=(Link("Load the page again", here), *page.ways_out))
    return page


def _where_from() -> str:
    """Return the page of ours that the form was on, or nothing."""
    origin, referrer = request.host_url.rstrip("/"), request.referrer or ""
    is_ours = referrer.startswith(f"{origin}{PATH}/")
    return local_path(referrer.removeprefix(origin), otherwise="") if is_ours else ""
