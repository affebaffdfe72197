"""Reads of imports: how far they have come, what failed, and which of them nobody works on."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Text, cast, func, literal, select

from leadvibe.events.models import SourceTallyRow
from leadvibe.events.usage import SAMPLE_SOURCE
from leadvibe.identity.types import Scope
from leadvibe.imports.errors import ImportNotFoundError
from leadvibe.imports.models import ImportChunkRow, ImportErrorRow, ImportRow, SampleLoadRow
from leadvibe.imports.types import (
    FileKind,
    Import,
    ImportProgress,
    ImportState,
    Layout,
    LeadPlan,
    RowError,
    SampleLoad,
    SampleState,
)
from leadvibe.lib.db import held_lock_keys, session
from leadvibe.lib.spreadsheets import write_csv

SOURCE_PREFIX = "import:"

STARTS_WITHIN = timedelta(seconds=2)
"""How long a worker may take to begin with what it was just sent."""

_ERRORS_AT_ONCE = 5_000


def source_of(import_id: UUID) -> str:
    """Return what the events of an import carry as their source."""
    return f"{SOURCE_PREFIX}{import_id}"


def get_file(scope: Scope, import_id: UUID) -> Import:
    """Return an uploaded file of any kind. Raises ImportNotFoundError."""
    statement = select(ImportRow).where(
        ImportRow.unit_id == scope.unit_id, ImportRow.import_id == import_id
    )
    row = session().scalar(statement.execution_options(populate_existing=True))
    if row is None:
        raise _not_found(import_id)
    return import_of(row)


def list_filenames(scope: Scope, import_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return what the files of imports are called; those that are unknown are left out."""
    statement = select(ImportRow.import_id, ImportRow.filename).where(
        ImportRow.unit_id == scope.unit_id, ImportRow.import_id.in_(import_ids)
    )
    return {row.import_id: row.filename for row in session().execute(statement)}


def get_import(scope: Scope, import_id: UUID) -> Import:
    """Return an import of events, without what the pipeline did. Raises ImportNotFoundError."""
    file = get_file(scope, import_id)
    if file.kind is not FileKind.EVENTS:
        raise _not_found(import_id)
    return file


def get_lead_import(scope: Scope, import_id: UUID) -> Import:
    """Return an import of leads that somebody has started. Raises ImportNotFoundError."""
    file = get_file(scope, import_id)
    if file.kind is not FileKind.LEADS or file.state is ImportState.UPLOADED:
        raise _not_found(import_id)
    return file


def get_progress(scope: Scope, import_id: UUID, *, now: datetime) -> ImportProgress:
    """Return how far an import of events is, reading and scoring. Raises ImportNotFoundError."""
    statement = _progress(scope).where(ImportRow.import_id == import_id)
    row = session().execute(statement).one_or_none()
    if row is None:
        raise _not_found(import_id)
    return _progress_of(row, now)


