"""Suppressed events that named nobody we know, once other filters would let them count.

They came in and were put aside; now they go back to the inbox, or are shown to a preview as if
they had. Needs the identities' lock for whatever it changes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from leadvibe.events.usage import SAMPLE_SOURCE
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver

READ_AT_ONCE = 5_000
"""As many as the pipeline would take at a time."""


class UnclaimedEvent(NamedTuple):
    """An event without a lead; `lead_id` and `aliases` (kind and value) are what it came with."""

    event_id: UUID
    receipt: int
    event_type: str
    source: str
    received_at: datetime
    lead_id: str | None
    aliases: list[tuple[str, str]]
    metadata: Mapping[str, Any]


def list_unclaimed(scope: Scope, *, after: int = 0) -> list[UnclaimedEvent]:
    """Return the next of them in the order in which they came in, from after a receipt on."""
    statement = """
        SELECT event_id, receipt, event_type, source, received_at,
               unclaimed ->> 'lead_id', unclaimed -> 'aliases', metadata
        FROM events WHERE unit_id = %s AND lead_id IS NULL AND receipt > %s
        ORDER BY receipt LIMIT %s
    """
    rows = driver().execute(statement, (scope.unit_id, after, READ_AT_ONCE))
    return [UnclaimedEvent._make(row) for row in rows]


def find_next_arrival(scope: Scope) -> datetime | None:
    """Return when the event came in that is next in the unit's inbox; None when it is empty."""
    statement = "SELECT received_at FROM inbox WHERE unit_id = %s ORDER BY receipt LIMIT 1"
    row = driver().execute(statement, (scope.unit_id,)).fetchone()
    return row[0] if row else None


def return_to_inbox(scope: Scope, event_ids: Collection[UUID]) -> None:
    """Let events come in again, each in its old place, for the pipeline to find or make its lead.

    Their source has not finished with them, so they are taken out of its tally, and of the unit's
    usage.
    """
    bound = {"unit": scope.unit_id, "ids": list(event_ids), "sample": SAMPLE_SOURCE}
    driver().execute(_RETURN, bound)


def give_to(scope: Scope, leads: Mapping[UUID, str]) -> None:
    """Give events to leads as the pipeline would."""
    statement = """
        UPDATE events SET lead_id = new.lead_id, unclaimed = NULL
        FROM unnest(%s::uuid[], %s::text[]) AS new (event_id, lead_id)
        WHERE events.unit_id = %s AND events.event_id = new.event_id
    """
    driver().execute(statement, (list(leads), list(leads.values()), scope.unit_id))


# The payload is the one that pipeline.intake writes.
_RETURN = """
    WITH gone AS (
        DELETE FROM events
        WHERE unit_id = %(unit)s AND event_id = ANY(%(ids)s) AND lead_id IS NULL
        RETURNING *
    ), queued AS (
        INSERT INTO inbox
            (unit_id, receipt, event_id, received_at, source, message_id, payload)
        SELECT unit_id, receipt, event_id, received_at, source, message_id,
            json_build_object(
                'event_type', event_type,
                'timestamp',
                to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                'lead_id', unclaimed -> 'lead_id',
                'aliases', coalesce(unclaimed -> 'aliases', '[]'),
                'metadata', metadata
            )
        FROM gone ORDER BY receipt
    ), uncounted AS (
        UPDATE event_types SET event_count = event_types.event_count - fewer.count
        FROM (SELECT event_type, count(*) FROM gone GROUP BY event_type) AS fewer
        WHERE event_types.unit_id = %(unit)s AND event_types.name = fewer.event_type
    ), unused AS (
        UPDATE usage_months SET event_count = usage_months.event_count - fewer.count
        FROM (
            SELECT date_trunc('month', received_at AT TIME ZONE 'UTC')::date AS month, count(*)
            FROM gone WHERE source <> %(sample)s GROUP BY 1
        ) AS fewer
        WHERE usage_months.unit_id = %(unit)s AND usage_months.month = fewer.month
    )
    UPDATE source_tallies SET processed = source_tallies.processed - again.count
    FROM (SELECT source, count(*) FROM gone GROUP BY source) AS again
    WHERE source_tallies.unit_id = %(unit)s AND source_tallies.source = again.source
"""
