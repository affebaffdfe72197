"""Destinations: where notices have gone, whether that works, and what webhooks are signed with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from leadvibe.api.answers import Counted, set_header
from leadvibe.api.fields import DestinationId, PageQuery
from leadvibe.http.sealing import sealer
from leadvibe.http.workers import job_queue
from leadvibe.identity.types import Principal
from leadvibe.lib.clock import utc_now
from leadvibe.notifications import destinations, queries
from leadvibe.notifications.addresses import shown_address
from leadvibe.notifications.deliveries import ring_for_deliveries
from leadvibe.notifications.types import Destination, SigningSecret, Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationItem:
    """A destination; `state` says in words whether notices get there.

    One that fails time and again is left alone until `paused_until`, and tried anew then.
    """

    destination_id: UUID
    transport: Transport
    address: str
    state: str
    failures: int
    paused_until: datetime | None
    problem: str | None
    last_delivered_at: datetime | None
    has_secret: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretOfDestination:
    """What notices to a webhook are signed with; until `former_until` by the one before as well."""

    destination_id: UUID
    secret: str
    former_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    message: str


def list_destinations(principal: Principal, query: PageQuery) -> Counted[DestinationItem]:
    """Where the unit's notices have gone or will go, by transport and address."""
    scope, now = principal.scope, utc_now()
    found = queries.list_destinations(scope, query.request)
    return Counted([_item(it, now=now) for it in found], queries.count_destinations(scope))


def get_secret(principal: Principal, destination_id: DestinationId) -> SecretOfDestination:
    """What notices to a webhook are signed with: to check that they come from here."""
    secret = destinations.get_secret(principal.scope, destination_id, sealer(), now=utc_now())
    return _secret(destination_id, secret)


def rotate_secret(principal: Principal, destination_id: DestinationId) -> SecretOfDestination:
    """Give a webhook a new secret. For 24 hours its notices have both signatures."""
    secret = destinations.rotate_secret(principal.scope, destination_id, sealer(), now=utc_now())
    return _secret(destination_id, secret)


def resume(principal: Principal, destination_id: DestinationId) -> Resumed:
    """Try again now what waits for a destination that was left alone."""
    destinations.resume(principal.scope, destination_id, now=utc_now())
    ring_for_deliveries(job_queue())
    return Resumed(message="what waits for the destination is tried now")


def _item(destination: Destination, *, now: datetime) -> DestinationItem:
    return DestinationItem(
        destination_id=destination.destination_id,
        transport=destination.transport,
        address=shown_address(destination.transport, destination.address),
        state=destination.state(now=now),
        failures=destination.failures,
        paused_until=destination.paused_until,
        problem=destination.problem,
        last_delivered_at=destination.last_delivered_at,
        has_secret=destination.has_secret,
        created_at=destination.created_at,
    )


def _secret(destination_id: UUID, secret: SigningSecret) -> SecretOfDestination:
    set_header("Cache-Control", "no-store")
    return SecretOfDestination(
        destination_id=destination_id, secret=secret.secret, former_until=secret.former_until
    )
