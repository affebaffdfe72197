"""Deliveries on their way: claimed, settled, tried again, and held back where nothing gets through.

A delivery is claimed by changing its row, before anything is sent: a worker that dies leaves one
that is due again when its lease is over. It is sent under the same id then, so that whoever had it
already can tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from leadvibe.identity.types import Scope
from leadvibe.lib.db import after_commit, driver
from leadvibe.lib.queue import NOTIFICATIONS, JobQueue
from leadvibe.notifications.errors import DeliveryNotFoundError
from leadvibe.notifications.types import Transport

DELIVER = "leadvibe.jobs.deliveries.deliver"
"""What a worker calls to send what is due."""

LEASE = timedelta(seconds=60)
"""How long a worker has for one attempt; every transport gives up far earlier."""

FAILURES_TO_PAUSE = 5
"""In a row, after which a destination is left alone, and then asked with one delivery at a time."""

AT_ONCE = 8
"""Deliveries on their way to one destination."""

PATIENCE = timedelta(minutes=5)
"""What mail and HubSpot wait longer than messages that people look at, when all is too much."""

BATCHES = {Transport.HUBSPOT: 100}
"""Of transports that take many at once: how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A delivery to attempt now, with all that is known about where it goes."""

    unit_id: UUID
    org_id: UUID
    delivery_id: UUID
    destination_id: UUID
    attempt: int
    tries: int
    transport: Transport
    address: str
    notice: Mapping[str, Any]
    wording: Mapping[str, Any]
    trigger_id: UUID | None
    recipient_id: UUID | None
    channel_id: UUID | None
    secret: str | None = field(repr=False)
    former_secret: str | None = field(repr=False)
    failures: int
    created_at: datetime
    received_at: datetime | None

    @property
    def scope(self) -> Scope:
        return Scope(self.org_id, self.unit_id)


def ring_for_deliveries(queue: JobQueue) -> None:
    """Have a worker send what is due once the caller has committed."""
    after_commit("deliver", lambda: call_for_delivery(queue))


def call_for_delivery(queue: JobQueue) -> None:
    """Have a worker send what is due, unless one is on its way to it."""
    queue.send(DELIVER, job_id="deliveries", name=NOTIFICATIONS)


def claim_due(*, now: datetime, at_most: int, under_way: Mapping[UUID, int]) -> list[Claim]:
    """Take deliveries that are due, of all units: the oldest first, and mail after messages.

    At most so many sendings, each of one delivery or of a batch, where a transport takes many at
    once. `under_way` says how many this worker has on their way to a destination. One that has
    failed time and again gets a single delivery, to see whether it is back.
    """
    statement = """
        WITH waiting AS (
            SELECT t.unit_id, t.destination_id, t.address, t.secret,
                   CASE WHEN t.former_until > %(now)s THEN t.former_secret END AS former_secret,
                   t.failures, d.delivery_id,
                   CASE t.transport
                       WHEN 'hubspot' THEN t.destination_id ELSE d.delivery_id
                   END AS sending,
                   d.due_at + CASE t.transport
                       WHEN 'email' THEN %(patient)s WHEN 'hubspot' THEN %(patient)s
                       ELSE interval '0'
                   END AS urgent_at
            FROM destinations t
            LEFT JOIN unnest(%(busy)s::uuid[], %(counts)s::int[]) AS busy (destination_id, count)
                ON busy.destination_id = t.destination_id
            CROSS JOIN LATERAL (
                SELECT delivery_id, due_at FROM deliveries
                WHERE unit_id = t.unit_id AND destination_id = t.destination_id
                  AND state = 'waiting' AND due_at <= %(now)s
                ORDER BY due_at
                LIMIT greatest(0, CASE
                    WHEN t.failures >= %(broken)s THEN 1
                    WHEN t.transport = 'hubspot' THEN %(batch)s ELSE %(at_once)s
                END - coalesce(busy.count, 0))
                FOR UPDATE SKIP LOCKED
            ) d
            WHERE (t.paused_until IS NULL OR t.paused_until <= %(now)s)
              AND EXISTS (SELECT FROM deliveries WHERE state = 'waiting' AND due_at <= %(now)s)
        ), sendings AS (
            SELECT sending FROM waiting GROUP BY sending
            ORDER BY min(urgent_at) LIMIT %(most)s
        ), due AS (
            SELECT * FROM waiting JOIN sendings USING (sending)
        )
        UPDATE deliveries d SET attempts = attempts + 1, tries = tries + 1, due_at = %(until)s
        FROM due, notices n
        WHERE d.unit_id = due.unit_id AND d.delivery_id = due.delivery_id
          AND n.unit_id = d.unit_id AND n.notice_id = d.notice_id
        RETURNING d.unit_id, d.org_id, d.delivery_id, d.destination_id, d.attempts, d.tries,
            d.transport, due.address, n.document, d.wording, d.trigger_id, d.recipient_id,
            d.channel_id, due.secret, due.former_secret, due.failures, d.created_at, d.received_at
    """
    bound = {
        "now": now,
        "busy": list(under_way),
        "counts": list(under_way.values()),
        "broken": FAILURES_TO_PAUSE,
        "batch": BATCHES[Transport.HUBSPOT],
        "at_once": AT_ONCE,
        "patient": PATIENCE,
        "most": at_most,
        "until": now + LEASE,
    }
    return [_claim(row) for row in driver().execute(statement, bound)]


def list_folded(claims: Sequence[Claim]) -> dict[UUID, list[Mapping[str, Any]]]:
    """Return by delivery the notices that were folded into it, in order."""
    statement = """
        SELECT d.folded_into, n.document
        FROM unnest(%s::uuid[], %s::uuid[]) AS it (unit_id, delivery_id)
        JOIN deliveries d ON d.unit_id = it.unit_id AND d.folded_into = it.delivery_id
        JOIN notices n ON n.unit_id = d.unit_id AND n.notice_id = d.notice_id
        ORDER BY d.created_at, d.delivery_id
    """
    personal = [claim for claim in claims if claim.recipient_id is not None]
    bound = ([it.unit_id for it in personal], [it.delivery_id for it in personal])
    folded: dict[UUID, list[Mapping[str, Any]]] = {}
    for delivery_id, document in driver().execute(statement, bound) if personal else ():
        folded.setdefault(delivery_id, []).append(document)
    return folded


def resend(scope: Scope, delivery_id: UUID, *, now: datetime) -> None:
    """Send a delivery on its way again under its id, whatever became of it.

    Raises DeliveryNotFoundError. One that waits is tried now.
    """
    changed = driver().execute(
        """
        UPDATE deliveries SET state = 'waiting', tries = 0, due_at = %s, finished_at = NULL
        WHERE unit_id = %s AND delivery_id = %s AND state <> 'folded'
        """,
        (now, scope.unit_id, delivery_id),
    )
    if not changed.rowcount:
        raise DeliveryNotFoundError(f"There is no delivery '{delivery_id}' in this unit.")


def are_due(*, now: datetime) -> bool:
    """Say whether anything waits that could be tried now."""
    statement = """
        SELECT EXISTS (
            SELECT FROM deliveries d JOIN destinations t USING (unit_id, destination_id)
            WHERE d.state = 'waiting' AND d.due_at <= %(now)s
              AND (t.paused_until IS NULL OR t.paused_until <= %(now)s)
        )
    """
    row = driver().execute(statement, {"now": now}).fetchone()
    return bool(row and row[0])


def forget_deliveries(*, before: datetime, limit: int) -> int:
    """Delete what was told before an instant, some at a time; returns how many notices."""
    statement = """
        DELETE FROM notices n USING (
            SELECT unit_id, notice_id FROM notices WHERE created_at < %s
            ORDER BY created_at LIMIT %s
        ) old
        WHERE n.unit_id = old.unit_id AND n.notice_id = old.notice_id
    """
    return driver().execute(statement, (before, limit)).rowcount


def _claim(row: Sequence[Any]) -> Claim:
    (unit_id, org_id, delivery_id, destination_id, attempt, tries, transport, address, notice,
     wording, trigger_id, recipient_id, channel_id, secret, former_secret, failures, created_at,
     received_at) = row  # fmt: skip
    return Claim(
        unit_id=unit_id,
        org_id=org_id,
        delivery_id=delivery_id,
        destination_id=destination_id,
        attempt=attempt,
        tries=tries,
        transport=Transport(transport),
        address=address,
        notice=notice,
        wording=wording,
        trigger_id=trigger_id,
        recipient_id=recipient_id,
        channel_id=channel_id,
        secret=secret,
        former_secret=former_secret,
        failures=failures,
        created_at=created_at,
        received_at=received_at,
    )
