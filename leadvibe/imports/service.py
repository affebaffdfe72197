"""Writes of imports: an uploaded file is stored, then read row by row, to where its rows belong.

The database holds the only copy of the file that must last, because the web server and the worker
may be different machines. A job is only a bell: an import that nobody works on is found by
`resume_due_imports`. What becomes of a row is the affair of event_file and lead_file.
"""

from __future__ import annotations

import itertools
import logging
import re
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import Update, delete, func, insert, select, update

from leadvibe.identity.types import Principal, Scope
from leadvibe.imports import queries
from leadvibe.imports.batches import Batch, BatchReader
from leadvibe.imports.encoding import EncodingJudge
from leadvibe.imports.event_file import EventFile
from leadvibe.imports.lead_file import LeadFile
from leadvibe.imports.models import ImportChunkRow, ImportRow
from leadvibe.imports.reading import Records
from leadvibe.imports.recognising import (
    Beginning,
    check_declared_type,
    recognise,
    recognise_leads,
)
from leadvibe.imports.stored_file import open_records
from leadvibe.imports.types import FileKind, Import, ImportState, Stored
from leadvibe.imports.uploading import Readable, read_pieces
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import after_commit, commit, copy_rows, held_lock, is_outage, rollback, session
from leadvibe.lib.ids import new_id
from leadvibe.lib.queue import JobQueue

log = logging.getLogger(__name__)

RUN_IMPORT = "leadvibe.jobs.imports.run_import"
"""What a worker calls, with the unit and the import."""

MOST_ATTEMPTS = 10
"""Starts without a single row read, after which a file counts as unreadable."""

KEEP_FAILED_FILES = timedelta(days=7)
START_WITHIN = timedelta(hours=1)
"""How long an uploaded file of leads waits to be imported; the contract's number."""

QUICK_COMPRESSION = 1
LONGEST_FILENAME = 200
ERROR_COLUMNS = ("unit_id", "import_id", "row_number", "reason", "row")

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")

Item = TypeVar("Item")


class FileWork(Protocol[Item]):
    """What becomes of the rows of one kind of file."""

    def open(self, records: Records) -> BatchReader[Item]:
        """Return what reads the rows in batches."""

    def has_room(self, *, beat: Callable[[], None], is_stopping: Callable[[], bool]) -> bool:
        """Wait until another batch can be taken, giving signs of life; False to leave instead."""

    def store(self, batch: Batch[Item], *, now: datetime) -> Stored:
        """Put rows where they belong, in the current transaction."""

    def announce(self) -> None:
        """Tell whoever waits for the rows that some are there."""


def start_import(
    principal: Principal,
    scope: Scope,
    *,
    filename: str,
    stream: Readable,
    max_bytes: int,
    queue: JobQueue,
    now: datetime,
    content_type: str = "",
    skip_triggers: bool = False,
) -> Import:
    """Store an uploaded file and have a worker import it once the caller has committed.

    Raises as store_file does; nothing is kept then, once the caller rolls back.
    """
    file = store_file(
        principal,
        scope,
        filename=filename,
        stream=stream,
        max_bytes=max_bytes,
        now=now,
        content_type=content_type,
        skip_triggers=skip_triggers,
    )
    send_import(queue, file)
    return file


def store_file(
    principal: Principal,
    scope: Scope,
    *,
    kind: FileKind = FileKind.EVENTS,
    filename: str,
    stream: Readable,
    max_bytes: int,
    now: datetime,
    content_type: str = "",
    skip_triggers: bool = False,
) -> Import:
    """Store an uploaded file. One of leads waits until somebody says what its columns mean.

    Reads the stream in pieces. Raises NotCsvError, BadFileError and FileTooLargeError, mostly
    before much of it is read.
    """
    check_declared_type(filename, content_type)
    pieces = read_pieces(stream, max_bytes=max_bytes)
    first = next(pieces, b"")
    beginning = recognise(first) if kind is FileKind.EVENTS else recognise_leads(first)
    judge = EncodingJudge(has_bom=beginning.has_bom)
    import_id = new_id()
    size_bytes = 0
    for number, piece in enumerate(itertools.chain([first], pieces)):
        judge.feed(piece)
        size_bytes += len(piece)
        _store_chunk(scope, import_id, number, piece)
    _insert_import(
        principal,
        scope,
        import_id,
        beginning,
        kind=kind,
        state=ImportState.QUEUED if kind is FileKind.EVENTS else ImportState.UPLOADED,
        filename=_plain_filename(filename),
        encoding=judge.decide(),
        size_bytes=size_bytes,
        skip_triggers=skip_triggers,
        created_at=now,
    )
    return queries.get_file(scope, import_id)


