"""Appending to the audit, and forgetting what is older than it is kept; nothing here changes it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import delete, insert, select

from leadvibe.audit.models import AuditRow
from leadvibe.audit.types import Entry
from leadvibe.lib.db import session
from leadvibe.lib.ids import new_id


def record(entry: Entry) -> None:
    """Append one entry."""
    session().execute(insert(AuditRow).values(audit_id=new_id(), **asdict(entry)))


def forget_entries(*, before: datetime, limit: int) -> int:
    """Delete the oldest entries from before a time, at most so many; returns how many."""
    oldest = (
        select(AuditRow.audit_id)
        .where(AuditRow.created_at < before)
        .order_by(AuditRow.created_at)
        .limit(limit)
    )
    gone = session().scalars(
        delete(AuditRow).where(AuditRow.audit_id.in_(oldest)).returning(AuditRow.audit_id)
    )
    return len(gone.all())
