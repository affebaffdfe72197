"""What happened last in a unit, with whom: the live feed as a list."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver


class LatestEvent(NamedTuple):
    """An event that counted, and the lead it is now an event of."""

    event_id: UUID
    lead_id: str
    lead_name: str
    score: int
    event_type: str
    channel: str
    occurred_at: datetime
    metadata: Mapping[str, Any]


def list_latest(scope: Scope, *, hidden: Collection[str], limit: int) -> list[LatestEvent]:
    """Return the latest events by their own time, of types that are not hidden."""
    statement = """
        SELECT e.event_id, e.lead_id, l.name, l.score, e.event_type, e.channel, e.occurred_at,
               e.metadata
        FROM (
            SELECT * FROM events
            WHERE unit_id = %(unit)s AND suppression_reason IS NULL AND receipt > 0
              AND lead_id IS NOT NULL AND event_type <> ALL(%(hidden)s)
            ORDER BY occurred_at DESC, receipt DESC LIMIT %(limit)s
        ) AS e
        JOIN leads l ON l.unit_id = e.unit_id AND l.lead_id = e.lead_id
        ORDER BY e.occurred_at DESC, e.receipt DESC
    """
    bound = {"unit": scope.unit_id, "hidden": list(hidden), "limit": limit}
    return [LatestEvent(*row) for row in driver().execute(statement, bound)]
