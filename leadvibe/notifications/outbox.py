"""Notices posted: one delivery for each destination, in the transaction of what they tell of.

Does not send anything: dispatch claims what is due. A personal delivery to somebody who wants at
most one message per lead and hour is folded into one that waits, or waits for the hour to end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from pydantic_core import to_json

from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver
from leadvibe.lib.ids import new_id
from leadvibe.notifications.types import Notice, Wording

PLAIN = Wording()
DIGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """A destination of one notice; `recipient_id` is the member it is personal to."""

    transport: str
    address: str
    wording: Wording = PLAIN
    channel_id: UUID | None = None
    recipient_id: UUID | None = None
    wants_digest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A notice and whom it is for; `received_at` is when its event came in."""

    notice: Notice
    addressees: Sequence[Addressee]
    received_at: datetime | None = None
    trigger_id: UUID | None = None


class _Place(NamedTuple):
    """When a delivery is due, or into which one it is folded."""

    due_at: datetime
    folded_into: UUID | None = None


def post(scope: Scope, postings: Sequence[Posting], *, now: datetime) -> int:
    """Write notices and their deliveries; returns how many deliveries there are."""
    told = [posting for posting in postings if posting.addressees]
    if not told:
        return 0
    _write_notices(scope, [it.notice for it in told], now=now)
    ids = register_destinations(
        scope, {(to.transport, to.address) for it in told for to in it.addressees}, now=now
    )
    rows = list(_rows(scope, told, ids, now=now))
    _write_deliveries(scope, rows)
    return len(rows)


def register_destinations(
    scope: Scope, addresses: Iterable[tuple[str, str]], *, now: datetime
) -> dict[tuple[str, str], UUID]:
    """Return the destinations of (transport, address), made where there are none yet."""
    wanted = sorted(set(addresses))
    transports, texts = [it[0] for it in wanted], [it[1] for it in wanted]
    driver().execute(
        """
        INSERT INTO destinations (unit_id, destination_id, transport, address, created_at)
        SELECT %s, it.*, %s FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS it
        ON CONFLICT (unit_id, transport, address) DO NOTHING
        """,
        (scope.unit_id, now, [new_id() for _ in wanted], transports, texts),
    )
    rows = driver().execute(
        """
        SELECT d.transport, d.address, d.destination_id
        FROM unnest(%s::text[], %s::text[]) AS it (transport, address)
        JOIN destinations d ON d.unit_id = %s AND d.transport = it.transport
            AND d.address = it.address
        """,
        (transports, texts, scope.unit_id),
    )
    return {(transport, address): found for transport, address, found in rows}


def _write_notices(scope: Scope, notices: Sequence[Notice], *, now: datetime) -> None:
    driver().execute(
        """
        INSERT INTO notices (unit_id, notice_id, lead_id, document, created_at)
        SELECT %s, it.*, %s FROM unnest(%s::uuid[], %s::text[], %s::jsonb[]) AS it
        """,
        (
            scope.unit_id,
            now,
            [it.id for it in notices],
            [it.lead.lead_id for it in notices],
            [to_json(it).decode() for it in notices],
        ),
    )


def _rows(
    scope: Scope,
    postings: Sequence[Posting],
    destination_ids: dict[tuple[str, str], UUID],
    *,
    now: datetime,
) -> Iterable[tuple[object, ...]]:
    digests = _Digests(scope, postings, now=now)
    for posting in postings:
        notice, seen = posting.notice, set[UUID]()
        for to in posting.addressees:
            destination_id = destination_ids[to.transport, to.address]
            if destination_id in seen:
                continue
            seen.add(destination_id)
            delivery_id = new_id()
            place = digests.place(delivery_id, to, notice.lead.lead_id)
            yield (
                delivery_id, scope.org_id, notice.id, destination_id, to.transport,
                notice.event.value, posting.trigger_id, notice.trigger.name, notice.lead.lead_id,
                notice.lead.best_alias, to.recipient_id, to.channel_id,
                to_json(asdict(to.wording)).decode(),
                "folded" if place.folded_into else "waiting", place.folded_into,
                posting.received_at, now, place.due_at,
            )  # fmt: skip


