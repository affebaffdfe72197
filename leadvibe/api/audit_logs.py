"""The audit: who asked for which change, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, Field

from leadvibe.api.fields import LARGEST_INTEGER, Text
from leadvibe.audit.queries import search_entries
from leadvibe.audit.types import AuditOrder, AuditSearch, Entry
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal
from leadvibe.lib.errors import ForbiddenError
from leadvibe.lib.paging import MAX_PAGE_SIZE

DEFAULT_LIMIT = 100


class Method(StrEnum):
    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"


class SortOrder(StrEnum):
    ASC = "ASC"
    DESC = "DESC"


class AuditQuery(BaseModel):
    """Which entries are wanted, and in which order."""

    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_PAGE_SIZE, description="How many entries.")
    offset: int = Field(0, ge=0, le=LARGEST_INTEGER, description="How many to skip.")
    search: Text = Field("", description="Part of the address of a person, of a path or of an IP.")
    method: Method | None = Field(None, description="Only requests with this method.")
    status_min: int | None = Field(
        None, ge=-LARGEST_INTEGER, le=LARGEST_INTEGER, description="The lowest status, inclusive."
    )
    status_max: int | None = Field(
        None, ge=-LARGEST_INTEGER, le=LARGEST_INTEGER, description="The highest, inclusive."
    )
    user_email: Text | None = Field(
        None, description="Only what this person did, by their whole address; or by a client_id."
    )
    sort_by: AuditOrder = Field(AuditOrder.CREATED_AT, description="What to sort by.")
    sort_order: SortOrder = Field(SortOrder.DESC, description="In which direction.")
    all_units: bool = Field(
        default=False, description="For admins: of all units, and not of the active one alone."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditItem:
    """One request or command that asked for a change, or a sign-in.

    `user_email` is the client_id for a program with API credentials, and `command` for the command
    line. `via` says how they proved who they are, `token_name` with which personal access token.
    """

    created_at: datetime
    user_email: str
    method: str
    path: str
    status: int
    ip: str | None
    latency_ms: int
    unit_id: UUID | None
    via: str | None
    token_name: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    items: list[AuditItem]
    limit: int
    offset: int


def list_entries(principal: Principal, query: AuditQuery) -> AuditPage:
    """What was asked for in the active unit, the latest first: every write, done or refused.

    Admins also see what belongs to no unit, such as sign-ins. Events that come in leave no entry.
    """
    found = search_entries(
        principal.org_id,
        _wanted(query),
        places=_places(principal, query),
        limit=query.limit,
        offset=query.offset,
    )
    return AuditPage(items=[_item(it) for it in found], limit=query.limit, offset=query.offset)


def _places(principal: Principal, query: AuditQuery) -> list[UUID | None] | None:
    if not can(principal, Permission.ADMINISTER):
        if query.all_units:
            raise ForbiddenError("Only an admin sees the audit of all units: leave all_units out.")
        return [principal.scope.unit_id]
    return None if query.all_units else [principal.scope.unit_id, None]


def _wanted(query: AuditQuery) -> AuditSearch:
    return AuditSearch(
        text=query.search.strip(),
        actor=query.user_email.strip().lower() if query.user_email else None,
        method=query.method,
        status_min=query.status_min,
        status_max=query.status_max,
        order=query.sort_by,
        is_descending=query.sort_order is SortOrder.DESC,
    )


def _item(entry: Entry) -> AuditItem:
    return AuditItem(
        created_at=entry.created_at,
        user_email=entry.actor,
        method=entry.method,
        path=entry.path,
        status=entry.status,
        ip=entry.ip,
        latency_ms=entry.latency_ms,
        unit_id=entry.unit_id,
        via=entry.via,
        token_name=entry.token_name,
        request_id=entry.request_id,
    )
