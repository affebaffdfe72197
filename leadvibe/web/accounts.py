"""Accounts, and leads that belong to none: searched, filtered, exported, deleted and assigned."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http.client import UNPROCESSABLE_ENTITY

from flask import Blueprint, Response, flash, redirect, stream_with_context
from htmx_flask import request
from pydantic import TypeAdapter, ValidationError
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.levels import LevelCut
from leadvibe.engine.rules import LevelKind
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal, Scope
from leadvibe.leadlist.accounts import AccountFilter, AccountSort, search_accounts, stream_accounts
from leadvibe.leadlist.export import write_accounts
from leadvibe.leads.accounts import find_account
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import rollback
from leadvibe.lib.errors import ConflictError, InvalidError, NotFoundError
from leadvibe.lib.paging import PageRequest
from leadvibe.pipeline import editing
from leadvibe.pipeline.intake import ShortText
from leadvibe.scoring import queries as scoring
from leadvibe.scoring.settings import update_settings
from leadvibe.web.account_paths import ACCOUNTS
from leadvibe.web.account_query import UNRESOLVED, AccountQuery, read_account_query
from leadvibe.web.account_rows import build_list, build_unresolved
from leadvibe.web.account_segments import add_to_segment
from leadvibe.web.pages.accounts import AccountOption, AccountsOff
from leadvibe.web.pages.display import Tone, counted, query_url
from leadvibe.web.rendering import render, wanted_fragment

LIST, OPTIONS = "account-list", "account-options"
FRAGMENTS = {LIST: "accounts/_list.html", OPTIONS: "accounts/_options.html"}
MOST_AT_ONCE = 200
OFFERED = 10
_ACCOUNT_ID: TypeAdapter[str] = TypeAdapter(ShortText)

pages = Blueprint("accounts", __name__)


@pages.get("/accounts")
def show_accounts() -> AnyResponse:
    principal, now = require(Permission.READ), utc_now()
    if not scoring.get_settings(principal.scope).abm_enabled:
        return _show_off(principal)
    if wanted_fragment() == OPTIONS:
        return _show_options(principal.scope)
    wanted = _read_query(principal.scope, now=now)
    if request.args.get("format") == "csv" and not wanted.error:
        return _export(principal.scope, wanted.account_filter, wanted.sort)
    return _answer(principal, wanted, now=now)


@pages.post("/accounts")
def change_accounts() -> AnyResponse:
    """Do something to what was chosen: `do` says what."""
    action = request.form.get("do", "")
    if action == "enable":
        return _enable()
    if action == "export":
        return _export_chosen(require(Permission.READ).scope)
    principal = require(Permission.WRITE_DATA)
    scoring.require_abm(principal.scope)
    if action == "delete":
        return _attempt(lambda: _delete(principal.scope))
    if action == "assign":
        return _attempt(lambda: _assign(principal.scope))
    if action == "segment":
        return _add_to_segment(principal)
    raise InvalidError("Nothing to do was sent: reload the page and try again.")


def _show_off(principal: Principal) -> AnyResponse:
    page = AccountsOff(enable_url=ACCOUNTS if can(principal, Permission.ADMINISTER) else "")
    return render("accounts/off.html", page=page, section=ACCOUNTS)


def _enable() -> AnyResponse:
    principal = require(Permission.ADMINISTER)
    update_settings(principal, principal.scope, {"abm_enabled": True}, now=utc_now())
    flash("Accounts are switched on. Leads are being sorted into them.", Tone.OK)
    return redirect(ACCOUNTS, 303)


def _show_options(scope: Scope) -> AnyResponse:
    """Answer with accounts that contain what is being typed."""
    text = request.args.get("account", "").strip()
    found = search_accounts(
        scope, AccountFilter(search=text), AccountSort(), PageRequest(1, OFFERED)
    )
    options = tuple(AccountOption(it.account_id, it.name) for it in found.items)
    return render("accounts/_options.html", page=options, fragments=FRAGMENTS)


def _read_query(scope: Scope, *, now: datetime) -> AccountQuery:
    return read_account_query(request.args, scoring.list_levels(scope, LevelKind.ACCOUNT), now=now)


def _answer(principal: Principal, wanted: AccountQuery, *, now: datetime) -> AnyResponse:
    build = build_unresolved if wanted.is_unresolved else build_list
    page, last = build(principal, wanted, now=now)
    if last is not None and wanted.request.page > last:
        return redirect(wanted.url(page=str(last)))
    status = UNPROCESSABLE_ENTITY if wanted.error else 200
    return render(
        "accounts/page.html", page=page, section=ACCOUNTS, fragments=FRAGMENTS, status=status
    )


def _export(scope: Scope, wanted: AccountFilter, sort: AccountSort) -> AnyResponse:
    cut = LevelCut(scoring.list_levels(scope, LevelKind.ACCOUNT))
    text = stream_with_context(write_accounts(stream_accounts(scope, wanted, sort), cut))
    return _as_file(Response(text, mimetype="text/csv"))


def _export_chosen(scope: Scope) -> AnyResponse:
    scoring.require_abm(scope)
    try:
        ids = _chosen_ids()
    except InvalidError as error:
        flash(error.message, Tone.BAD)
        return redirect(_back(), 303)
    cut = LevelCut(scoring.list_levels(scope, LevelKind.ACCOUNT))
    found = (account for it in ids if (account := find_account(scope, it)) is not None)
    return _as_file(Response("".join(write_accounts(found, cut)), mimetype="text/csv"))


def _as_file(response: Response) -> Response:
    response.headers.set("Content-Disposition", "attachment", filename="accounts.csv")
    return response


def _attempt(change: Callable[[], str]) -> AnyResponse:
    """Make a change and lead back, saying what was done or why nothing was."""
    try:
        flash(change(), Tone.OK)
    except InvalidError as error:
        flash(error.message, Tone.BAD)
    return redirect(_back(), 303)


def _add_to_segment(principal: Principal) -> AnyResponse:
    try:
        add_to_segment(principal, _chosen_ids())
    except (ConflictError, InvalidError, NotFoundError) as error:
        rollback()
        flash(error.message, Tone.BAD)
    return redirect(_back(), 303)


def _delete(scope: Scope) -> str:
    done = editing.delete_accounts(scope, _chosen_ids(), now=utc_now())
    accounts = f"{counted(done.accounts, 'account')} {'is' if done.accounts == 1 else 'are'}"
    return f"{accounts} deleted; {counted(done.leads, 'lead')} left without one."


def _assign(scope: Scope) -> str:
    lead_ids = _chosen_ids()
    try:
        account_id = _ACCOUNT_ID.validate_python(request.form.get("account", ""))
    except ValidationError:
        raise InvalidError("Say which account: choose one, or type a domain.") from None
    existing = find_account(scope, account_id)
    account_id = existing.account_id if existing else account_id
    now = utc_now()
    for lead_id in lead_ids:
        editing.move_lead(scope, lead_id, account_id, now=now)
    name = existing.name if existing else f"{account_id}, a new account"
    verb = "belongs" if len(lead_ids) == 1 else "belong"
    return f"{counted(len(lead_ids), 'lead')} now {verb} to {name}."


def _chosen_ids() -> list[str]:
    ids = [it for it in request.form.getlist("ids") if it and "\0" not in it]
    if not ids:
        raise InvalidError("Nothing was chosen: tick some lines first.")
    if len(ids) > MOST_AT_ONCE:
        raise InvalidError(f"Choose at most {MOST_AT_ONCE} lines at a time.")
    return ids


def _back() -> str:
    """Return the list as it was before the form was sent."""
    back = request.form.get("back", "")
    is_ours = back == ACCOUNTS or back.startswith(f"{ACCOUNTS}?")
    tab = {"tab": UNRESOLVED} if request.form.get("do") == "assign" else {}
    return back if is_ours and back.isprintable() else query_url(ACCOUNTS, tab)
