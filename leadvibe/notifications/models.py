"""Tables of what is on its way to people."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from leadvibe.lib.db import Base


class LinkMailRow(Base):
    """The latest mail with a link to a member; it holds no link, for each attempt makes one.

    `attempts` and `asked_at` name an attempt, so that one which was overtaken changes nothing.
    """

    __tablename__ = "link_mails"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'sent', 'failed')", name="state"),
        Index("ix_link_mails_due_at", "due_at", postgresql_where=text("state = 'waiting'")),
    )

    org_member_id: Mapped[UUID] = mapped_column(
        ForeignKey("members.org_member_id", ondelete="CASCADE"), primary_key=True
    )
    org_id: Mapped[UUID] = mapped_column(index=True)
    session_epoch: Mapped[int] = mapped_column(
        comment="the member's when it was asked for; a password chosen since makes it stale"
    )
    is_invitation: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="also for somebody who has a password already"
    )
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    problem: Mapped[str | None]
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(
        comment="the next attempt; while one is under way, when it counts as lost"
    )
