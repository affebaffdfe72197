"""How destinations are written: one text for each, the same wherever it comes from."""

from __future__ import annotations

from collections.abc import Iterator

from leadvibe.notifications.types import Channel, ChannelType


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
