"""Each transport fitted to the dispatcher: what it needs is read and opened before it is sent.

Preparing uses the database and happens in one thread; what is returned only uses the network.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from urllib.parse import urlencode
from uuid import UUID

from pydantic import TypeAdapter

from leadvibe.leads.addresses import path_segment
from leadvibe.lib.clock import utc_now
from leadvibe.lib.outbound import Outbound
from leadvibe.lib.sealing import SealBrokenError, Sealer
from leadvibe.notifications import destinations, slack
from leadvibe.notifications import hubspot as hubspot_connections
from leadvibe.notifications.addresses import addresses_of, read_slack_address
from leadvibe.notifications.deliveries import Claim
from leadvibe.notifications.dispatch import Documents, Outcome, Sender, Sending
from leadvibe.notifications.errors import (
    ChannelNotFoundError,
    SlackNotConnectedError,
    TransportError,
)
from leadvibe.notifications.mailer import Mailer
from leadvibe.notifications.notice_mails import word_notice_mail
from leadvibe.notifications.queries import NOTICE, get_channel
from leadvibe.notifications.slack_api import SlackError
from leadvibe.notifications.transports import hubspot, teams, webhook
from leadvibe.notifications.transports import slack as slack_messages
from leadvibe.notifications.types import (
    Happening,
    Notice,
    Parcel,
    SlackTargetKind,
    Transport,
    Wording,
)
from leadvibe.notifications.unsubscribing import unsubscribe_url

TOKEN_SECONDS = 1.0
"""How long a token of Slack is used without a look whether it is still the unit's."""

REFUSALS = frozenset({401, 403})
"""Statuses with which a token is refused."""

_WORDING: TypeAdapter[Wording] = TypeAdapter(Wording)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostOffice:
    """What this installation sends with."""

    outbound: Outbound
    mailer: Mailer
    sealer: Sealer = field(repr=False)
    public_url: str
    slack_api_url: str
    hubspot_api_url: str
    unsubscribe_key: bytes = field(repr=False)

    def senders(self) -> Mapping[Transport, Sender]:
        """Return how each transport sends."""
        return {
            Transport.WEBHOOK: WebhookSender(self),
            Transport.EMAIL: MailSender(self),
            Transport.SLACK: SlackSender(self),
            Transport.TEAMS: TeamsSender(self),
            Transport.HUBSPOT: HubSpotSender(self),
        }

    def parcel(self, claim: Claim, folded: Documents) -> Parcel:
        """Return what a claim brings, as it was when it was posted."""
        notice = NOTICE.validate_python(claim.notice)
        others = folded.get(claim.delivery_id, ())
        return Parcel(
            delivery_id=claim.delivery_id,
            notice=notice,
            lead_url=self._lead_url(notice),
            wording=_WORDING.validate_python(claim.wording),
            folded=tuple(NOTICE.validate_python(it) for it in others),
        )

    def _lead_url(self, notice: Notice) -> str:
        """Return where the lead's page says why this was told, whatever unit one works in."""
        if notice.event is Happening.TEST:  # its lead does not exist
            return f"{self.public_url}/app/leads?{urlencode({'unit': notice.unit_id})}"
        named = {"unit": notice.unit_id, "fired": notice.id}
        path = f"/app/leads/{path_segment(notice.lead.lead_id)}"
        return f"{self.public_url}{path}?{urlencode(named)}"


class _OneByOne(ABC):
    """A transport that sends each parcel by itself."""

    def __init__(self, office: PostOffice) -> None:
        self._office = office

    def prepare(self, claims: Sequence[Claim], folded: Documents) -> Sending:
        [claim] = claims
        send = self._sending(claim, self._office.parcel(claim, folded))
        return lambda: [send()]

    def note_outcome(  # noqa: B027 - most transports have nothing to conclude
        self, claim: Claim, outcome: Outcome, *, now: datetime
    ) -> None:
        """Draw no conclusions."""

    @abstractmethod
    def _sending(self, claim: Claim, parcel: Parcel) -> Callable[[], Outcome]:
        """Return what sends the parcel. Raises TransportError when it cannot be sent at all."""


class WebhookSender(_OneByOne):
    def _sending(self, claim: Claim, parcel: Parcel) -> Callable[[], Outcome]:
        office = self._office
        target = webhook.Target(
            url=claim.address,
            secrets=self._secrets(claim),
            auth_header=self._auth_header(claim),
        )
        return lambda: webhook.send(office.outbound, target, parcel, now=utc_now())

    def _secrets(self, claim: Claim) -> tuple[str, ...]:
        """Return what to sign with, the current secret first; it is made for the first message."""
        sealer = self._office.sealer
        former = [_open(sealer, claim.former_secret, "secret")] if claim.former_secret else []
        if claim.secret:
            return (_open(sealer, claim.secret, "secret"), *former)
        now = utc_now()
        return (destinations.ensure_secret(claim.scope, claim.destination_id, sealer, now=now),)

    def _auth_header(self, claim: Claim) -> str | None:
        if claim.channel_id is None:
            return None
        try:
            channel = get_channel(claim.scope, claim.channel_id)
        except ChannelNotFoundError as error:
            raise _final("the channel is not there any more") from error
        if claim.address not in addresses_of(channel):
            return None  # the channel leads elsewhere by now, and its secret is for there
        sealed = channel.config.get("auth_header")
        return _open(self._office.sealer, str(sealed), "header") if sealed else None


