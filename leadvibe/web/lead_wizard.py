"""Leads imported from a file in five steps; what was said so far is kept with the file."""

from __future__ import annotations

from collections.abc import Sequence
from http.client import UNPROCESSABLE_ENTITY
from typing import cast
from uuid import UUID

from flask import Blueprint, Response, current_app, flash, redirect, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require
from leadvibe.http.workers import job_queue
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import Principal, Scope
from leadvibe.imports import lead_forecast, lead_uploads
from leadvibe.imports.errors import (
    BadPlanError,
    FileTooLargeError,
    LeadFileNotFoundError,
    LeadFileStartedError,
)
from leadvibe.imports.lead_uploads import LeadPreview
from leadvibe.imports.types import LeadPlan
from leadvibe.leads import documents
from leadvibe.leads.types import AliasKind
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError, LeadvibeError, TooLargeError, UnsupportedTypeError
from leadvibe.web.column_guesses import guess_identifier, guess_plan
from leadvibe.web.errors import render_error
from leadvibe.web.import_cards import import_path
from leadvibe.web.lead_wizard_steps import (
    LEADS,
    build_columns,
    build_confirm,
    build_identifier,
    build_preview,
    steps_at,
)
from leadvibe.web.pages.display import Tone
from leadvibe.web.pages.lead_wizard import UploadStep
from leadvibe.web.redirects import IMPORTS
from leadvibe.web.rendering import render

MEGABYTE = 1024**2
SEE_OTHER = 303

EXAMPLE = """\
email,first_name,last_name,company,job_title,owner
ana@example.com,Ana,Silva,Acme,Head of Marketing,
jonas@example.com,Jonas,Berg,Northwind,CTO,
"""

pages = Blueprint("lead_wizard", __name__)


@pages.get("/imports/leads")
def start() -> AnyResponse:
    require(Permission.WRITE_DATA)
    return _upload_step()


@pages.post("/imports/leads")
def upload() -> AnyResponse:
    principal = require(Permission.WRITE_DATA)
    uploaded = request.files.get("file")
    if uploaded is None or not uploaded.filename:
        return _upload_step("Choose a CSV file first.", status=UNPROCESSABLE_ENTITY)
    try:
        seen = lead_uploads.upload_leads(
            principal,
            principal.scope,
            filename=uploaded.filename,
            stream=uploaded.stream,
            max_bytes=_max_bytes(),
            now=utc_now(),
        )
    except (InvalidError, UnsupportedTypeError, TooLargeError) as error:
        return _upload_step(error.message, status=error.status)
    return redirect(f"{LEADS}/{seen.file.import_id}", SEE_OTHER)


@pages.errorhandler(RequestEntityTooLarge)
def refuse_too_large(_error: RequestEntityTooLarge) -> AnyResponse:
    """Say it on the page itself: the server refuses such a request before any view sees it."""
    try:
        require(Permission.WRITE_DATA)
    except LeadvibeError as error:  # nobody catches what an error handler raises
        return render_error(error)
    refusal = FileTooLargeError(_max_bytes())
    return _upload_step(refusal.message, status=refusal.status)


@pages.get("/imports/leads/example.csv")
def download_example() -> AnyResponse:
    require(Permission.READ)
    response = Response(EXAMPLE, mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename="leadvibe-leads.csv")
    return response


@pages.get("/imports/leads/<uuid:file_id>")
def show_preview(file_id: UUID) -> AnyResponse:
    seen = _look(require(Permission.WRITE_DATA).scope, file_id)
    return render("imports/wizard_preview.html", page=build_preview(seen), section=IMPORTS)


@pages.get("/imports/leads/<uuid:file_id>/identifier")
def show_identifier(file_id: UUID) -> AnyResponse:
    return _identifier_step(_look(require(Permission.WRITE_DATA).scope, file_id))


@pages.post("/imports/leads/<uuid:file_id>/identifier")
def choose_identifier(file_id: UUID) -> AnyResponse:
    scope = require(Permission.WRITE_DATA).scope
    seen = _look(scope, file_id)
    column, kind = request.form.get("column", ""), request.form.get("kind", "")
    if column not in seen.headers or kind not in set(AliasKind):
        return _identifier_step(seen, problem="Choose the column that says whose row it is.")
    known = seen.file.plan
    is_same = known and (known.primary_column, known.primary_kind) == (column, kind)
    if not is_same:
        plan = guess_plan(seen, column, AliasKind(kind))
        lead_uploads.keep_plan(scope, file_id, plan, now=utc_now())
    return redirect(f"{LEADS}/{file_id}/columns", SEE_OTHER)


@pages.get("/imports/leads/<uuid:file_id>/columns")
def show_columns(file_id: UUID) -> AnyResponse:
    scope = require(Permission.WRITE_DATA).scope
    seen = _look(scope, file_id)
    if seen.file.plan is None:
        return redirect(f"{LEADS}/{file_id}/identifier")
    return _columns_step(scope, seen, seen.file.plan)


@pages.post("/imports/leads/<uuid:file_id>/columns")
def map_columns(file_id: UUID) -> AnyResponse:
    scope = require(Permission.WRITE_DATA).scope
    seen = _look(scope, file_id)
    if seen.file.plan is None:
        return redirect(f"{LEADS}/{file_id}/identifier", SEE_OTHER)
    plan, problem = _read_plan(seen.file.plan, seen.headers)
    if not problem:
        try:
            lead_uploads.keep_plan(scope, file_id, plan, now=utc_now())
        except BadPlanError as error:
            problem = _sentence(error)
    if problem:
        return _columns_step(scope, seen, plan, problem=problem)
    return redirect(f"{LEADS}/{file_id}/confirm", SEE_OTHER)


