"""Appending to the audit; nothing here changes or deletes."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import insert

from leadvibe.audit.models import AuditRow
from leadvibe.audit.types import Entry
from leadvibe.lib.db import session
from leadvibe.lib.ids import new_id


def record(entry: Entry) -> None:
    """Append one entry."""
    session().execute(insert(AuditRow).values(audit_id=new_id(), **asdict(entry)))
