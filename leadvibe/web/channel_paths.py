"""Addresses of notification channels."""

from __future__ import annotations

from uuid import UUID

from leadvibe.notifications.types import ChannelType
from leadvibe.web.redirects import NOTIFICATIONS

CHANNELS = f"{NOTIFICATIONS}/channels"


def channel_path(channel_id: UUID, end: str = "") -> str:
    return f"{CHANNELS}/{channel_id}{end}"


def new_channel_path(channel_type: ChannelType) -> str:
    return f"{CHANNELS}/new/{channel_type}"
