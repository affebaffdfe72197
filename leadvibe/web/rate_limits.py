"""How many requests programs may make: the organisation's limit, and single credentials'."""

from __future__ import annotations

from http.client import UNPROCESSABLE_ENTITY
from uuid import UUID

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require_member
from leadvibe.http.rate_limits import limiter
from leadvibe.identity import limits, queries
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import LimitMode, Principal, RequestLimit
from leadvibe.lib.errors import InvalidError
from leadvibe.web.forms.rate_limits import MODES, SHARED_BY, LimitForm, RateForm
from leadvibe.web.pages.display import Fact, Tone, thousands
from leadvibe.web.pages.settings import RateLimitPage
from leadvibe.web.redirects import CREDENTIALS, SETTINGS
from leadvibe.web.rendering import render

RATE_LIMIT = f"{SETTINGS}/rate-limit"
SEE_OTHER = 303

pages = Blueprint("rate-limits", __name__)


@pages.get("/settings/rate-limit")
def show_limit() -> AnyResponse:
    principal = require_member(Permission.READ)
    limit = _limit_of(principal)
    form = LimitForm(
        data={
            "mode": limit.mode.value,
            "key_by": limit.key_by.value,
            "rps": limit.rate.per_second,
            "burst": limit.rate.burst,
        }
    )
    return _answer(principal, form)


@pages.post("/settings/rate-limit")
def set_limit() -> AnyResponse:
    principal, form = require_member(Permission.ADMINISTER), LimitForm(request.form)
    if not form.validate():
        return _answer(principal, form, status=UNPROCESSABLE_ENTITY)
    try:
        limits.set_limit(principal.org_id, form.limit)
    except InvalidError as error:
        form.show(error)
        return _answer(principal, form, status=UNPROCESSABLE_ENTITY)
    flash("The rate limit is saved and holds from now on.", Tone.OK)
    return redirect(RATE_LIMIT, SEE_OTHER)


@pages.post("/settings/rate-limit/drop")
def drop_limit() -> AnyResponse:
    limits.set_limit(require_member(Permission.ADMINISTER).org_id, None)
    flash("The limit of the installation holds again.", Tone.OK)
    return redirect(RATE_LIMIT, SEE_OTHER)


@pages.post("/credentials/<uuid:secret_id>/limit")
def limit_credential(secret_id: UUID) -> AnyResponse:
    """Give a credential a limit of its own; without numbers, none."""
    scope, form = require_member(Permission.OWN).scope, RateForm(request.form)
    if not request.form.get("rps", "").strip() and not request.form.get("burst", "").strip():
        limits.limit_credential(scope, secret_id, per_second=None, burst=None)
        flash("The credential is counted with the others.", Tone.OK)
        return redirect(CREDENTIALS, SEE_OTHER)
    try:
        _check(form)
        limits.limit_credential(
            scope, secret_id, per_second=form.rate.per_second, burst=form.rate.burst
        )
    except InvalidError as error:
        flash(f"Nothing is changed. {error.message}", Tone.BAD)
        return redirect(CREDENTIALS, SEE_OTHER)
    flash("The limit is saved and holds from now on.", Tone.OK)
    return redirect(CREDENTIALS, SEE_OTHER)


def _check(form: RateForm) -> None:
    if not form.validate():
        field = form.rps if form.rps.errors else form.burst
        raise InvalidError(f"{field.label.text}: {field.errors[0]}")


def say_limit(limit: RequestLimit) -> tuple[Fact, ...]:
    """Say what holds; the numbers of a limit that is off would look as if they did."""
    mode = Fact("Requests to the API", MODES[limit.mode])
    if limit.mode is LimitMode.OFF:
        return (mode,)
    return (
        mode,
        Fact("Requests a second", thousands(limit.rate.per_second)),
        Fact("At once after a pause", thousands(limit.rate.burst)),
        Fact("Shared by", SHARED_BY[limit.key_by]),
    )


def _limit_of(principal: Principal) -> RequestLimit:
    return queries.get_organization(principal.org_id).own_limit or limiter().limit


def _answer(principal: Principal, form: LimitForm, *, status: int = 200) -> AnyResponse:
    own = queries.get_organization(principal.org_id).own_limit
    page = RateLimitPage(
        form=form,
        is_own=own is not None,
        facts=say_limit(own or limiter().limit),
        of_all=say_limit(limiter().limit),
        can_edit=can(principal, Permission.ADMINISTER),
        post_url=RATE_LIMIT,
        drop_url=f"{RATE_LIMIT}/drop",
        credentials_url=CREDENTIALS if can(principal, Permission.OWN) else "",
    )
    return render("settings/rate_limit.html", page=page, section=SETTINGS, status=status)
