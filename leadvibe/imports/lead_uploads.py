"""A file of leads before it is imported: uploaded, looked at, and told what its columns mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from uuid import UUID

from pydantic_core import to_json

from leadvibe.identity.types import Principal, Scope
from leadvibe.imports import queries
from leadvibe.imports.errors import (
    BadPlanError,
    ImportNotFoundError,
    LeadFileNotFoundError,
    LeadFileStartedError,
)
from leadvibe.imports.lead_rows import EMAIL
from leadvibe.imports.reading import Broken
from leadvibe.imports.rows import is_blank
from leadvibe.imports.service import START_WITHIN, send_import, store_file
from leadvibe.imports.stored_file import open_records
from leadvibe.imports.types import FileKind, Import, ImportState, LeadPlan
from leadvibe.imports.uploading import Readable
from leadvibe.lib.db import driver
from leadvibe.lib.queue import JobQueue

MAX_BYTES = 10 * 1024**2
"""Of a file of leads, unpacked; the contract's number."""

LONGEST_PROPERTY = 200

SAMPLE_ROWS = 5
ROWS_LOOKED_AT = 200
"""Among which values are looked at to find out what a column holds."""

LONGEST_SAMPLE_VALUE = 1_000

_EMAIL_NAME = re.compile(r"e[\s_-]*mail", re.IGNORECASE)
_PHONE_NAME = re.compile(r"phone|mobile|\bcell\b|\btel\b|telefon", re.IGNORECASE)
_PHONE = re.compile(r"(\+|00)[\d\s()./-]{6,}")
"""With its country's code: without, a date or a number of anything looks the same."""

_SHOWN_HEADERS = 20
_TIMED = 7  # the version of UUIDs that begin with their time
_REMEMBERED = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadPreview:
    """What a file of leads holds. `rows` counts all that are not blank, and broken ones, too."""

    file: Import
    headers: Sequence[str]
    sample: Sequence[Sequence[str]]
    rows: int
    email_columns: Sequence[str]
    phone_columns: Sequence[str]
    expires_at: datetime


def upload_leads(
    principal: Principal,
    scope: Scope,
    *,
    filename: str,
    stream: Readable,
    max_bytes: int = MAX_BYTES,
    content_type: str = "",
    now: datetime,
) -> LeadPreview:
    """Store a file of leads and say what is in it. It is forgotten unless it is started soon.

    Raises NotCsvError, BadFileError and FileTooLargeError.
    """
    file = store_file(
        principal,
        scope,
        kind=FileKind.LEADS,
        filename=filename,
        stream=stream,
        max_bytes=max_bytes,
        content_type=content_type,
        now=now,
    )
    return _look_at(scope, file)


def start_leads(
    principal: Principal,
    scope: Scope,
    file_id: UUID,
    plan: LeadPlan,
    *,
    queue: JobQueue,
    now: datetime,
) -> Import:
    """Have a worker import a file of leads once the caller has committed.

    Raises LeadFileNotFoundError, also when its time is over, LeadFileStartedError, and BadPlanError
    for a plan that does not fit the file.
    """
    file = _get_waiting(scope, file_id, now=now)
    _check(plan, headers_of(file))
    statement = """
        UPDATE imports SET state = %s, plan = %s::jsonb, created_by = %s
        WHERE unit_id = %s AND import_id = %s AND state = %s
    """
    document = to_json(plan.to_json()).decode()
    moved = driver().execute(
        statement,
        (
            ImportState.QUEUED,
            document,
            principal.label,
            scope.unit_id,
            file_id,
            ImportState.UPLOADED,
        ),
    )
    if not moved.rowcount:
        raise _started(file_id)
    started = queries.get_lead_import(scope, file_id)
    send_import(queue, started)
    return started


def look_again(scope: Scope, file_id: UUID, *, now: datetime) -> LeadPreview:
    """Say what is in a file that waits. Raises LeadFileNotFoundError and LeadFileStartedError."""
    return _look_at(scope, _get_waiting(scope, file_id, now=now))


def keep_plan(scope: Scope, file_id: UUID, plan: LeadPlan, *, now: datetime) -> None:
    """Note what is said of a file's columns so far, without starting it.

    Raises LeadFileNotFoundError, LeadFileStartedError and BadPlanError.
    """
    file = _get_waiting(scope, file_id, now=now)
    _check(plan, headers_of(file))
    driver().execute(
        "UPDATE imports SET plan = %s::jsonb WHERE unit_id = %s AND import_id = %s AND state = %s",
        (to_json(plan.to_json()).decode(), scope.unit_id, file_id, ImportState.UPLOADED),
    )


