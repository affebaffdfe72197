"""CSV imports: files are uploaded, watched while they are read and scored, told what is wrong."""

from __future__ import annotations

from http.client import UNPROCESSABLE_ENTITY
from pathlib import PurePath
from typing import cast
from urllib.parse import quote, urlsplit
from uuid import UUID

from flask import Blueprint, Response, current_app, redirect, stream_with_context
from htmx_flask import request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require
from leadvibe.http.workers import job_queue
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal, Scope
from leadvibe.imports import queries, service, undoing
from leadvibe.imports.errors import FileTooLargeError
from leadvibe.imports.types import FileKind, Import
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError, LeadvibeError, TooLargeError, UnsupportedTypeError
from leadvibe.web.errors import render_error
from leadvibe.web.forms.imports import UploadForm
from leadvibe.web.import_cards import (
    SAMPLE_ID,
    build_card,
    build_page,
    build_sample,
    import_path,
)
from leadvibe.web.pages.display import Choice, query_url
from leadvibe.web.pages.imports import ImportCard, ImportsPage
from leadvibe.web.redirects import IMPORTS
from leadvibe.web.rendering import render, wanted_fragment

FRAGMENTS = {SAMPLE_ID: "imports/_sample.html"}
ERRORS_SHOWN = 50
SIZE = 20
MOST_PAGE_DIGITS = 9
MEGABYTE = 1024 * 1024

EXAMPLE = """\
event_type,timestamp,email,external_id,metadata
page_view,2026-03-02T09:15:00Z,ana@example.com,crm-1001,"{""url"":""/pricing""}"
demo_request,2026-03-02T09:21:30Z,ana@example.com,crm-1001,"{""form"":""Book a demo""}"
email_opened,2026-03-03T07:02:11Z,jonas@example.com,,
"""

pages = Blueprint("imports", __name__)


@pages.get("/imports")
def show_imports() -> AnyResponse:
    return _answer(require(Permission.READ), UploadForm())


@pages.post("/imports")
def upload() -> AnyResponse:
    principal, form = require(Permission.WRITE_DATA), UploadForm()
    uploaded = request.files.get("file")
    if uploaded is None or not uploaded.filename:
        form.show(InvalidError("Choose a CSV file first.", fields={"file": "is missing"}))
        return _answer(principal, form, status=UNPROCESSABLE_ENTITY)
    try:
        started = _start(principal, uploaded)
    except (InvalidError, UnsupportedTypeError, TooLargeError) as error:
        return _refuse(principal, error)
    return redirect(import_path(started.import_id), 303)


@pages.errorhandler(RequestEntityTooLarge)
def refuse_too_large(_error: RequestEntityTooLarge) -> AnyResponse:
    """Say it on the page itself: the server refuses such a request before any view sees it."""
    try:
        principal = require(Permission.WRITE_DATA)
    except LeadvibeError as error:  # nobody catches what an error handler raises
        return render_error(error)
    return _refuse(principal, FileTooLargeError(_max_bytes()))


@pages.get("/imports/example.csv")
def download_example() -> AnyResponse:
    require(Permission.READ)
    return _csv(Response(EXAMPLE, mimetype="text/csv"), "leadvibe-example.csv")


@pages.get("/imports/<uuid:import_id>")
def show_import(import_id: UUID) -> AnyResponse:
    principal = require(Permission.READ)
    scope = principal.scope
    progress = queries.get_history(scope, import_id, now=utc_now())
    undo = undoing.find_undo(scope, import_id)
    errors = queries.list_errors(scope, import_id, limit=ERRORS_SHOWN) if progress.failed else []
    response = render(
        "imports/detail.html",
        page=build_page(progress, errors, undo, can_undo=can(principal, Permission.WRITE_DATA)),
        section=IMPORTS,
        fragments={f"import-{import_id}": "imports/_import.html"},
    )
    is_still = progress.is_complete and (undo is None or undo.is_over)
    if is_still and _is_watched_at(import_path(import_id)):
        # The card alone would go on to say that rows failed, and not which.
        response.headers["HX-Refresh"] = "true"
    return response