def _write_deliveries(scope: Scope, rows: Sequence[tuple[object, ...]]) -> None:
    statement = """
        INSERT INTO deliveries
            (unit_id, delivery_id, org_id, notice_id, destination_id, transport, event,
             trigger_id, trigger_name, lead_id, lead_name, recipient_id, channel_id, wording,
             state, folded_into, received_at, created_at, due_at)
        SELECT %s, it.* FROM unnest(
            %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::uuid[],
            %s::text[], %s::text[], %s::text[], %s::uuid[], %s::uuid[], %s::jsonb[], %s::text[],
            %s::uuid[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[]
        ) AS it
    """
    columns = [list(column) for column in zip(*rows, strict=True)]
    driver().execute(statement, (scope.unit_id, *columns))


_Latest = dict[tuple[UUID, str], tuple[UUID | None, datetime]]
"""By member and lead: the delivery that waits for its hour, and when one was or will be told."""


class _Digests:
    """Where personal deliveries go of those who want at most one message per lead and hour."""

    def __init__(self, scope: Scope, postings: Sequence[Posting], *, now: datetime) -> None:
        self._now = now
        wanted = sorted(
            {
                (to.recipient_id, posting.notice.lead.lead_id)
                for posting in postings
                for to in posting.addressees
                if to.wants_digest and to.recipient_id is not None
            }
        )
        self._latest: _Latest = self._load(scope, wanted) if wanted else {}

    def place(self, delivery_id: UUID, to: Addressee, lead_id: str) -> _Place:
        if not to.wants_digest or to.recipient_id is None:
            return _Place(self._now)
        key = (to.recipient_id, lead_id)
        latest = self._latest.get(key)
        if latest is None:
            self._latest[key] = (None, self._now)
            return _Place(self._now)
        waiting_id, told_at = latest
        if waiting_id is not None:
            return _Place(self._now, waiting_id)
        due_at = told_at + DIGEST_PAUSE
        self._latest[key] = (delivery_id, told_at)
        return _Place(due_at)

    def _load(self, scope: Scope, wanted: Sequence[tuple[UUID, str]]) -> _Latest:
        """Return by member and lead the delivery that waits for its hour, and the one before it.

        One that waits is locked, so that nobody sends it before what is folded into it is there.
        """
        statement = """
            SELECT DISTINCT ON (d.recipient_id, d.lead_id)
                d.recipient_id, d.lead_id, d.delivery_id, coalesce(d.finished_at, d.due_at),
                d.state = 'waiting' AND d.due_at > %(now)s AND d.attempts = 0
            FROM deliveries d
            JOIN unnest(%(members)s::uuid[], %(leads)s::text[]) AS it (member, lead)
              ON d.recipient_id = it.member AND d.lead_id = it.lead
            WHERE d.unit_id = %(unit)s AND d.state <> 'folded'
              AND d.created_at > %(since)s - (%(now)s - %(since)s)
              AND coalesce(d.finished_at, d.due_at) > %(since)s
            ORDER BY d.recipient_id, d.lead_id, d.created_at DESC, d.delivery_id DESC
        """
        bound = {
            "now": self._now,
            "members": [member for member, _ in wanted],
            "leads": [lead for _, lead in wanted],
            "unit": scope.unit_id,
            "since": self._now - DIGEST_PAUSE,
        }
        found = driver().execute(statement, bound).fetchall()
        waiting = [row[2] for row in found if row[4]]
        held = _hold(scope, waiting, now=self._now) if waiting else set()
        return {
            (member, lead): (delivery_id if delivery_id in held else None, told_at)
            for member, lead, delivery_id, told_at, _ in found
        }


def _hold(scope: Scope, delivery_ids: Sequence[UUID], *, now: datetime) -> set[UUID]:
    """Lock deliveries that still wait for their hour; returns those."""
    rows = driver().execute(
        """
        SELECT delivery_id FROM deliveries
        WHERE unit_id = %s AND delivery_id = ANY(%s) AND state = 'waiting' AND attempts = 0
          AND due_at > %s
        ORDER BY delivery_id FOR UPDATE
        """,
        (scope.unit_id, list(delivery_ids), now),
    )
    return {delivery_id for (delivery_id,) in rows}
