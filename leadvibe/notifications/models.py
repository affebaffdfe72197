"""Tables of what is on its way to people."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from leadvibe.lib.db import Base


class SlackAppRow(Base):
    """The organisation's own Slack app: what its units connect their workspaces with."""

    __tablename__ = "slack_apps"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.org_id"), primary_key=True)
    client_id: Mapped[str]
    sealed_secret: Mapped[str]
    updated_at: Mapped[datetime]
    updated_by: Mapped[str]


class SlackConnectionRow(Base):
    """The workspace that a unit writes to; what it was stays when the connection has ended."""

    __tablename__ = "slack_connections"
    __table_args__ = (
        CheckConstraint("default_target_kind IN ('channel', 'user')", name="default_target_kind"),
    )

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    team_id: Mapped[str]
    team_name: Mapped[str]
    bot_user_id: Mapped[str]
    sealed_token: Mapped[str | None] = mapped_column(comment="null once the connection has ended")
    problem: Mapped[str | None] = mapped_column(comment="why it ended, unless somebody ended it")
    default_target_kind: Mapped[str | None]
    default_target_id: Mapped[str | None]
    default_target_name: Mapped[str | None]
    connected_at: Mapped[datetime]
    connected_by: Mapped[str]
    updated_at: Mapped[datetime]


class SlackStateRow(Base):
    """An installation that somebody has begun: it works once, and not for long."""

    __tablename__ = "slack_states"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    state_sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    org_member_id: Mapped[UUID] = mapped_column(
        ForeignKey("members.org_member_id", ondelete="CASCADE")
    )
    expires_at: Mapped[datetime]


class SlackIdentityRow(Base):
    """Who a member is in the unit's workspace."""

    __tablename__ = "slack_identities"
    __table_args__ = (CheckConstraint("source IN ('email', 'manual')", name="source"),)

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_member_id: Mapped[UUID] = mapped_column(
        ForeignKey("members.org_member_id", ondelete="CASCADE"), primary_key=True
    )
    slack_user_id: Mapped[str]
    source: Mapped[str]
    updated_at: Mapped[datetime]


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
