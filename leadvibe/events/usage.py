"""How many events came in each month: what an organisation uses.

An event counts once the pipeline has processed it, in the month (UTC) in which it was received,
whether or not it scores. Messages that came twice, failed events, what Leadvibe itself writes and
sample data do not count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import NamedTuple
from uuid import UUID

from leadvibe.events.types import InboxEvent
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver, write

SAMPLE_SOURCE = "seed"
"""What the events and leads of the sample carry as their source; the contract's word for it."""


class UnitMonth(NamedTuple):
    """Events that came into a unit in the month that begins on a day."""

    unit_id: UUID
    month: date
    events: int


def month_of(at: datetime) -> date:
    """Return the first day of the month, in UTC."""
    in_utc = at.astimezone(UTC)
    return date(in_utc.year, in_utc.month, 1)


def count_usage(scope: Scope, arrivals: Iterable[InboxEvent]) -> None:
    """Count events that the pipeline is done with, in its transaction and under its lock."""
    months = Counter(
        month_of(arrival.received_at) for arrival in arrivals if arrival.source != SAMPLE_SOURCE
    )
    if not months:
        return
    statement = """
        INSERT INTO usage_months (unit_id, month, event_count)
        SELECT %s, new.* FROM unnest(%s::date[], %s::bigint[]) AS new (month, event_count)
        ON CONFLICT (unit_id, month)
        DO UPDATE SET event_count = usage_months.event_count + excluded.event_count
    """
    write(statement, (scope.unit_id, list(months), list(months.values())))


def list_usage(org_id: UUID, *, since: date) -> list[UnitMonth]:
    """List what came into each of the organisation's units in each month from one on."""
    statement = """
        SELECT unit_id, month, event_count FROM usage_months JOIN units USING (unit_id)
        WHERE org_id = %s AND month >= %s ORDER BY month, unit_id
    """
    return [UnitMonth(*row) for row in driver().execute(statement, (org_id, since))]
