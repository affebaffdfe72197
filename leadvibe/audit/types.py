"""What the audit keeps about one request or command, and how its entries are looked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that somebody did, or tried to do. Holds no request body and no query string."""

    created_at: datetime
    actor: str
    """E-mail address of a member, client id of a credential, or "command"; empty for nobody."""
    method: str
    path: str
    status: int
    latency_ms: int
    org_id: UUID | None = None
    unit_id: UUID | None = None
    ip: str | None = None
    request_id: str | None = None
    via: str | None = None
    """How they proved who they are; None for nobody, and for entries from before it was kept."""
    token_name: str | None = None
    """Of the personal access token that they came with, if any."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the audit ended: the next is what came before."""

    created_at: datetime
    audit_id: UUID


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry and its place in the audit."""

    place: Place
    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSpan:
    """Entries of one actor, or between two times; what is None leaves it open."""

    actor: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    is_done: bool = False
    """Only what was done, and not what was refused."""


class AuditOrder(StrEnum):
    """What entries are sorted by, in the words of the API."""

    CREATED_AT = "created_at"
    USER_EMAIL = "user_email"
    METHOD = "method"
    PATH = "path"
    STATUS = "status"
    IP = "ip"
    LATENCY_MS = "latency_ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSearch:
    """Which entries are looked for, and in which order; what is None or empty excludes nothing."""

    text: str = ""
    """Stands somewhere in the actor, the path or the address, in whatever case."""
    actor: str | None = None
    method: str | None = None
    status_min: int | None = None
    status_max: int | None = None
    order: AuditOrder = AuditOrder.CREATED_AT
    is_descending: bool = True
