"""Tables of views of the lead list."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from leadvibe.lib.db import Base


class LeadViewRow(Base):
    """Filters, order and columns of the lead list under a name."""

    __tablename__ = "lead_views"
    __table_args__ = (
        UniqueConstraint("unit_id", "org_member_id", "name", postgresql_nulls_not_distinct=True),
    )

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    view_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_member_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("members.org_member_id", ondelete="CASCADE"),
        index=True,
        comment="whose it is; null when the unit shares it",
    )
    name: Mapped[str]
    query: Mapped[dict[str, Any]] = mapped_column(comment="parameters of the list, by name")
    columns: Mapped[list[str]] = mapped_column(
        ARRAY(Text()), comment="empty where it leaves them to the member who looks"
    )
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    created_by: Mapped[str]
    updated_by: Mapped[str]


class LeadColumnsRow(Base):
    """Which columns of the lead list a member has chosen in a unit."""

    __tablename__ = "lead_columns"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_member_id: Mapped[UUID] = mapped_column(
        ForeignKey("members.org_member_id", ondelete="CASCADE"), primary_key=True, index=True
    )
    columns: Mapped[list[str]] = mapped_column(ARRAY(Text()))
