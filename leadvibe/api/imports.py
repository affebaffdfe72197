"""Imports of event files: uploading one, watching it, and what could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import current_app, request
from pydantic import BaseModel, Field
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from leadvibe.api.answers import Counted, Csv, set_header
from leadvibe.api.fields import ImportId, PageQuery
from leadvibe.http.workers import job_queue
from leadvibe.identity.types import Principal
from leadvibe.imports import queries, service
from leadvibe.imports.errors import FileTooLargeError
from leadvibe.imports.types import ImportProgress, ImportStage
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError, UnsupportedTypeError

FILE = "file"
MEGABYTE = 1024 * 1024
MULTIPART_OVERHEAD_BYTES = MEGABYTE
"""What the rest of the request may take beside the file."""


class ImportQuery(BaseModel):
    """How the rows of the file are treated."""

    skip_triggers: bool = Field(False, description="Score the rows without firing triggers.")


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedImport:
    """An import that has begun. `imported` and `errors` count rows, and grow as it goes on."""

    message: str
    job_id: UUID
    imported: int
    errors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportItem:
    """How far an import is: rows are read, accepted or refused, and then scored."""

    job_id: UUID
    filename: str
    status: ImportStage
    percent: int
    size_bytes: int
    bytes_read: int
    rows_read: int
    imported: int
    errors: int
    scored: int
    duplicates: int
    unscored: int
    skip_triggers: bool
    error: str | None
    created_at: datetime
    created_by: str
    started_at: datetime | None
    completed_at: datetime | None
    rows_per_second: float | None
    seconds_left: float | None


def start_import(principal: Principal, query: ImportQuery) -> StartedImport:
    """Import a CSV file of events, plain or gzip; its rows are read in the background."""
    upload = uploaded_file(max_bytes=limit_bytes())
    started = service.start_import(
        principal,
        principal.scope,
        filename=upload.filename or "",
        stream=upload.stream,
        max_bytes=limit_bytes(),
        queue=job_queue(),
        now=utc_now(),
        content_type=upload.mimetype,
        skip_triggers=query.skip_triggers,
    )
    set_header("Location", f"/import/{started.import_id}")
    return StartedImport(message="import started", job_id=started.import_id, imported=0, errors=0)


def list_imports(principal: Principal, query: PageQuery) -> Counted[ImportItem]:
    """The unit's imports, the latest first."""
    scope, page = principal.scope, query.request
    found = queries.list_progress(scope, limit=page.size, offset=page.offset, now=utc_now())
    return Counted([_item(progress) for progress in found], queries.count_imports(scope))


def get_import(principal: Principal, import_id: ImportId) -> ImportItem:
    """How far an import is."""
    return _item(queries.get_progress(principal.scope, import_id, now=utc_now()))


def export_errors(principal: Principal, import_id: ImportId) -> Csv:
    """The rows that were not imported, with their number and the reason."""
    text = queries.write_errors_csv(principal.scope, import_id)
    return Csv(f"import-{import_id}-errors.csv", lambda: text)


def limit_bytes() -> int:
    """Return how large an uploaded file may be, unpacked."""
    megabytes: int = current_app.config["MAX_UPLOAD_MB"]
    return megabytes * MEGABYTE


def uploaded_file(*, max_bytes: int) -> FileStorage:
    """Return the file in the request.

    Raises UnsupportedTypeError, InvalidError and, for a request that is larger than any such file
    would make it, FileTooLargeError.
    """
    request.max_content_length = max_bytes + MULTIPART_OVERHEAD_BYTES
    if request.mimetype != "multipart/form-data":
        raise UnsupportedTypeError(
            f"The body is {request.mimetype or 'of no stated type'}:"
            f" send the file as multipart/form-data, in a field called {FILE}."
        )
    try:
        upload = request.files.get(FILE)
    except RequestEntityTooLarge:
        raise FileTooLargeError(max_bytes) from None
    if upload is None:
        problem = "is missing: send the CSV file in a field of this name"
        raise InvalidError(f"{FILE} {problem}.", fields={FILE: problem})
    return upload


def _item(progress: ImportProgress) -> ImportItem:
    file = progress.file
    return ImportItem(
        job_id=file.import_id,
        filename=file.filename,
        status=progress.stage,
        percent=progress.percent,
        size_bytes=file.size_bytes,
        bytes_read=file.bytes_read,
        rows_read=progress.read,
        imported=progress.accepted,
        errors=progress.failed,
        scored=progress.scored,
        duplicates=progress.duplicates,
        unscored=progress.unscored,
        skip_triggers=file.skip_triggers,
        error=file.error,
        created_at=file.created_at,
        created_by=file.created_by,
        started_at=file.started_at,
        completed_at=progress.completed_at,
        rows_per_second=progress.rows_per_second,
        seconds_left=progress.seconds_left,
    )
