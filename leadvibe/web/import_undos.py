"""An import taken back: what that would do is shown first, then a worker does it."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require
from leadvibe.http.workers import job_queue
from leadvibe.identity.permissions import Permission
from leadvibe.imports import queries, undoing
from leadvibe.imports.errors import ImportUndoneError, ImportUnfinishedError, UndoTooLateError
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import ConflictError
from leadvibe.web.import_cards import import_path, remainders_of, sentences_of
from leadvibe.web.pages.display import Moment, Tone
from leadvibe.web.pages.imports import UndoPage
from leadvibe.web.redirects import IMPORTS
from leadvibe.web.rendering import render

pages = Blueprint("import_undos", __name__)


@pages.get("/imports/<uuid:import_id>/undo")
def show_undo(import_id: UUID) -> AnyResponse:
    scope = require(Permission.WRITE_DATA).scope
    effect = undoing.foresee_undo(scope, import_id, now=utc_now())
    path, file = import_path(import_id), queries.get_file(scope, import_id)
    until = file.undoable_until
    page = UndoPage(
        file_name=file.filename,
        effects=tuple(sentences_of(effect, is_done=False)),
        stays=tuple(remainders_of(effect)),
        action_url=f"{path}/undo",
        back_url=path,
        until=Moment.of(until) if until else None,
    )
    return render("imports/undo.html", page=page, section=IMPORTS)


@pages.post("/imports/<uuid:import_id>/undo")
def undo_import(import_id: UUID) -> AnyResponse:
    principal = require(Permission.WRITE_DATA)
    undoing.request_undo(principal, principal.scope, import_id, queue=job_queue(), now=utc_now())
    return redirect(import_path(import_id), 303)


@pages.errorhandler(ImportUndoneError)
@pages.errorhandler(ImportUnfinishedError)
@pages.errorhandler(UndoTooLateError)
def lead_back(error: ConflictError) -> AnyResponse:
    """Lead back to the import, which shows how far it is."""
    assert request.view_args is not None
    flash(error.message, Tone.INFO)
    return redirect(import_path(request.view_args["import_id"]), 303)