@pages.get("/imports/leads/<uuid:file_id>/confirm")
def show_confirm(file_id: UUID) -> AnyResponse:
    scope = require(Permission.WRITE_DATA).scope
    seen = _look(scope, file_id)
    if seen.file.plan is None:
        return redirect(f"{LEADS}/{file_id}/identifier")
    forecast = lead_forecast.foresee(scope, seen.file)
    return render(
        "imports/wizard_confirm.html", page=build_confirm(seen, forecast), section=IMPORTS
    )


@pages.post("/imports/leads/<uuid:file_id>/confirm")
def confirm(file_id: UUID) -> AnyResponse:
    principal = require(Permission.WRITE_DATA)
    seen = _look(principal.scope, file_id)
    if seen.file.plan is None:
        return redirect(f"{LEADS}/{file_id}/identifier", SEE_OTHER)
    _start(principal, file_id, seen.file.plan)
    return redirect(import_path(file_id), SEE_OTHER)


@pages.errorhandler(LeadFileStartedError)
def lead_to_results(_error: LeadFileStartedError) -> AnyResponse:
    """Lead whoever goes back, or presses twice, to what has become of the file."""
    file_id = cast("dict[str, UUID]", request.view_args)["file_id"]
    return redirect(import_path(file_id), SEE_OTHER)


@pages.errorhandler(LeadFileNotFoundError)
def lead_to_upload(error: LeadFileNotFoundError) -> AnyResponse:
    """Lead whoever comes too late to where the file can be uploaded again."""
    file_id = cast("dict[str, UUID]", request.view_args)["file_id"]
    if not lead_uploads.is_expired(file_id, now=utc_now()):
        return render_error(error)
    flash("The file has waited for an hour and is gone: upload it again.", Tone.WARN)
    return redirect(LEADS, SEE_OTHER)


def _start(principal: Principal, file_id: UUID, plan: LeadPlan) -> None:
    lead_uploads.start_leads(
        principal, principal.scope, file_id, plan, queue=job_queue(), now=utc_now()
    )


def _look(scope: Scope, file_id: UUID) -> LeadPreview:
    return lead_uploads.look_again(scope, file_id, now=utc_now())


def _upload_step(problem: str = "", *, status: int = 200) -> AnyResponse:
    page = UploadStep(
        steps=steps_at(0),
        problem=problem,
        action_url=LEADS,
        max_bytes=_max_bytes(),
        max_size=f"{_max_bytes() // MEGABYTE} MB",
        example_url=f"{LEADS}/example.csv",
    )
    return render("imports/wizard_upload.html", page=page, section=IMPORTS, status=status)


def _identifier_step(seen: LeadPreview, *, problem: str = "") -> AnyResponse:
    plan = seen.file.plan
    chosen = (plan.primary_column, plan.primary_kind) if plan else guess_identifier(seen)
    page = build_identifier(seen, chosen, problem=problem)
    status = UNPROCESSABLE_ENTITY if problem else 200
    return render("imports/wizard_identifier.html", page=page, section=IMPORTS, status=status)


def _columns_step(
    scope: Scope, seen: LeadPreview, plan: LeadPlan, *, problem: str = ""
) -> AnyResponse:
    known = documents.list_properties(scope, documents.LEAD)
    page = build_columns(seen, plan, known, problem=problem)
    status = UNPROCESSABLE_ENTITY if problem else 200
    return render("imports/wizard_columns.html", page=page, section=IMPORTS, status=status)


def _read_plan(known: LeadPlan, headers: Sequence[str]) -> tuple[LeadPlan, str]:
    """Return what the form says of each column, and what is wrong with it."""
    properties: dict[str, str] = {}
    aliases: dict[str, AliasKind] = {}
    owners: list[str] = []
    problem = ""
    for index, column in enumerate(headers):
        target = request.form.get(f"target-{index}", "skip")
        if column == known.primary_column:
            continue
        if target in set(AliasKind):
            aliases[column] = AliasKind(target)
        elif target == "owner":
            owners.append(column)
        elif target == "account":
            properties[column] = "account_id"
        elif target == "property":
            name = request.form.get(f"name-{index}", "").strip()
            properties[column] = name
            if not name or not name.isprintable() or len(name) > lead_uploads.LONGEST_PROPERTY:
                problem = problem or f"Give the property for “{column}” a name."
    if len(owners) > 1:
        problem = problem or "Choose one column for the owner, not several."
    plan = LeadPlan(
        primary_column=known.primary_column,
        primary_kind=known.primary_kind,
        properties=properties,
        aliases=aliases,
        owner_column=owners[0] if owners else None,
    )
    return plan, problem


def _sentence(error: BadPlanError) -> str:
    problem = next(iter(error.fields.values()), error.message)
    return f"The mapping {problem}: give each property one column."


def _max_bytes() -> int:
    megabytes = cast("int", current_app.config["MAX_UPLOAD_MB"])
    return min(lead_uploads.MAX_BYTES, megabytes * MEGABYTE)