def is_expired(file_id: UUID, *, now: datetime) -> bool:
    """Say whether an id is of a time whose files have waited too long, wherever they were.

    Ids tell when they were made, and so nobody learns what there was in another unit.
    """
    uploaded_at = datetime.fromtimestamp((file_id.int >> 80) / 1000, UTC)
    return file_id.version == _TIMED and now - _REMEMBERED < uploaded_at <= now - START_WITHIN


def headers_of(file: Import) -> list[str]:
    """Return the names of the columns that have one, in order."""
    return [name.strip() for name in file.layout.header if name.strip()]


def _look_at(scope: Scope, file: Import) -> LeadPreview:
    records = open_records(scope, file)
    rows = (values for values in records if isinstance(values, Broken) or not is_blank(values))
    first = list(islice(rows, ROWS_LOOKED_AT))
    columns = _columns(file, [values for values in first if not isinstance(values, Broken)])
    return LeadPreview(
        file=file,
        headers=list(columns),
        sample=list(zip(*(_sample(values) for values in columns.values()), strict=True)),
        rows=len(first) + sum(1 for _ in rows),
        email_columns=[name for name, values in columns.items() if _has_emails(name, values)],
        phone_columns=[name for name, values in columns.items() if _has_phones(name, values)],
        expires_at=file.created_at + START_WITHIN,
    )


def _columns(file: Import, rows: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    """Return the values in each column that has a name; a row may be too short to have one."""
    return {
        name.strip(): [values[index].strip() if index < len(values) else "" for values in rows]
        for index, name in enumerate(file.layout.header)
        if name.strip()
    }


def _sample(values: Sequence[str]) -> list[str]:
    """Return the first values as JSON can hold them: bytes that the encoding lacks are marked."""
    return [
        value[:LONGEST_SAMPLE_VALUE].encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        for value in values[:SAMPLE_ROWS]
    ]


def _has_emails(name: str, values: Iterable[str]) -> bool:
    """Go by the values: "E-mail opt-in" promises what no value holds."""
    given = [value for value in values if value]
    return _are_mostly(EMAIL, given) if given else bool(_EMAIL_NAME.search(name))


def _has_phones(name: str, values: Iterable[str]) -> bool:
    given = [value for value in values if value]
    return _are_mostly(_PHONE, given) or bool(_PHONE_NAME.search(name))


def _are_mostly(pattern: re.Pattern[str], values: Sequence[str]) -> bool:
    return 2 * sum(1 for value in values if pattern.fullmatch(value)) > len(values)


def _get_waiting(scope: Scope, file_id: UUID, *, now: datetime) -> Import:
    try:
        file = queries.get_file(scope, file_id)
    except ImportNotFoundError:
        raise _not_found(file_id) from None
    if file.kind is not FileKind.LEADS:
        raise _not_found(file_id)
    if file.state is not ImportState.UPLOADED:
        raise _started(file_id)
    if file.created_at + START_WITHIN <= now:
        raise _not_found(file_id)
    return file


def _not_found(file_id: UUID) -> LeadFileNotFoundError:
    return LeadFileNotFoundError(
        f"No file '{file_id}' waits in this unit, or its hour is over: upload it again."
    )


def _started(file_id: UUID) -> LeadFileStartedError:
    return LeadFileStartedError(f"The file '{file_id}' is being imported, or was.")


def _check(plan: LeadPlan, headers: Sequence[str]) -> None:
    """Raise BadPlanError unless the plan names columns that there are, and each property once."""
    known = set(headers)
    named = {
        "primary_identifier.column": [plan.primary_column],
        "field_mappings": plan.properties,
        "alias_mappings": plan.aliases,
        "owner_column": [] if plan.owner_column is None else [plan.owner_column],
    }
    for field, columns in named.items():
        for column in columns:
            if column not in known:
                raise BadPlanError(
                    field, f"names '{column}', which is no column of the file ({_listed(headers)})"
                )
    targets = list(plan.properties.values())
    for name in targets:
        if targets.count(name) > 1:
            raise BadPlanError("field_mappings", f"maps several columns to '{name}'")


def _listed(headers: Sequence[str]) -> str:
    shown = ", ".join(headers[:_SHOWN_HEADERS])
    return f"{shown}, …" if len(headers) > _SHOWN_HEADERS else shown