def send_import(queue: JobQueue, file: Import) -> None:
    """Have a worker import a file once the caller has committed."""
    after_commit(f"import {file.import_id}", lambda: _send(queue, file))


def advance_import(
    scope: Scope,
    import_id: UUID,
    *,
    ring: Callable[[], None],
    is_stopping: Callable[[], bool],
) -> None:
    """Import a file from where it stands, to its end or until `is_stopping`.

    Commits batch by batch, each with its checkpoint, so that a killed worker repeats and loses
    nothing; rings the pipeline after each batch of events. Returns at once when another worker is
    at it or there is nothing to do.
    """
    with held_lock(queries.lock_key(import_id)) as lock:
        if lock is None or not _begin(scope, import_id, now=utc_now()):
            rollback()
            return
        try:
            _read_on(scope, import_id, ring=ring, is_stopping=is_stopping)
        except Exception as error:
            if is_outage(error):
                raise
            rollback()
            # The log has the rest: whoever uploaded the file is told nothing internal.
            _set(scope, import_id, error=type(error).__name__, beat_at=None)
            commit()
            raise


def resume_due_imports(queue: JobQueue, *, now: datetime) -> int:
    """Send a job for every import that nobody works on; returns how many there were."""
    due = queries.due_imports(now=now)
    for one in due:
        _send(queue, one)
    return len(due)


def forget_unstarted_files(*, now: datetime) -> None:
    """Forget files of leads that nobody has said anything about in the time there is for that."""
    expired = (
        delete(ImportRow)
        .where(ImportRow.state == ImportState.UPLOADED, ImportRow.created_at < now - START_WITHIN)
        .returning(ImportRow.unit_id, ImportRow.import_id)
    )
    for unit_id, import_id in session().execute(expired).all():
        delete_pieces(unit_id, import_id)


def forget_failed_files(*, now: datetime) -> None:
    """Delete the stored files of imports that failed long ago; of finished ones none are left."""
    failed = select(ImportRow.unit_id, ImportRow.import_id).where(
        ImportRow.state == ImportState.FAILED, ImportRow.finished_at < now - KEEP_FAILED_FILES
    )
    for unit_id, import_id in session().execute(failed).all():
        delete_pieces(unit_id, import_id)


def _insert_import(
    principal: Principal, scope: Scope, import_id: UUID, beginning: Beginning, **values: Any
) -> None:
    session().execute(
        insert(ImportRow).values(
            unit_id=scope.unit_id,
            import_id=import_id,
            org_id=scope.org_id,
            delimiter=beginning.delimiter,
            header=[_storable(name) for name in beginning.header],
            bytes_read=beginning.offset,
            last_row=beginning.row,
            created_by=principal.label,
            **values,
        )
    )


def _store_chunk(scope: Scope, import_id: UUID, number: int, piece: bytes) -> None:
    session().execute(
        insert(ImportChunkRow).values(
            unit_id=scope.unit_id,
            import_id=import_id,
            number=number,
            data=zlib.compress(piece, QUICK_COMPRESSION),
        )
    )


def _begin(scope: Scope, import_id: UUID, *, now: datetime) -> bool:
    """Note that a worker is at the import; False when there is nothing for it to do."""
    file = queries.get_file(scope, import_id)
    if file.state not in {ImportState.QUEUED, ImportState.RUNNING}:
        return False
    if file.attempts >= MOST_ATTEMPTS:
        _give_up(scope, file, now=now)
        return False
    _set(
        scope,
        import_id,
        state=ImportState.RUNNING,
        attempts=file.attempts + 1,
        started_at=file.started_at or now,
        beat_at=now,
    )
    commit()
    return True


