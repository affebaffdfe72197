"""General settings: the organisation, its units, and what limits requests."""

from __future__ import annotations

from http.client import UNPROCESSABLE_ENTITY
from uuid import UUID

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require_member
from leadvibe.http.rate_limits import KeyBy, LimitMode, limiter
from leadvibe.identity import queries, service
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal, Scope, Unit
from leadvibe.imports.queries import find_sample
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError
from leadvibe.pipeline import setup
from leadvibe.web.notices import say
from leadvibe.web.pages.display import Fact, Tone, thousands
from leadvibe.web.pages.notices import Undo
from leadvibe.web.pages.settings import SettingsPage, UnitRow
from leadvibe.web.redirects import SETTINGS
from leadvibe.web.rendering import render

SEE_OTHER = 303

_SHARED_BY = {
    KeyBy.ORG: "The whole organisation",
    KeyBy.USER: "Each member and API credential",
    KeyBy.CLIENT: "Each API credential; members by their address",
    KeyBy.IP: "Each network address",
}
_MODES = {
    LimitMode.OFF: "Off",
    LimitMode.OBSERVE: "Observed: nothing is refused",
    LimitMode.ENFORCE: "Enforced",
}

pages = Blueprint("settings", __name__)


@pages.get("/settings")
def show_settings() -> AnyResponse:
    return _answer(require_member(Permission.READ))


@pages.post("/settings/organisation")
def rename_organization() -> AnyResponse:
    principal = require_member(Permission.ADMINISTER)
    before = queries.get_account(principal).organization.name
    try:
        service.rename_organization(principal.org_id, name=_name())
    except InvalidError as error:
        return _answer(principal, problem=error.message)
    back = Undo(url=f"{SETTINGS}/organisation", fields={"name": before})
    say("The organisation is renamed.", undo=back)
    return redirect(SETTINGS, SEE_OTHER)


@pages.post("/settings/units")
def create_unit() -> AnyResponse:
    principal = require_member(Permission.ADMINISTER)
    try:
        made = setup.create_unit(principal.org_id, name=_name(), by=principal.label, now=utc_now())
    except InvalidError as error:
        return _answer(principal, problem=error.message)
    flash(f"“{made.name}” is made. Switch to it at the top of the menu.", Tone.OK)
    return redirect(SETTINGS, SEE_OTHER)


@pages.post("/settings/units/<uuid:unit_id>")
def rename_unit(unit_id: UUID) -> AnyResponse:
    scope = Scope(require_member(Permission.ADMINISTER).org_id, unit_id)
    before = queries.get_unit(scope).name
    try:
        service.rename_unit(scope, name=_name())
    except InvalidError as error:
        return _answer(require_member(Permission.ADMINISTER), problem=error.message)
    say(
        "The unit is renamed.",
        undo=Undo(url=f"{SETTINGS}/units/{unit_id}", fields={"name": before}),
    )
    return redirect(SETTINGS, SEE_OTHER)


def _name() -> str:
    return request.form.get("name", "")


def _answer(principal: Principal, *, problem: str = "") -> AnyResponse:
    account = queries.get_account(principal)
    found = limiter()
    page = SettingsPage(
        org_name=account.organization.name,
        units=tuple(_row(unit, principal) for unit in account.units),
        can_edit=can(principal, Permission.ADMINISTER),
        problem=problem,
        limits=(
            Fact("Requests to the API", _MODES[found.mode]),
            Fact("A second", thousands(found.rate.per_second)),
            Fact("At once after a pause", thousands(found.rate.burst)),
            Fact("Shared by", _SHARED_BY[found.key_by]),
        ),
        limits_note="Set where Leadvibe is installed, for all organisations alike.",
        has_sample=find_sample(principal.scope) is not None,
        can_sample=can(principal, Permission.OWN),
        org_url=f"{SETTINGS}/organisation",
        units_url=f"{SETTINGS}/units",
    )
    status = UNPROCESSABLE_ENTITY if problem else 200
    return render("settings/page.html", page=page, section=SETTINGS, status=status)


def _row(unit: Unit, principal: Principal) -> UnitRow:
    return UnitRow(
        name=unit.name,
        slug=unit.slug,
        role=unit.role or "",
        is_active=unit.unit_id == principal.unit_id,
        is_default=unit.is_default,
        rename_url=f"{SETTINGS}/units/{unit.unit_id}",
    )
