"""Notification channels: destinations with a name, which any trigger may use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from leadvibe.api.editing import Editable
from leadvibe.api.fields import LEFT_OUT, Changes, Name, NotificationChannelId
from leadvibe.http.destinations import may_be_private
from leadvibe.http.sealing import sealer
from leadvibe.http.workers import job_queue
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal
from leadvibe.lib.clock import utc_now
from leadvibe.notifications import channels, queries, trials
from leadvibe.notifications.channel_configs import shown_config
from leadvibe.notifications.deliveries import ring_for_deliveries
from leadvibe.notifications.types import Channel, ChannelType
from leadvibe.triggers.queries import list_users_of_channel

_NAME = "Its name, unique in the unit."
_CONFIG = (
    "slack: channel_id, channel_name. teams: webhook_url, channel_name. webhook: url, auth_header."
    " email: recipients with commas between them, subject_prefix. The first of each is needed."
)


class NewChannel(BaseModel):
    """A destination that triggers may share."""

    name: Name = Field(description=_NAME)
    type: ChannelType = Field(description="slack, teams, webhook or email.")
    config: dict[str, Any] = Field(description=_CONFIG)


class ChannelChanges(Changes):
    """Fields of a channel to change; those left out stay as they are."""

    name: Name = Field(LEFT_OUT, description=_NAME)
    type: ChannelType = Field(LEFT_OUT, description="As it is: it cannot be changed.")
    config: dict[str, Any] = Field(
        LEFT_OUT, description=f"All of it. {_CONFIG} An auth_header as it was shown stays."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelItem(Editable):
    """A channel. Its `auth_header` is never shown, and URLs in full to those who may change it."""

    id: UUID
    unit_id: UUID
    name: str
    type: ChannelType
    config: dict[str, str]
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSent:
    """A test notice that is on its way: look its deliveries up to see how that went."""

    message: str
    delivery_ids: list[UUID]


def list_channels(principal: Principal) -> list[ChannelItem]:
    """The unit's channels, by name."""
    return [_item(principal, it) for it in queries.list_channels(principal.scope)]


def get_channel(principal: Principal, channel_id: NotificationChannelId) -> ChannelItem:
    """A channel."""
    return _item(principal, queries.get_channel(principal.scope, channel_id))


def create_channel(principal: Principal, body: NewChannel) -> ChannelItem:
    """Make a channel. Nothing is sent through it before a trigger names it."""
    made = channels.create_channel(
        principal,
        principal.scope,
        body.model_dump(),
        sealer=sealer(),
        allow_private=may_be_private(),
        now=utc_now(),
    )
    return _item(principal, made)


def update_channel(
    principal: Principal, channel_id: NotificationChannelId, body: ChannelChanges
) -> ChannelItem:
    """Change a channel, for all triggers that name it. Its type stays what it is."""
    changed = channels.update_channel(
        principal,
        principal.scope,
        channel_id,
        body.given(),
        sealer=sealer(),
        allow_private=may_be_private(),
        now=utc_now(),
    )
    return _item(principal, changed)


def delete_channel(principal: Principal, channel_id: NotificationChannelId) -> None:
    """Delete a channel that no trigger names."""
    channels.delete_channel(principal.scope, channel_id, list_users=list_users_of_channel)


def send_test(principal: Principal, channel_id: NotificationChannelId) -> TestSent:
    """Send a notice about a sample lead through the channel, the way real ones go."""
    channel = queries.get_channel(principal.scope, channel_id)
    posted = trials.post_test(principal, principal.scope, channel, now=utc_now())
    ring_for_deliveries(job_queue())
    return TestSent(
        message="test notice is on its way", delivery_ids=[it.delivery_id for it in posted]
    )


def _item(principal: Principal, channel: Channel) -> ChannelItem:
    return ChannelItem(
        id=channel.channel_id,
        unit_id=principal.scope.unit_id,
        name=channel.name,
        type=channel.type,
        config=shown_config(channel, in_full=can(principal, Permission.CONFIGURE)),
        created_at=channel.created_at,
        updated_at=channel.updated_at,
        created_by=channel.created_by,
        updated_by=channel.updated_by,
    )
