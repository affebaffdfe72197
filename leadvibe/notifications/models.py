"""Tables of what is on its way to people."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
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


class ChannelRow(Base):
    """A destination with a name, which any trigger may use. Secrets in `config` are sealed."""

    __tablename__ = "notification_channels"
    __table_args__ = (
        UniqueConstraint("unit_id", "name"),
        CheckConstraint("type IN ('slack', 'teams', 'webhook', 'email')", name="type"),
    )

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    channel_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    type: Mapped[str]
    config: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    created_by: Mapped[str]
    updated_by: Mapped[str]


class DestinationRow(Base):
    """Where notices go: one row for each address, with its signing secrets and its breaker.

    While `paused_until` lies ahead nothing is tried there: `failures` temporary ones came in a row.
    """

    __tablename__ = "destinations"
    __table_args__ = (
        UniqueConstraint("unit_id", "transport", "address"),
        CheckConstraint(
            "transport IN ('webhook', 'email', 'slack', 'teams', 'hubspot')", name="transport"
        ),
    )

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    destination_id: Mapped[UUID] = mapped_column(primary_key=True)
    transport: Mapped[str]
    address: Mapped[str] = mapped_column(Text(collation="C"))
    secret: Mapped[str | None] = mapped_column(comment="sealed; of webhooks alone")
    former_secret: Mapped[str | None] = mapped_column(comment="sealed; still signs for a while")
    former_until: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    paused_until: Mapped[datetime | None]
    problem: Mapped[str | None]
    last_delivered_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class NoticeRow(Base):
    """What is told by one or several deliveries."""

    __tablename__ = "notices"
    __table_args__ = (Index("ix_notices_lead", "unit_id", "lead_id"),)

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    notice_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"))
    document: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(index=True)


class DeliveryRow(Base):
    """A notice on its way to one destination.

    `due_at` is the next attempt; while one is under way, when it counts as lost with its worker.
    `attempts` counts all there were, `tries` those since it was last sent on its way.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        ForeignKeyConstraint(
            ["unit_id", "notice_id"], ["notices.unit_id", "notices.notice_id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["unit_id", "destination_id"],
            ["destinations.unit_id", "destinations.destination_id"],
            ondelete="CASCADE",
        ),
        UniqueConstraint("unit_id", "notice_id", "destination_id"),
        CheckConstraint(
            "state IN ('waiting', 'delivered', 'failed', 'folded')", name="state"
        ),
        Index("ix_deliveries_due", "due_at", postgresql_where=text("state = 'waiting'")),
        Index(
            "ix_deliveries_latest", "unit_id", text("created_at DESC"), text("delivery_id DESC")
        ),
        Index(
            "ix_deliveries_waiting", "unit_id", "destination_id", "due_at",
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_deliveries_lead", "unit_id", "lead_id"),
        Index(
            "ix_deliveries_personal", "unit_id", "recipient_id", "lead_id", "created_at",
            postgresql_where=text("recipient_id IS NOT NULL"),
        ),
        Index(
            "ix_deliveries_folded", "unit_id", "folded_into",
            postgresql_where=text("folded_into IS NOT NULL"),
        ),
    )  # fmt: skip

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    delivery_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    notice_id: Mapped[UUID]
    destination_id: Mapped[UUID]
    transport: Mapped[str]
    event: Mapped[str]
    trigger_id: Mapped[UUID | None]
    trigger_name: Mapped[str]
    lead_id: Mapped[str] = mapped_column(Text(collation="C"))
    lead_name: Mapped[str]
    recipient_id: Mapped[UUID | None] = mapped_column(comment="the member it is personal to")
    channel_id: Mapped[UUID | None] = mapped_column(comment="the channel it goes through")
    wording: Mapped[dict[str, Any]]
    state: Mapped[str]
    folded_into: Mapped[UUID | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    tries: Mapped[int] = mapped_column(server_default=text("0"))
    problem: Mapped[str | None]
    received_at: Mapped[datetime | None] = mapped_column(comment="when its event came in")
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class DeliveryAttemptRow(Base):
    """One attempt at a delivery, with what was said and answered."""

    __tablename__ = "delivery_attempts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["unit_id", "delivery_id"], ["deliveries.unit_id", "deliveries.delivery_id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("outcome IN ('delivered', 'temporary', 'permanent')", name="outcome"),
    )  # fmt: skip

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    delivery_id: Mapped[UUID] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    milliseconds: Mapped[int]
    outcome: Mapped[str]
    status: Mapped[int | None]
    problem: Mapped[str | None]
    request: Mapped[str]
    response: Mapped[str]


class PreferenceRow(Base):
    """How a member of a unit wants to be told of their own leads."""

    __tablename__ = "notification_preferences"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_member_id: Mapped[UUID] = mapped_column(
        ForeignKey("members.org_member_id", ondelete="CASCADE"), primary_key=True
    )
    enabled: Mapped[bool]
    muted: Mapped[list[Any]] = mapped_column(comment="kinds of happening that are not told")
    digest: Mapped[bool] = mapped_column(comment="at most one message per lead and hour")
    updated_at: Mapped[datetime]


class DeliveryCountRow(Base):
    """How many deliveries of a transport ended in an outcome, for /metrics."""

    __tablename__ = "delivery_counts"

    transport: Mapped[str] = mapped_column(primary_key=True)
    outcome: Mapped[str] = mapped_column(primary_key=True)
    deliveries: Mapped[int] = mapped_column(BigInteger)


class HubSpotConnectionRow(Base):
    """A unit's HubSpot: the private app's token, sealed, and the properties that are written."""

    __tablename__ = "hubspot_connections"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    token: Mapped[str]
    portal: Mapped[str]
    score_property: Mapped[str]
    level_property: Mapped[str]
    problem: Mapped[str | None]
    updated_at: Mapped[datetime]
    updated_by: Mapped[str]
