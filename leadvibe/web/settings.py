"""General settings: the organisation, its units, and what limits requests."""

from __future__ import annotations

from http.client import UNPROCESSABLE_ENTITY
from uuid import UUID

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.events.exploring import Looking
from leadvibe.http.active_unit import leave_unit
from leadvibe.http.permissions import require_member
from leadvibe.http.rate_limits import limiter
from leadvibe.identity import archiving, queries, service
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import ArchivedUnit, Principal, Scope, Unit
from leadvibe.imports.queries import find_sample
from leadvibe.leadlist.export import write_all_leads
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import ConflictError, InvalidError
from leadvibe.pipeline import setup
from leadvibe.web.authors import author
from leadvibe.web.events import events_file
from leadvibe.web.leads import csv_file
from leadvibe.web.notices import say
from leadvibe.web.pages.display import Moment, Tone
from leadvibe.web.pages.notices import Undo
from leadvibe.web.pages.settings import ArchivedUnitRow, SettingsPage, UnitRow
from leadvibe.web.rate_limits import RATE_LIMIT, say_limit
from leadvibe.web.redirects import SETTINGS
from leadvibe.web.rendering import render

SEE_OTHER = 303

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


@pages.post("/settings/units/<uuid:unit_id>/archive")
def archive_unit(unit_id: UUID) -> AnyResponse:
    principal = require_member(Permission.ADMINISTER)
    try:
        unit = archiving.archive_unit(principal, Scope(principal.org_id, unit_id), now=utc_now())
    except ConflictError as error:
        return _answer(principal, problem=error.message)
    leave_unit(unit_id)
    flash(f"“{unit.name}” is archived. It can be restored below.", Tone.OK)
    return redirect(SETTINGS, SEE_OTHER)


@pages.post("/settings/units/<uuid:unit_id>/restore")
def restore_unit(unit_id: UUID) -> AnyResponse:
    principal = require_member(Permission.ADMINISTER)
    unit = archiving.restore_unit(Scope(principal.org_id, unit_id))
    flash(f"“{unit.name}” is restored.", Tone.OK)
    return redirect(SETTINGS, SEE_OTHER)


@pages.get("/settings/units/<uuid:unit_id>/leads.csv")
def export_leads(unit_id: UUID) -> AnyResponse:
    return csv_file(write_all_leads(_unit_to_export(unit_id)))


@pages.get("/settings/units/<uuid:unit_id>/events.csv")
def export_events(unit_id: UUID) -> AnyResponse:
    return events_file(_unit_to_export(unit_id), Looking())


def _unit_to_export(unit_id: UUID) -> Scope:
    principal = require_member(Permission.ADMINISTER)
    return queries.get_unit(Scope(principal.org_id, unit_id)).scope


def _name() -> str:
    return request.form.get("name", "")


def _answer(principal: Principal, *, problem: str = "") -> AnyResponse:
    account = queries.get_account(principal)
    own, is_admin = account.organization.own_limit, can(principal, Permission.ADMINISTER)
    page = SettingsPage(
        org_name=account.organization.name,
        units=tuple(
            _row(unit, principal, is_last=len(account.units) == 1) for unit in account.units
        ),
        can_edit=can(principal, Permission.ADMINISTER),
        problem=problem,
        limits=say_limit(own or limiter().limit),
        limits_note="The organisation's own."
        if own
        else "Set by the installation, for every organisation alike.",
        limits_url=RATE_LIMIT,
        archived=_archived(principal) if is_admin else (),
        has_sample=find_sample(principal.scope) is not None,
        can_sample=can(principal, Permission.OWN),
        org_url=f"{SETTINGS}/organisation",
        units_url=f"{SETTINGS}/units",
    )
    status = UNPROCESSABLE_ENTITY if problem else 200
    return render("settings/page.html", page=page, section=SETTINGS, status=status)


def _row(unit: Unit, principal: Principal, *, is_last: bool) -> UnitRow:
    return UnitRow(
        name=unit.name,
        slug=unit.slug,
        role=unit.role or "",
        is_active=unit.unit_id == principal.unit_id,
        is_default=unit.is_default,
        rename_url=f"{SETTINGS}/units/{unit.unit_id}",
        archive_url="" if is_last else f"{SETTINGS}/units/{unit.unit_id}/archive",
        dialog_id=f"archive-{unit.unit_id}",
    )


def _archived(principal: Principal) -> tuple[ArchivedUnitRow, ...]:
    return tuple(_archived_row(it) for it in queries.list_archived_units(principal.org_id))


def _archived_row(archived: ArchivedUnit) -> ArchivedUnitRow:
    url = f"{SETTINGS}/units/{archived.unit.unit_id}"
    return ArchivedUnitRow(
        name=archived.unit.name,
        by=author(archived.archived_by),
        at=Moment.of(archived.archived_at),
        restore_url=f"{url}/restore",
        leads_url=f"{url}/leads.csv",
        events_url=f"{url}/events.csv",
    )