def _read_on(
    scope: Scope, import_id: UUID, *, ring: Callable[[], None], is_stopping: Callable[[], bool]
) -> None:
    file = queries.get_file(scope, import_id)
    work = _work_on(scope, file, ring=ring)
    reader = work.open(open_records(scope, file))
    bytes_read, is_last = file.bytes_read, False
    while not is_last:
        if is_stopping() or not work.has_room(
            beat=lambda: _beat(scope, import_id), is_stopping=is_stopping
        ):
            _leave(scope, import_id)
            return
        batch = reader.read(now=utc_now())
        if not _store_batch(scope, import_id, work, batch, expected_bytes_read=bytes_read):
            rollback()
            log.warning("import %s is read by another worker: leaving it to that", import_id)
            return
        commit()
        work.announce()
        bytes_read, is_last = batch.bytes_read, batch.is_last


def _work_on(scope: Scope, file: Import, *, ring: Callable[[], None]) -> FileWork[Any]:
    if file.kind is FileKind.LEADS:
        return LeadFile(scope, file)
    return EventFile(scope, file, ring=ring)


def _store_batch(
    scope: Scope,
    import_id: UUID,
    work: FileWork[Item],
    batch: Batch[Item],
    *,
    expected_bytes_read: int,
) -> bool:
    """Put the rows where they belong and move the checkpoint, in this transaction.

    False when the checkpoint is not where this worker left it: then none of it may be stored.
    """
    now = utc_now()
    stored = work.store(batch, now=now)
    errors = [*batch.errors, *stored.errors]
    values: dict[str, Any] = {"state": ImportState.FINISHED, "finished_at": now, "error": None}
    moved = session().scalar(
        _update(scope, import_id)
        .where(ImportRow.bytes_read == expected_bytes_read, ImportRow.state == ImportState.RUNNING)
        .values(
            bytes_read=batch.bytes_read,
            last_row=batch.last_row,
            rows_read=ImportRow.rows_read + stored.accepted + len(errors),
            rows_accepted=ImportRow.rows_accepted + stored.accepted,
            rows_failed=ImportRow.rows_failed + len(errors),
            rows_created=ImportRow.rows_created + stored.created,
            attempts=0,
            beat_at=now,
            **(values if batch.is_last else {}),
        )
        .returning(ImportRow.import_id)
    )
    if moved is None:
        return False
    rows = (
        (scope.unit_id, import_id, error.row_number, error.reason, error.row) for error in errors
    )
    copy_rows("import_errors", ERROR_COLUMNS, rows)
    if batch.is_last:
        delete_pieces(scope.unit_id, import_id)
    return True


def _beat(scope: Scope, import_id: UUID) -> None:
    _set(scope, import_id, beat_at=utc_now())
    commit()


def _leave(scope: Scope, import_id: UUID) -> None:
    """Leave an import for another worker; that this one came is no failed attempt."""
    _set(scope, import_id, beat_at=None, attempts=func.greatest(ImportRow.attempts - 1, 0))
    commit()


def _give_up(scope: Scope, file: Import, *, now: datetime) -> None:
    why = file.error or "the worker that read it died each time"
    _set(
        scope,
        file.import_id,
        state=ImportState.FAILED,
        finished_at=now,
        error=(
            f"Reading stopped behind row {file.last_row:,} after {file.attempts} attempts ({why})."
            f" The rows up to there are imported: remove the next one and import the rest."
        ),
    )
    commit()


def _send(queue: JobQueue, file: Import) -> None:
    queue.send(
        RUN_IMPORT, str(file.unit_id), str(file.import_id), job_id=f"import-{file.import_id}"
    )


def _set(scope: Scope, import_id: UUID, **values: Any) -> None:
    session().execute(_update(scope, import_id).values(**values))


def _update(scope: Scope, import_id: UUID) -> Update:
    return update(ImportRow).where(
        ImportRow.unit_id == scope.unit_id, ImportRow.import_id == import_id
    )


def delete_pieces(unit_id: UUID, import_id: UUID) -> None:
    """Forget what a file held."""
    session().execute(
        delete(ImportChunkRow).where(
            ImportChunkRow.unit_id == unit_id, ImportChunkRow.import_id == import_id
        )
    )


def _plain_filename(filename: str) -> str:
    """Return the name without folders, which some browsers send, and without control characters."""
    name = re.split(r"[/\\]", filename)[-1]
    return _storable(name).strip()[:LONGEST_FILENAME] or "upload.csv"


def _storable(text: str) -> str:
    printable = _CONTROLS.sub("", text)
    return printable.encode("utf-8", "replace").decode()
