"""The table of keys: small, for each row is gone after a day."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from leadvibe.lib.db import Base


class IdempotencyKeyRow(Base):
    """A request that succeeded, written in its own transaction."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)

    caller_id: Mapped[UUID] = mapped_column(primary_key=True, comment="a member or a credential")
    key: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    org_id: Mapped[UUID]
    fingerprint: Mapped[bytes]
    status: Mapped[int] = mapped_column(SmallInteger)
    headers: Mapped[dict[str, Any]]
    body: Mapped[bytes | None] = mapped_column(comment="null when it held a secret")
    created_at: Mapped[datetime]