def _is_watched_at(path: str) -> bool:
    """Say whether a fragment is asked for by the page at this path."""
    shown = urlsplit(request.htmx.current_url or "").path
    return wanted_fragment() is not None and shown == path


@pages.get("/imports/<uuid:import_id>/errors.csv")
def download_errors(import_id: UUID) -> AnyResponse:
    scope = require(Permission.READ).scope
    stem = PurePath(queries.get_file(scope, import_id).filename).stem
    parts = stream_with_context(queries.write_errors_csv(scope, import_id))
    return _csv(Response(parts, mimetype="text/csv"), f"{stem}-errors.csv")


def _start(principal: Principal, uploaded: FileStorage) -> Import:
    return service.start_import(
        principal,
        principal.scope,
        filename=uploaded.filename or "",
        stream=uploaded.stream,
        max_bytes=_max_bytes(),
        queue=job_queue(),
        now=utc_now(),
    )


def _refuse(principal: Principal, error: LeadvibeError) -> AnyResponse:
    form = UploadForm()
    form.show(error)
    return _answer(principal, form, status=error.status)


def _answer(principal: Principal, form: UploadForm, *, status: int = 200) -> AnyResponse:
    number = _page_number()
    cards, has_older = _cards(principal.scope, number)
    is_owner = can(principal, Permission.OWN)
    page = ImportsPage(
        form=form if can(principal, Permission.WRITE_DATA) else None,
        imports=cards,
        action_url=IMPORTS,
        example_url=f"{IMPORTS}/example.csv",
        max_bytes=_max_bytes(),
        max_size=f"{_max_bytes() // MEGABYTE} MB",
        older_url=query_url(IMPORTS, {"kind": _wanted_kind() or "", "page": str(number + 1)})
        if has_older
        else "",
        kinds=_kinds(),
        is_filtered=_wanted_kind() is not None,
        sample=build_sample(queries.find_sample(principal.scope)) if is_owner else None,
    )
    return render(
        "imports/page.html", page=page, section=IMPORTS, fragments=FRAGMENTS, status=status
    )


def _cards(scope: Scope, number: int) -> tuple[tuple[ImportCard, ...], bool]:
    """Return a page of imports, the latest first, and whether there are older ones."""
    offset = (number - 1) * SIZE
    kind = _wanted_kind()
    listed = queries.list_history(scope, kind=kind, limit=SIZE + 1, offset=offset, now=utc_now())
    undos = undoing.list_undos(scope, [it.file.import_id for it in listed])
    cards = tuple(
        build_card(it, undos.get(it.file.import_id), with_figures=not it.is_complete)
        for it in listed[:SIZE]
    )
    return cards, len(listed) > SIZE


def _wanted_kind() -> FileKind | None:
    text = request.args.get("kind", "")
    return FileKind(text) if text in set(FileKind) else None


def _kinds() -> tuple[Choice, ...]:
    chosen = _wanted_kind()
    kinds = (("All", None), ("Events", FileKind.EVENTS), ("Leads", FileKind.LEADS))
    return tuple(
        Choice(label, is_selected=it is chosen, url=query_url(IMPORTS, {"kind": it or ""}))
        for label, it in kinds
    )


def _page_number() -> int:
    text = request.args.get("page", "1")
    return max(1, int(text)) if text.isdecimal() and len(text) <= MOST_PAGE_DIGITS else 1


def _max_bytes() -> int:
    return cast("int", current_app.config["MAX_UPLOAD_MB"]) * MEGABYTE


def _csv(response: Response, filename: str) -> Response:
    """Offer the answer as a file; its name goes twice, for headers know little beyond ASCII."""
    plain = filename.encode("ascii", "replace").decode()
    names = {"filename": plain, "filename*": f"UTF-8''{quote(filename, safe='')}"}
    response.headers.set("Content-Disposition", "attachment", **names)
    return response
