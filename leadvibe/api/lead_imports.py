"""Imports of lead files: what a file holds, what its columns mean, and what became of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, cast
from uuid import UUID

from pydantic import BaseModel, Field

from leadvibe.api.answers import Csv, set_header
from leadvibe.api.fields import ImportId, Text
from leadvibe.api.imports import FILE, limit_bytes, uploaded_file
from leadvibe.http.workers import job_queue
from leadvibe.identity.types import Principal
from leadvibe.imports import lead_uploads, queries
from leadvibe.imports.lead_uploads import LeadPreview
from leadvibe.imports.types import Import, LeadPlan
from leadvibe.leads.types import AliasKind
from leadvibe.lib.clock import utc_now
from leadvibe.pipeline.intake import ShortText

UPLOAD = FILE
ERRORS_SHOWN = 100
MOST_MAPPINGS = 500

Status = Literal["queued", "running", "finished", "failed"]
"""Of an import that somebody has started."""

Column = Text
"""The name of a column, as the preview gives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectedIdentifiers:
    """Columns that hold addresses or phone numbers, by their values and names."""

    email_columns: Sequence[str]
    phone_columns: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFilePreview:
    """What a file of leads holds. `file_id` is what to start it by, until `expires_at`."""

    file_id: UUID
    file_name: str
    headers: Sequence[str]
    sample_rows: Sequence[Sequence[str]]
    row_count: int
    auto_detected_identifiers: DetectedIdentifiers
    expires_at: datetime


class PrimaryIdentifier(BaseModel):
    """What says whose row it is: a lead that has it already is the same lead."""

    column: Column = Field(description="The column of the file that holds it.")
    kind: AliasKind = Field(description="What kind of identifier it is.")


class LeadImportStart(BaseModel):
    """What the columns of an uploaded file mean. Those that nobody mentions mean nothing."""

    file_id: UUID = Field(description="As the preview gave it.")
    primary_identifier: PrimaryIdentifier
    field_mappings: Annotated[dict[Column, ShortText], Field(max_length=MOST_MAPPINGS)] = Field(
        default_factory=dict, description="Which column holds which property of the lead."
    )
    alias_mappings: Annotated[dict[Column, AliasKind], Field(max_length=MOST_MAPPINGS)] = Field(
        default_factory=dict, description="Which column holds another identifier, and of what kind."
    )

    owner_column: Column | None = Field(
        None,
        description="Which column holds who looks after the lead: a member's e-mail address.",
    )

    @property
    def plan(self) -> LeadPlan:
        return LeadPlan(
            primary_column=self.primary_identifier.column.strip(),
            primary_kind=self.primary_identifier.kind,
            properties={name.strip(): value for name, value in self.field_mappings.items()},
            aliases={name.strip(): kind for name, kind in self.alias_mappings.items()},
            owner_column=self.owner_column.strip() if self.owner_column else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedLeadImport:
    job_id: UUID
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """A row that was not imported; the header is row 1."""

    row: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadImportItem:
    """How far an import is. `created`, `updated` and `skipped` rows add up to `processed` ones.

    `errors` are the first of the skipped rows; all of them are at `/leads/import/{jobId}/errors`.
    """

    job_id: UUID
    file_name: str
    status: Status
    percent: int
    processed: int
    created: int
    updated: int
    skipped: int
    errors: Sequence[RefusedRow]
    error: str | None
    created_at: datetime
    created_by: str
    started_at: datetime | None
    completed_at: datetime | None


def preview_leads(principal: Principal) -> LeadFilePreview:
    """Upload a CSV file of leads, plain or gzip, of up to 10 MB, and see what is in it.

    Nothing is imported until it is started.
    """
    max_bytes = min(lead_uploads.MAX_BYTES, limit_bytes())
    upload = uploaded_file(max_bytes=max_bytes)
    return _preview(
        lead_uploads.upload_leads(
            principal,
            principal.scope,
            filename=upload.filename or "",
            stream=upload.stream,
            max_bytes=max_bytes,
            content_type=upload.mimetype,
            now=utc_now(),
        )
    )


def start_leads(principal: Principal, body: LeadImportStart) -> StartedLeadImport:
    """Import an uploaded file in the background: its rows make leads, or add to those known."""
    started = lead_uploads.start_leads(
        principal, principal.scope, body.file_id, body.plan, queue=job_queue(), now=utc_now()
    )
    set_header("Location", f"/leads/import/{started.import_id}")
    return StartedLeadImport(job_id=started.import_id, status=_status(started))


def get_lead_import(principal: Principal, import_id: ImportId) -> LeadImportItem:
    """How far an import of leads is, and which rows it refused."""
    scope = principal.scope
    file = queries.get_lead_import(scope, import_id)
    errors = queries.list_errors(scope, import_id, limit=ERRORS_SHOWN) if file.rows_failed else []
    return _item(file, [RefusedRow(row=it.row_number, message=it.reason) for it in errors])


def export_errors(principal: Principal, import_id: ImportId) -> Csv:
    """The rows that were not imported, with their number and the reason."""
    queries.get_lead_import(principal.scope, import_id)
    text = queries.write_errors_csv(principal.scope, import_id)
    return Csv(f"lead-import-{import_id}-errors.csv", lambda: text)


def _status(file: Import) -> Status:
    return cast("Status", file.state.value)


def _preview(preview: LeadPreview) -> LeadFilePreview:
    return LeadFilePreview(
        file_id=preview.file.import_id,
        file_name=preview.file.filename,
        headers=preview.headers,
        sample_rows=preview.sample,
        row_count=preview.rows,
        auto_detected_identifiers=DetectedIdentifiers(
            email_columns=preview.email_columns, phone_columns=preview.phone_columns
        ),
        expires_at=preview.expires_at,
    )


def _item(file: Import, errors: Sequence[RefusedRow]) -> LeadImportItem:
    return LeadImportItem(
        job_id=file.import_id,
        file_name=file.filename,
        status=_status(file),
        percent=file.percent_read,
        processed=file.rows_read,
        created=file.rows_created,
        updated=file.rows_accepted - file.rows_created,
        skipped=file.rows_failed,
        errors=errors,
        error=file.error,
        created_at=file.created_at,
        created_by=file.created_by,
        started_at=file.started_at,
        completed_at=file.finished_at,
    )
