"""Words for notifications: what they are about, how they travel, and where to."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from leadvibe.identity.types import Scope
from leadvibe.notifications import slack
from leadvibe.notifications.addresses import read_slack_address, shown_address, slack_address
from leadvibe.notifications.queries import list_channels
from leadvibe.notifications.types import ChannelType, Happening, SlackTargetKind, Transport
from leadvibe.web.pages.deliveries import Place

HAPPENINGS: Mapping[Happening, str] = MappingProxyType(
    {
        Happening.MILESTONE_REACHED: "Milestone reached",
        Happening.MILESTONE_EXITED: "Score fell below a milestone",
        Happening.SEQUENCE_COMPLETED: "Sequence completed",
        Happening.PATTERN_MATCHED: "Pattern matched",
        Happening.SURGE_DETECTED: "Surge",
        Happening.TEST: "Test",
    }
)
TRANSPORTS: Mapping[Transport, tuple[str, str]] = MappingProxyType(
    {
        Transport.WEBHOOK: ("Webhook", "globe"),
        Transport.EMAIL: ("E-mail", "mail"),
        Transport.SLACK: ("Slack", "message-square"),
        Transport.TEAMS: ("Teams", "users"),
        Transport.HUBSPOT: ("HubSpot", "handshake"),
    }
)
"""The word and the icon for each."""

SlackNames = Mapping[str, str]
"""What places in Slack are called, by address, as far as the unit knows."""


def slack_names(scope: Scope) -> SlackNames:
    """Return the names that channels and the default target were given; Slack is not asked."""
    names = {
        slack_address("channel", it.config["channel_id"]): channel_label(it.config["channel_name"])
        for it in list_channels(scope)
        if it.type is ChannelType.SLACK and it.config.get("channel_name")
    }
    connection = slack.find_connection(scope)
    default = connection.default if connection else None
    if default and default.name:
        is_channel = default.kind is SlackTargetKind.CHANNEL
        label = channel_label(default.name) if is_channel else default.name
        names.setdefault(slack_address(default.kind, default.id), label)
    return names


def channel_label(name: str) -> str:
    """Write a channel's name as people in Slack do."""
    return name if name.startswith("#") else f"#{name}"


def place_of(transport: Transport, address: str, names: SlackNames) -> Place:
    """Say where notices go, without what is secret in it."""
    word, icon = TRANSPORTS[transport]
    return Place(transport=word, icon=icon, label=_label(transport, address, names))


def _label(transport: Transport, address: str, names: SlackNames) -> str:
    if transport is not Transport.SLACK:
        return shown_address(transport, address)
    kind, target_id = read_slack_address(address)
    return names.get(address) or f"{'person' if kind == 'user' else kind} {target_id}"
