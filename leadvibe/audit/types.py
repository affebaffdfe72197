"""What the audit keeps about one request or command."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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
