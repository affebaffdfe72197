"""The table of quick starts."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from leadvibe.lib.db import Base


class QuickStartRow(Base):
    """What a unit answered last, and what was made of it; both empty when it was only dismissed."""

    __tablename__ = "quick_starts"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    answers: Mapped[Any] = mapped_column(JSONB(none_as_null=True), nullable=True)
    made: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    applied_at: Mapped[datetime | None]
    applied_by: Mapped[str] = mapped_column(server_default=text("''"))
    dismissed_at: Mapped[datetime | None]
