"""One account: what it is worth and why, its people, what they did, and what is known about it."""

from __future__ import annotations

from dataclasses import replace
from http.client import UNPROCESSABLE_ENTITY
from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.events.queries import TimelinePosition
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import Principal, Scope
from leadvibe.leads.accounts import Account, get_account
from leadvibe.leads.addresses import read_lead_id
from leadvibe.leads.errors import AccountNotFoundError
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import LeadvibeError
from leadvibe.pipeline import editing
from leadvibe.scoring import queries as scoring
from leadvibe.web.account_parts import (
    batch_id,
    build_plain,
    with_events,
    with_head,
    with_people,
    with_segments,
)
from leadvibe.web.account_paths import ACCOUNTS, account_path
from leadvibe.web.account_properties import Edits, read_edits, show_properties
from leadvibe.web.event_positions import read_position
from leadvibe.web.lead_query import LAST_PAGE
from leadvibe.web.pages.accounts import AccountPage
from leadvibe.web.pages.display import Alert, Tone, counted
from leadvibe.web.rendering import render, wanted_fragment

PEOPLE, SEGMENTS = "account-people", "account-segments"
SAVED = "What is known about the account is saved."

pages = Blueprint("account", __name__)


@pages.get("/accounts/<segment>")
def show_account(segment: str) -> AnyResponse:
    principal = require(Permission.READ)
    return _answer(principal, _find(principal.scope, segment))


@pages.post("/accounts/<segment>")
def change_account(segment: str) -> AnyResponse:
    """Save what is known about the account, or delete it: `do` says which."""
    principal = require(Permission.WRITE_DATA)
    account = _find(principal.scope, segment)
    if request.form.get("do") == "delete":
        return _delete(principal.scope, account)
    edits = read_edits(request.form, account.metadata)
    if edits.is_wrong:
        return _answer(principal, account, edits=edits)
    try:
        editing.patch_account(principal.scope, account.account_id, edits.changes, now=utc_now())
    except LeadvibeError as error:
        return _answer(principal, account, edits=edits, alert=Alert(error.message, Tone.BAD))
    flash(SAVED if edits.changes else "Nothing was changed.", Tone.OK)
    return redirect(account_path(account.account_id), 303)


def _find(scope: Scope, segment: str) -> Account:
    """Return the account that a path names. Raises AccountNotFoundError and AbmDisabledError."""
    scoring.require_abm(scope)
    account_id = read_lead_id(segment)
    if account_id is None:
        raise AccountNotFoundError("There is no such account in this unit.")
    return get_account(scope, account_id)


def _delete(scope: Scope, account: Account) -> AnyResponse:
    done = editing.delete_accounts(scope, [account.account_id], now=utc_now())
    flash(f"“{account.name}” is deleted; {counted(done.leads, 'lead')} left without one.", Tone.OK)
    return redirect(ACCOUNTS, 303)


def _answer(
    principal: Principal,
    account: Account,
    *,
    edits: Edits | None = None,
    alert: Alert | None = None,
) -> AnyResponse:
    before = read_position(request.args.get("before", ""))
    fragments = {
        PEOPLE: "accounts/_people.html",
        SEGMENTS: "accounts/_segments.html",
        batch_id(before): "accounts/_events.html",
    }
    page = _page(principal, account, before, edits, alert)
    status = UNPROCESSABLE_ENTITY if edits is not None else 200
    return render(
        "accounts/account.html", page=page, section=ACCOUNTS, fragments=fragments, status=status
    )


def _page(
    principal: Principal,
    account: Account,
    before: TimelinePosition | None,
    edits: Edits | None,
    alert: Alert | None,
) -> AccountPage:
    scope, wanted = principal.scope, wanted_fragment()
    plain = build_plain(scope, account)
    if wanted == PEOPLE:
        return with_people(plain, scope, account, number=_page_number())
    if wanted == SEGMENTS:
        return with_segments(plain, scope, account)
    if wanted == batch_id(before):
        return with_events(plain, scope, account, before=before)
    page = with_head(plain, principal, account, now=utc_now())
    page = with_people(page, scope, account, number=_page_number())
    page = with_events(page, scope, account, before=before)
    if request.args.get("show") == "segments":
        page = with_segments(page, scope, account)
    return replace(
        page,
        properties=show_properties(account.metadata, edits),
        alert=alert or (edits.alert if edits else None),
        list_url=_list_url(),
    )


def _page_number() -> int:
    text = request.args.get("page", "1")
    number = int(text) if text.isdecimal() and len(text) <= len(str(LAST_PAGE)) else 1
    return min(max(number, 1), LAST_PAGE)


def _list_url() -> str:
    """Return the list as the member left it, when they came from there."""
    came_from = urlsplit(request.referrer or "")
    if came_from.netloc != request.host or came_from.path != ACCOUNTS or not came_from.query:
        return ACCOUNTS
    return f"{ACCOUNTS}?{came_from.query}"
