"""Writes of imports: an uploaded file is stored, then read row by row into the inbox.

The database holds the only copy of the file that must last, because the web server and the worker
may be different machines. A job is only a bell: an import that nobody works on is found by
`resume_due_imports`. Does not score: the pipeline does, from the inbox.
"""

from __future__ import annotations

import itertools
import logging
import re
import time
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Update, delete, func, insert, select, update

from leadvibe.events import queries as event_queries
from leadvibe.identity.types import Principal, Scope
from leadvibe.imports import queries
from leadvibe.imports.batches import Batch, BatchReader
from leadvibe.imports.encoding import EncodingJudge
from leadvibe.imports.models import ImportChunkRow, ImportRow
from leadvibe.imports.reading import Records
from leadvibe.imports.recognising import Beginning, check_declared_type, recognise
from leadvibe.imports.stored_file import open_text
from leadvibe.imports.types import Import, ImportState
from leadvibe.imports.uploading import Readable, read_pieces
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import after_commit, commit, copy_rows, held_lock, is_outage, rollback, session
from leadvibe.lib.ids import new_id
from leadvibe.lib.queue import JobQueue
from leadvibe.pipeline import intake

log = logging.getLogger(__name__)

RUN_IMPORT = "leadvibe.jobs.imports.run_import"
"""What a worker calls, with the unit and the import."""

DEEPEST_INBOX = 100_000
"""Events that may wait in a unit before an import waits too: some ten seconds of scoring."""

LOOK_AGAIN_SECONDS = 0.25
LONGEST_STANDSTILL_SECONDS = 60.0
"""How long an import waits for a pipeline that does nothing before other jobs get its place."""

MOST_ATTEMPTS = 10
"""Starts without a single row read, after which a file counts as unreadable."""

KEEP_FAILED_FILES = timedelta(days=7)
QUICK_COMPRESSION = 1
LONGEST_FILENAME = 200
ERROR_COLUMNS = ("unit_id", "import_id", "row_number", "reason", "row")

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


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

    Reads the stream in pieces. Raises NotCsvError, BadFileError and FileTooLargeError, mostly
    before much of it is read; nothing is kept then, once the caller rolls back.
    """
    check_declared_type(filename, content_type)
    pieces = read_pieces(stream, max_bytes=max_bytes)
    first = next(pieces, b"")
    beginning = recognise(first)
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
        filename=_plain_filename(filename),
        encoding=judge.decide(),
        size_bytes=size_bytes,
        skip_triggers=skip_triggers,
        created_at=now,
    )
    after_commit(f"import {import_id}", lambda: _send(queue, scope, import_id))
    return queries.get_import(scope, import_id)


def advance_import(
    scope: Scope,
    import_id: UUID,
    *,
    ring: Callable[[], None],
    is_stopping: Callable[[], bool],
) -> None:
    """Read a file into the inbox from where it stands, to its end or until `is_stopping`.

    Commits batch by batch, each with its checkpoint, so that a killed worker repeats and loses
    nothing; rings the pipeline after each. Returns at once when another worker is at it or there
    is nothing to do.
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
        _send(queue, Scope(one.org_id, one.unit_id), one.import_id)
    return len(due)


def forget_failed_files(*, now: datetime) -> None:
    """Delete the stored files of imports that failed long ago; of finished ones none are left."""
    failed = select(ImportRow.unit_id, ImportRow.import_id).where(
        ImportRow.state == ImportState.FAILED, ImportRow.finished_at < now - KEEP_FAILED_FILES
    )
    for unit_id, import_id in session().execute(failed).all():
        _delete_chunks(unit_id, import_id)


def _insert_import(
    principal: Principal, scope: Scope, import_id: UUID, beginning: Beginning, **values: Any
) -> None:
    session().execute(
        insert(ImportRow).values(
            unit_id=scope.unit_id,
            import_id=import_id,
            org_id=scope.org_id,
            state=ImportState.QUEUED,
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
    file = queries.get_import(scope, import_id)
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
    file = queries.get_import(scope, import_id)
    reader = _open(scope, file)
    bytes_read, is_last = file.bytes_read, False
    while not is_last:
        if is_stopping() or not _wait_for_room(scope, import_id, is_stopping):
            _leave(scope, import_id)
            return
        batch = reader.read(now=utc_now())
        if not _store_batch(scope, import_id, batch, expected_bytes_read=bytes_read):
            rollback()
            log.warning("import %s is read by another worker: leaving it to that", import_id)
            return
        commit()
        ring()
        bytes_read, is_last = batch.bytes_read, batch.is_last


def _open(scope: Scope, file: Import) -> BatchReader:
    layout = file.layout
    text = open_text(scope, file.import_id, encoding=layout.encoding, offset=file.bytes_read)
    records = Records(
        text,
        delimiter=layout.delimiter,
        encoding=layout.encoding,
        offset=file.bytes_read,
        row=file.last_row,
    )
    return BatchReader(records, layout, source=queries.source_of(file.import_id))


def _store_batch(scope: Scope, import_id: UUID, batch: Batch, *, expected_bytes_read: int) -> bool:
    """Move the checkpoint and put the rows where they belong, in this transaction.

    False when the checkpoint is not where this worker left it: then none of it may be stored.
    """
    now = utc_now()
    values: dict[str, Any] = {"state": ImportState.FINISHED, "finished_at": now, "error": None}
    moved = session().scalar(
        _update(scope, import_id)
        .where(ImportRow.bytes_read == expected_bytes_read, ImportRow.state == ImportState.RUNNING)
        .values(
            bytes_read=batch.bytes_read,
            last_row=batch.last_row,
            rows_read=ImportRow.rows_read + len(batch.arrivals) + len(batch.errors),
            rows_accepted=ImportRow.rows_accepted + len(batch.arrivals),
            rows_failed=ImportRow.rows_failed + len(batch.errors),
            attempts=0,
            beat_at=now,
            **(values if batch.is_last else {}),
        )
        .returning(ImportRow.import_id)
    )
    if moved is None:
        return False
    intake.post(scope, batch.arrivals)
    rows = (
        (scope.unit_id, import_id, error.row_number, error.reason, error.row)
        for error in batch.errors
    )
    copy_rows("import_errors", ERROR_COLUMNS, rows)
    if batch.is_last:
        _delete_chunks(scope.unit_id, import_id)
    return True


def _wait_for_room(scope: Scope, import_id: UUID, is_stopping: Callable[[], bool]) -> bool:
    """Wait while the inbox is full; False when it is time to leave."""
    last_seen, moved_at = 0, time.monotonic()
    while (waiting := event_queries.inbox_status(scope).waiting) >= DEEPEST_INBOX:
        if waiting != last_seen:
            last_seen, moved_at = waiting, time.monotonic()
        has_stalled = time.monotonic() - moved_at > LONGEST_STANDSTILL_SECONDS
        if has_stalled or is_stopping():
            return False
        _set(scope, import_id, beat_at=utc_now())
        commit()
        time.sleep(LOOK_AGAIN_SECONDS)
    return True


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


def _send(queue: JobQueue, scope: Scope, import_id: UUID) -> None:
    queue.send(RUN_IMPORT, str(scope.unit_id), str(import_id), job_id=f"import-{import_id}")


def _set(scope: Scope, import_id: UUID, **values: Any) -> None:
    session().execute(_update(scope, import_id).values(**values))


def _update(scope: Scope, import_id: UUID) -> Update:
    return update(ImportRow).where(
        ImportRow.unit_id == scope.unit_id, ImportRow.import_id == import_id
    )


def _delete_chunks(unit_id: UUID, import_id: UUID) -> None:
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
