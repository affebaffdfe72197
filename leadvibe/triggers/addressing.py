"""Where a notice goes: a trigger's recipients turned into destinations.

What a trigger names goes where it says; one that names nothing tells the unit's default target in
Slack. An owner is told the way they prefer, and not at all where they muted it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from uuid import UUID

from leadvibe.identity.types import Scope
from leadvibe.notifications import preferences
from leadvibe.notifications.addresses import addresses_of, slack_address
from leadvibe.notifications.outbox import Addressee
from leadvibe.notifications.queries import list_channels
from leadvibe.notifications.slack import find_connection
from leadvibe.notifications.types import (
    Channel,
    ChannelType,
    Notice,
    SlackConnection,
    Transport,
    Wording,
)
from leadvibe.triggers.types import Recipients


class AddressBook:
    """What a unit knows of destinations, read once for as many notices as there are."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._owners: dict[UUID, preferences.Reach | None] = {}

    def addressees(
        self, recipients: Recipients, notice: Notice, *, owner_id: UUID | None
    ) -> list[Addressee]:
        """Return the destinations of a notice, each once."""
        found: dict[tuple[str, str], Addressee] = {}
        for one in self._all(recipients, notice, owner_id):
            found.setdefault((one.transport, one.address), one)
        return list(found.values())

    def places(self, recipients: Recipients) -> set[tuple[str, str]]:
        """Return the transports and addresses of a trigger, but for whoever owns a lead."""
        named = self._named(recipients, Wording())
        return {(addressee.transport, addressee.address) for addressee in named}

    def _all(
        self, recipients: Recipients, notice: Notice, owner_id: UUID | None
    ) -> Iterator[Addressee]:
        wording = Wording(
            subject=recipients.email_subject,
            preheader=recipients.email_preheader,
            message=recipients.email_message,
        )
        yield from self._named(recipients, wording)
        if recipients.notify_owner and owner_id is not None:
            yield from self._to_owner(owner_id, notice, wording)

    def _named(self, recipients: Recipients, wording: Wording) -> Iterator[Addressee]:
        if recipients.webhook_url:
            yield _to(Transport.WEBHOOK, recipients.webhook_url, wording)
        for address in recipients.emails:
            yield _to(Transport.EMAIL, address, wording)
        if recipients.slack_target_id:
            target = slack_address(recipients.slack_target_kind, recipients.slack_target_id)
            yield _to(Transport.SLACK, target, wording)
        yield from self._teams(recipients.teams_target_id, wording)
        if recipients.hubspot_sync:
            yield _to(Transport.HUBSPOT, self._scope.unit_id.hex, wording)
        for channel_id in recipients.channel_ids:
            yield from self._through(channel_id, wording)
        if recipients.are_none:
            yield from self._to_default(wording)

    def _teams(self, target_id: str, wording: Wording) -> Iterator[Addressee]:
        if target_id.startswith(("http://", "https://")):
            yield _to(Transport.TEAMS, target_id, wording)
        elif target_id:
            yield from (
                addressee
                for channel_id in self._channels
                if str(channel_id) == target_id
                for addressee in self._through(channel_id, wording)
            )

    def _through(self, channel_id: UUID, wording: Wording) -> Iterator[Addressee]:
        channel = self._channels.get(channel_id)
        if channel is None:
            return
        for address in addresses_of(channel):
            yield Addressee(
                transport=Transport(channel.type.value),
                address=address,
                wording=_prefixed(wording, channel),
                channel_id=channel_id,
            )

    def _to_owner(self, owner_id: UUID, notice: Notice, wording: Wording) -> Iterator[Addressee]:
        if owner_id not in self._owners:
            self._owners[owner_id] = preferences.find_reach(self._scope, owner_id)
        reach = self._owners[owner_id]
        if reach is None or not reach.wants(notice.event):
            return
        in_slack = ""
        if reach.slack_user_id and self._slack is not None and self._slack.is_connected:
            in_slack = slack_address("user", reach.slack_user_id)
        yield Addressee(
            transport=Transport.SLACK if in_slack else Transport.EMAIL,
            address=in_slack or reach.email,
            wording=wording,
            recipient_id=owner_id,
            wants_digest=reach.preferences.digest,
        )

    def _to_default(self, wording: Wording) -> Iterator[Addressee]:
        default = self._slack.default if self._slack is not None else None
        if default is not None:
            yield _to(Transport.SLACK, slack_address(default.kind, default.id), wording)

    @cached_property
    def _slack(self) -> SlackConnection | None:
        return find_connection(self._scope)

    @cached_property
    def _channels(self) -> dict[UUID, Channel]:
        return {channel.channel_id: channel for channel in list_channels(self._scope)}


def _to(transport: Transport, address: str, wording: Wording) -> Addressee:
    return Addressee(transport=transport, address=address, wording=wording)


def _prefixed(wording: Wording, channel: Channel) -> Wording:
    if channel.type is not ChannelType.EMAIL:
        return wording
    return replace(wording, subject_prefix=str(channel.config.get("subject_prefix") or ""))
