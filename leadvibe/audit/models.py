"""The audit table: one row per request that writes, and per sign-in."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from leadvibe.lib.db import Base


class AuditRow(Base):
    __tablename__ = "audit_log"
    __table_args__ = (Index("ix_audit_log_org_id_created_at", "org_id", "created_at"),)

    audit_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID | None]
    unit_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(comment="e-mail address, client id, or command")
    method: Mapped[str]
    path: Mapped[str]
    status: Mapped[int]
    ip: Mapped[str | None]
    latency_ms: Mapped[int]
    request_id: Mapped[str | None]
