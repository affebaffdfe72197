"""Leads as this API writes them: all keys always there, null or an empty list when empty."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal, cast
from uuid import UUID

from pydantic import WithJsonSchema

from leadvibe.leadlist.record_types import Record
from leadvibe.leads.statuses import Status
from leadvibe.lib.paging import Page

Instant = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
StatusName = Literal["NOT_CONTACTED", "CONTACTED", "QUALIFIED", "CONVERTED", "LOST"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadItem:
    """A lead, in the contract's names and order."""

    id: str
    name: str
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    primaryPhone: str | None
    primaryEmail: str | None
    contactId: str
    company: str | None
    source: str | None
    status: StatusName
    notes: str | None
    nextCallAt: Instant | None
    createdAt: Instant
    updatedAt: Instant
    assignedToId: UUID | None
    clientId: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pagination:
    page: int
    pageSize: int
    total: int
    totalPages: int
    """0 when there is nothing."""
    hasNextPage: bool
    hasPrevPage: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadPage:
    data: tuple[LeadItem, ...]
    pagination: Pagination


def lead_item(record: Record, *, now: datetime) -> LeadItem:
    fields = record.fields
    return LeadItem(
        id=record.lead_id,
        name=record.name or record.display_name,
        phones=record.phones,
        emails=record.emails,
        primaryPhone=record.phone,
        primaryEmail=record.email,
        contactId=fields["contact_id"] or record.lead_id,
        company=fields["company"],
        source=fields["source"],
        status=status_name(record.status),
        notes=fields["notes"],
        nextCallAt=written(fields["next_call_at"]) if fields["next_call_at"] else None,
        createdAt=written(record.created_at),
        updatedAt=written(record.updated_at),
        assignedToId=record.holder_at(now),
        clientId=fields["client_id"],
    )


def lead_page(page: Page[Record], *, now: datetime) -> LeadPage:
    number, size, total = page.request.page, page.request.size, page.total.count
    last = -(-total // size)
    return LeadPage(
        data=tuple(lead_item(record, now=now) for record in page.items),
        pagination=Pagination(
            page=number,
            pageSize=size,
            total=total,
            totalPages=last,
            hasNextPage=number < last,
            hasPrevPage=number > 1,
        ),
    )


def status_name(status: Status) -> StatusName:
    return cast("StatusName", status.name)


def written(at: datetime) -> str:
    """Write an instant as ISO-8601 in UTC with milliseconds and Z."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
