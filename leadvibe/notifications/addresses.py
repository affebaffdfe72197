"""How destinations are written: one text for each, the same wherever it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

from leadvibe.notifications.types import Channel, ChannelType, Transport

MASK = "••••"
"""What is shown in the place of a secret."""


def slack_address(kind: str, target_id: str) -> str:
    """Return the address of a channel or a user in Slack."""
    return f"{kind}:{target_id}"


def read_slack_address(address: str) -> tuple[str, str]:
    """Return the kind and the id of a target in Slack."""
    kind, _, target_id = address.partition(":")
    return kind, target_id


def read_recipients(text: str) -> list[str]:
    """Read a list of e-mail addresses with commas."""
    return [address.strip().lower() for address in text.split(",") if address.strip()]


def addresses_of(channel: Channel) -> Iterator[str]:
    """Yield the addresses of a channel: several for one of e-mail."""
    config = channel.config
    if channel.type is ChannelType.SLACK:
        yield slack_address("channel", str(config["channel_id"]))
    elif channel.type is ChannelType.TEAMS:
        yield str(config["webhook_url"])
    elif channel.type is ChannelType.WEBHOOK:
        yield str(config["url"])
    else:
        yield from read_recipients(str(config["recipients"]))


def masked_url(url: str) -> str:
    """Return a URL without the values in its query, which may let anybody post there."""
    parts = urlsplit(url)
    query = "&".join(_masked(part) for part in parts.query.split("&") if part)
    return urlunsplit(parts._replace(query=query, fragment=""))


def _masked(part: str) -> str:
    name, equals, _ = part.partition("=")
    return f"{name}={MASK}" if equals else MASK


def shown_address(transport: Transport, address: str) -> str:
    """Return an address as anybody may see it who may look at the unit."""
    if transport in {Transport.WEBHOOK, Transport.TEAMS}:
        return masked_url(address)
    return "HubSpot" if transport is Transport.HUBSPOT else address
