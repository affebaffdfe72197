"""The audit table: one row per request that writes, and per sign-in."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from leadvibe.lib.db import Base


class AuditRow(Base):
    __tablename__ = "audit_log"
    __table_args__ = (
        Index("ix_audit_log_org_id_created_at", "org_id", "created_at"),
        Index("ix_audit_log_unit", "unit_id", "created_at", "audit_id"),
        Index("ix_audit_log_actor", "unit_id", "actor", "created_at", "audit_id"),
        Index(
            "ix_audit_log_no_unit", "org_id", "created_at", "audit_id",
            postgresql_where=text("unit_id IS NULL"),
        ),
        Index("ix_audit_log_created_at", "created_at"),
    )  # fmt: skip

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
    via: Mapped[str | None]
    token_name: Mapped[str | None]
