"""Arrivals of the inbox and what they say: claimed for a batch, and read ahead of the next.

While the database stores a batch, the processor would idle; `ReadAhead` uses the time to read what
is next in line. What was read ahead is taken only when it is still what the inbox holds, so it
decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import from_json, to_json

from leadvibe.engine.engagement import Awarder
from leadvibe.engine.organic import fingerprint
from leadvibe.events import service as events
from leadvibe.events.channels import channel_of
from leadvibe.events.types import InboxEvent
from leadvibe.identity.types import Scope
from leadvibe.leads.aliases import make_alias
from leadvibe.leads.types import Identity
from leadvibe.lib.db import reading_apart
from leadvibe.scoring import queries as score_queries


class Claim(NamedTuple):
    """A claimed event, read: what the inbox kept of it, what it says, and how filters see it."""

    arrival: InboxEvent
    event_type: str
    occurred_at: datetime
    identity: Identity
    channel: str
    document: Mapping[str, Any]
    metadata: str
    version: int
    fingerprint: int | None
    is_filtered: bool
    is_banned: bool
    is_quiet: bool

    @property
    def is_mute(self) -> bool:
        """Whether it will not count, whatever comes before or after it."""
        return self.is_filtered or self.is_banned


class ReadAhead:
    """What one worker has read of inboxes beyond the batches it has processed."""

    def __init__(self) -> None:
        self._arrivals: dict[UUID, list[InboxEvent]] = {}
        self._claims: dict[int, Claim] = {}

    def claim(self, scope: Scope, *, limit: int) -> list[InboxEvent]:
        """Return the oldest events of the inbox, as `events.claim_arrivals` does."""
        known = self._arrivals.pop(scope.unit_id, [])
        if known and events.list_receipts(scope, limit=len(known)) == [it.receipt for it in known]:
            return known
        self._claims.clear()
        return events.claim_arrivals(scope, limit=limit)

    def read_all(
        self, scope: Scope, arrivals: Iterable[InboxEvent], *, current: int
    ) -> list[Claim]:
        """Read arrivals, each as the configuration sees it that was in force when it came in."""
        known, self._claims = self._claims, {}
        unread = [arrival for arrival in arrivals if arrival.receipt not in known]
        read = {claim.arrival.receipt: claim for claim in _read_all(scope, unread, current)}
        return [known.get(it.receipt) or read[it.receipt] for it in arrivals]

    def read_on(self, scope: Scope, batch: Sequence[InboxEvent], *, limit: int) -> None:
        """Read what comes after a full batch, over a connection of its own.

        Needs the unit's configurations to be loaded, so that it asks the batch's own connection
        for nothing.
        """
        if len(batch) < limit:
            return
        with reading_apart():
            next_ones = events.claim_arrivals(scope, limit=limit, after=batch[-1].receipt)
        versions = {it.version for it in batch}
        readable = [it for it in next_ones if it.version is not None and it.version in versions]
        try:
            claims = _read_all(scope, readable, current=0)
        except Exception:  # noqa: BLE001 - whoever processes the event says what is wrong with it
            return
        self._arrivals[scope.unit_id] = next_ones
        self._claims = {claim.arrival.receipt: claim for claim in claims}


def _read_all(scope: Scope, arrivals: Iterable[InboxEvent], current: int) -> list[Claim]:
    awarders: dict[int, Awarder] = {}
    claims = []
    for arrival in arrivals:
        version = current if arrival.version is None else arrival.version
        if version not in awarders:
            awarders[version] = score_queries.get_awarder(scope, version)
        claims.append(_read(arrival, version, awarders[version]))
    return claims


def _read(arrival: InboxEvent, version: int, awarder: Awarder) -> Claim:
    payload = from_json(arrival.payload)
    event_type, metadata = payload["event_type"], payload["metadata"]
    aliases = tuple(make_alias(kind, value) for kind, value in payload["aliases"])
    is_watched = event_type in awarder.velocity_filters
    test = awarder.metadata_test
    return Claim(
        arrival=arrival,
        event_type=event_type,
        occurred_at=datetime.fromisoformat(payload["timestamp"]),
        identity=Identity(payload["lead_id"], aliases, arrival.source, arrival.received_at),
        channel=channel_of(event_type, metadata),
        document=metadata,
        metadata=to_json(metadata).decode(),
        version=version,
        fingerprint=fingerprint(metadata) if is_watched else None,
        is_filtered=bool(test) and test.suppresses(event_type, metadata),
        is_banned=event_type in awarder.banned,
        is_quiet="is_quiet" in payload,
    )