class TeamsSender(_OneByOne):
    def _sending(self, claim: Claim, parcel: Parcel) -> Callable[[], Outcome]:
        outbound = self._office.outbound
        return lambda: teams.send(outbound, claim.address, parcel, now=utc_now())


class MailSender(_OneByOne):
    def _sending(self, claim: Claim, parcel: Parcel) -> Callable[[], Outcome]:
        office = self._office
        unsubscribe = None
        if claim.recipient_id is not None:
            unsubscribe = unsubscribe_url(
                office.unsubscribe_key,
                office.public_url,
                unit_id=claim.unit_id,
                member_id=claim.recipient_id,
            )
        mail = word_notice_mail(
            parcel, to=claim.address, public_url=office.public_url, unsubscribe_url=unsubscribe
        )
        return partial(office.mailer.send, mail)


class SlackSender(_OneByOne):
    def __init__(self, office: PostOffice) -> None:
        super().__init__(office)
        self._tokens: dict[UUID, tuple[float, str]] = {}

    def _sending(self, claim: Claim, parcel: Parcel) -> Callable[[], Outcome]:
        kind, target_id = read_slack_address(claim.address)
        target = slack_messages.Target(
            token=self._token(claim),
            kind=SlackTargetKind(kind),
            id=target_id,
            base_url=self._office.slack_api_url,
        )
        return lambda: slack_messages.send(target, parcel)

    def _token(self, claim: Claim) -> str:
        """Return the unit's token, read a moment ago or now: many messages come at once."""
        until, token = self._tokens.get(claim.unit_id, (0.0, ""))
        if time.monotonic() >= until:
            token = self._read_token(claim)
            self._tokens[claim.unit_id] = (time.monotonic() + TOKEN_SECONDS, token)
        return token

    def _read_token(self, claim: Claim) -> str:
        connection = slack.find_connection(claim.scope)
        if connection is None or not connection.is_connected:
            problem = connection.problem if connection else None
            raise _final(problem or "Slack is not connected to this unit")
        try:
            return slack.open_token(connection, self._office.sealer)
        except SlackNotConnectedError as error:
            raise _final("the stored token for Slack cannot be read: connect anew") from error

    def note_outcome(self, claim: Claim, outcome: Outcome, *, now: datetime) -> None:
        """Show the unit that Slack has ended its connection."""
        if not isinstance(outcome, SlackError) or not outcome.is_revoked:
            return
        self._tokens.pop(claim.unit_id, None)
        connection = slack.find_connection(claim.scope)
        if connection is not None and connection.is_connected:
            slack.mark_revoked(claim.scope, connection, problem=outcome.reason, now=now)


class HubSpotSender:
    """Writes many contacts at once."""

    def __init__(self, office: PostOffice) -> None:
        self._office = office

    def prepare(self, claims: Sequence[Claim], folded: Documents) -> Sending:
        office = self._office
        stored = hubspot_connections.find_connection(claims[0].scope)
        if stored is None:
            raise _final("HubSpot is not connected to this unit")
        connection = hubspot.Connection(
            token=_open(office.sealer, stored.sealed_token, "token for HubSpot"),
            base_url=office.hubspot_api_url,
            score_property=stored.score_property,
            level_property=stored.level_property,
        )
        parcels = [office.parcel(claim, folded) for claim in claims]
        return lambda: hubspot.send_many(office.outbound, connection, parcels, now=utc_now())

    def note_outcome(
        self,
        claim: Claim,
        outcome: Outcome,
        *,
        now: datetime,  # noqa: ARG002 - it says no time
    ) -> None:
        """Show the unit that HubSpot refuses its token, or that it is good again."""
        connection = hubspot_connections.find_connection(claim.scope)
        if connection is not None:
            hubspot_connections.mark_problem(claim.scope, connection, problem=_refusal(outcome))


def _refusal(outcome: Outcome) -> str | None:
    is_refused = isinstance(outcome, TransportError) and outcome.status in REFUSALS
    return outcome.reason if is_refused and isinstance(outcome, TransportError) else None


def _open(sealer: Sealer, sealed: str, what: str) -> str:
    try:
        return sealer.open(sealed)
    except SealBrokenError as error:
        raise _final(f"the stored {what} cannot be read any more: enter it anew") from error


def _final(reason: str) -> TransportError:
    return TransportError(reason, reason=reason, is_temporary=False)
