"""Tables of the list of leads."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from leadvibe.lib.db import Base


class RareMembersRow(Base):
    """The leads whose properties met a condition when all were last looked at."""

    __tablename__ = "rare_members"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(
        Text(collation="C"), primary_key=True, comment="of what they meet"
    )
    snapshot: Mapped[str] = mapped_column(comment="which transactions the search saw")
    lead_ids: Mapped[list[str] | None] = mapped_column(
        ARRAY(Text()), comment="null when there are too many"
    )
    found_at: Mapped[datetime]
