"""Reads of the audit."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from leadvibe.audit.models import AuditRow
from leadvibe.audit.types import Entry
from leadvibe.lib.db import session


def list_entries(org_id: UUID | None, *, limit: int, offset: int = 0) -> list[Entry]:
    """List an organisation's entries, the latest first.

    None lists those of nobody known: sign-ins to addresses that are no member's.
    """
    rows = session().scalars(
        select(AuditRow)
        .where(AuditRow.org_id.is_not_distinct_from(org_id))
        .order_by(AuditRow.created_at.desc(), AuditRow.audit_id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [_entry(row) for row in rows]


def _entry(row: AuditRow) -> Entry:
    return Entry(
        created_at=row.created_at,
        actor=row.actor,
        method=row.method,
        path=row.path,
        status=row.status,
        latency_ms=row.latency_ms,
        org_id=row.org_id,
        unit_id=row.unit_id,
        ip=row.ip,
        request_id=row.request_id,
        via=row.via,
        token_name=row.token_name,
    )