def list_progress(
    scope: Scope, *, limit: int, offset: int = 0, now: datetime
) -> list[ImportProgress]:
    """Return the unit's imports of events, the latest first."""
    statement = (
        _progress(scope)
        .order_by(ImportRow.created_at.desc(), ImportRow.import_id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [_progress_of(row, now) for row in session().execute(statement)]


def get_history(scope: Scope, import_id: UUID, *, now: datetime) -> ImportProgress:
    """Return how far an import of either kind is. Raises ImportNotFoundError."""
    statement = _history(scope).where(ImportRow.import_id == import_id)
    row = session().execute(statement).one_or_none()
    if row is None:
        raise _not_found(import_id)
    return _progress_of(row, now)


def list_history(
    scope: Scope,
    *,
    kind: FileKind | None = None,
    limit: int,
    offset: int = 0,
    now: datetime,
) -> list[ImportProgress]:
    """Return the unit's imports of both kinds, or of one, the latest first."""
    statement = (
        _history(scope)
        .order_by(ImportRow.created_at.desc(), ImportRow.import_id.desc())
        .limit(limit)
        .offset(offset)
    )
    if kind is not None:
        statement = statement.where(ImportRow.kind == kind)
    return [_progress_of(row, now) for row in session().execute(statement)]


def count_imports(scope: Scope) -> int:
    """Return how many files of events were ever imported into the unit."""
    statement = (
        select(func.count())
        .select_from(ImportRow)
        .where(ImportRow.unit_id == scope.unit_id, ImportRow.kind == FileKind.EVENTS)
    )
    return session().scalar(statement) or 0


def list_errors(scope: Scope, import_id: UUID, *, limit: int, after_row: int = 0) -> list[RowError]:
    """Return rows that were not imported, in the order of the file, from behind a row on."""
    statement = (
        select(ImportErrorRow.row_number, ImportErrorRow.reason, ImportErrorRow.row)
        .where(
            ImportErrorRow.unit_id == scope.unit_id,
            ImportErrorRow.import_id == import_id,
            ImportErrorRow.row_number > after_row,
        )
        .order_by(ImportErrorRow.row_number)
        .limit(limit)
    )
    return [RowError(*row) for row in session().execute(statement)]


def write_errors_csv(scope: Scope, import_id: UUID) -> Iterator[str]:
    """Yield a CSV of all rows that were not imported, part by part: row, reason, content.

    Raises ImportNotFoundError before the first part. A value that a spreadsheet would take for a
    formula gets a leading apostrophe.
    """
    get_file(scope, import_id)
    errors = _all_errors(scope, import_id)
    return write_csv(
        ("row", "reason", "content"),
        ((error.row_number, error.reason, error.row) for error in errors),
    )


def due_imports(*, now: datetime) -> list[Import]:
    """Return the imports of all units that should be running and that nobody works on.

    A worker holds the import's lock; it falls open the moment the worker dies.
    """
    last_sign = func.coalesce(ImportRow.beat_at, ImportRow.created_at)
    statement = (
        select(ImportRow)
        .where(
            ImportRow.state.in_([ImportState.QUEUED, ImportState.RUNNING]),
            last_sign < now - STARTS_WITHIN,
        )
        .order_by(ImportRow.created_at)
    )
    unfinished = [import_of(row) for row in session().scalars(statement)]
    held = held_lock_keys() if unfinished else set()
    return [one for one in unfinished if lock_key(one.import_id) not in held]


def lock_key(work_id: UUID) -> int:
    """Return the key of the lock that the worker of an import or a sample holds."""
    return int.from_bytes(work_id.bytes[8:], signed=True)


def find_sample(scope: Scope) -> SampleLoad | None:
    """Return how far the unit's sample data is, or None when there is none and nobody asks."""
    row = session().execute(_samples().where(SampleLoadRow.unit_id == scope.unit_id)).one_or_none()
    return _sample_of(row) if row else None


def due_samples(*, now: datetime) -> list[SampleLoad]:
    """Return the samples of all units that should be loaded and that nobody works on."""
    last_sign = func.coalesce(SampleLoadRow.started_at, SampleLoadRow.created_at)
    statement = _samples().where(
        SampleLoadRow.state == SampleState.QUEUED, last_sign < now - STARTS_WITHIN
    )
    waiting = [_sample_of(row) for row in session().execute(statement)]
    held = held_lock_keys() if waiting else set()
    return [load for load in waiting if lock_key(load.load_id) not in held]


def read_chunk(scope: Scope, import_id: UUID, number: int) -> bytes:
    """Return a piece of the uploaded file; empty behind its end."""
    statement = select(ImportChunkRow.data).where(
        ImportChunkRow.unit_id == scope.unit_id,
        ImportChunkRow.import_id == import_id,
        ImportChunkRow.number == number,
    )
    data = session().scalar(statement)
    return zlib.decompress(data) if data is not None else b""


def import_of(row: ImportRow) -> Import:
    """Return the import that a row holds."""
    return Import(
        import_id=row.import_id,
        unit_id=row.unit_id,
        org_id=row.org_id,
        kind=FileKind(row.kind),
        filename=row.filename,
        state=ImportState(row.state),
        plan=None if row.plan is None else LeadPlan.from_json(row.plan),
        layout=Layout(encoding=row.encoding, delimiter=row.delimiter, header=tuple(row.header)),
        size_bytes=row.size_bytes,
        bytes_read=row.bytes_read,
        last_row=row.last_row,
        rows_read=row.rows_read,
        rows_accepted=row.rows_accepted,
        rows_failed=row.rows_failed,
        rows_created=row.rows_created,
        skip_triggers=row.skip_triggers,
        attempts=row.attempts,
        error=row.error,
        created_at=row.created_at,
        created_by=row.created_by,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def _progress(scope: Scope) -> Select[*tuple[Any, ...]]:
    return _with_tallies(scope).where(ImportRow.kind == FileKind.EVENTS)


def _history(scope: Scope) -> Select[*tuple[Any, ...]]:
    """Leave out files of leads that nobody has started."""
    return _with_tallies(scope).where(ImportRow.state != ImportState.UPLOADED)


def _with_tallies(scope: Scope) -> Select[*tuple[Any, ...]]:
    columns: tuple[Any, ...] = (
        SourceTallyRow.processed,
        SourceTallyRow.duplicates,
        SourceTallyRow.failed,
        SourceTallyRow.updated_at,
    )
    source = literal(SOURCE_PREFIX) + cast(ImportRow.import_id, Text)
    is_its_tally = (SourceTallyRow.unit_id == ImportRow.unit_id) & (SourceTallyRow.source == source)
    return (
        select(ImportRow, *columns)
        .outerjoin(SourceTallyRow, is_its_tally)
        .where(ImportRow.unit_id == scope.unit_id)
        .execution_options(populate_existing=True)
    )


def _progress_of(row: Row[*tuple[Any, ...]], now: datetime) -> ImportProgress:
    stored, scored, duplicates, unscored, scored_at = row
    return ImportProgress(
        file=import_of(stored),
        scored=scored or 0,
        duplicates=duplicates or 0,
        unscored=unscored or 0,
        scored_at=scored_at,
        as_of=now,
    )


def _samples() -> Select[*tuple[Any, ...]]:
    columns: tuple[Any, ...] = (
        func.coalesce(
            SourceTallyRow.processed + SourceTallyRow.duplicates + SourceTallyRow.failed, 0
        ),
    )
    is_its_tally = (SourceTallyRow.unit_id == SampleLoadRow.unit_id) & (
        SourceTallyRow.source == SAMPLE_SOURCE
    )
    return (
        select(SampleLoadRow, *columns)
        .outerjoin(SourceTallyRow, is_its_tally)
        .execution_options(populate_existing=True)
    )


def _sample_of(found: Row[*tuple[Any, ...]]) -> SampleLoad:
    row, handled = found
    return SampleLoad(
        load_id=row.load_id,
        unit_id=row.unit_id,
        org_id=row.org_id,
        state=SampleState(row.state),
        leads=row.leads,
        events=row.events,
        rules=row.rules,
        handled=handled,
        error=row.error,
        created_at=row.created_at,
        created_by=row.created_by,
        started_at=row.started_at,
    )


def _all_errors(scope: Scope, import_id: UUID) -> Iterator[RowError]:
    after_row = 0
    while errors := list_errors(scope, import_id, limit=_ERRORS_AT_ONCE, after_row=after_row):
        after_row = errors[-1].row_number
        yield from errors


def _not_found(import_id: UUID) -> ImportNotFoundError:
    return ImportNotFoundError(f"There is no import '{import_id}' in this unit.")
