"""Reads of what is on its way to people."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, select

from leadvibe.identity.models import MemberRow
from leadvibe.identity.types import Scope
from leadvibe.lib.db import session
from leadvibe.notifications.models import ChannelRow, LinkMailRow
from leadvibe.notifications.types import Channel, ChannelType, LinkMail, MailState


def list_link_mails(org_id: UUID) -> dict[UUID, LinkMail]:
    """Return the organisation's mails with links by member, without stale ones."""
    is_current = and_(
        MemberRow.org_member_id == LinkMailRow.org_member_id,
        MemberRow.session_epoch == LinkMailRow.session_epoch,
    )
    rows = session().scalars(
        select(LinkMailRow)
        .join(MemberRow, is_current)
        .where(LinkMailRow.org_id == org_id)
        .execution_options(populate_existing=True)
    )
    return {row.org_member_id: link_mail_of(row) for row in rows}


def due_link_mails(*, now: datetime) -> list[UUID]:
    """Return the members of all organisations whom a mail should be sent to by now."""
    statement = select(LinkMailRow.org_member_id).where(
        LinkMailRow.state == MailState.WAITING, LinkMailRow.due_at <= now
    )
    return list(session().scalars(statement))


def link_mail_of(row: LinkMailRow) -> LinkMail:
    """Return the mail that a row holds."""
    return LinkMail(
        org_member_id=row.org_member_id,
        is_invitation=row.is_invitation,
        state=MailState(row.state),
        attempts=row.attempts,
        problem=row.problem,
        asked_at=row.asked_at,
        due_at=row.due_at,
    )


def list_channels(scope: Scope) -> list[Channel]:
    """Return the unit's channels, by name."""
    statement = (
        select(ChannelRow).where(ChannelRow.unit_id == scope.unit_id).order_by(ChannelRow.name)
    )
    return [channel_of(row) for row in session().scalars(statement)]


def channel_of(row: ChannelRow) -> Channel:
    """Return the channel that a row holds; what is secret of its configuration stays sealed."""
    return Channel(
        channel_id=row.channel_id,
        name=row.name,
        type=ChannelType(row.type),
        config=row.config,
        created_at=row.created_at,
        updated_at=row.updated_at,
        created_by=row.created_by,
        updated_by=row.updated_by,
    )
