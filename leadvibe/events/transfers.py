"""Events that go back to whose they were, or are left behind, when leads are merged and unmerged.

The way there is `service.move_events`. Nothing here scores: pipeline.merging replays the leads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from leadvibe.events.days import GONE, UNCOUNT_GONE
from leadvibe.events.removal import uncount_types
from leadvibe.events.service import SYSTEM, register_types, store_events
from leadvibe.events.types import NewEvent, Truncation, TruncationPolicy
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver
from leadvibe.lib.ids import new_id


def count_events(scope: Scope, lead_ids: Sequence[str]) -> dict[str, int]:
    """Return how many events each lead has that came in; what Leadvibe wrote is not counted."""
    statement = """
        SELECT lead_id, count(*) FROM events
        WHERE unit_id = %s AND lead_id = ANY(%s) AND receipt > 0 GROUP BY lead_id
    """
    found = driver().execute(statement, (scope.unit_id, list(lead_ids))).fetchall()
    return dict.fromkeys(lead_ids, 0) | dict(found)


def truncate(scope: Scope, lead_ids: Sequence[str], truncation: Truncation) -> dict[str, int]:
    """Delete events of the leads as the policy says; returns how many of each."""
    lost = dict.fromkeys(lead_ids, 0)
    if truncation.policy is TruncationPolicy.NONE:
        return lost
    bound = {
        "unit": scope.unit_id,
        "leads": list(lead_ids),
        "before": truncation.before,
        "keep": truncation.keep,
    }
    doomed = _DOOMED[truncation.policy]
    statement = f"""
        WITH gone AS (
            DELETE FROM events WHERE unit_id = %(unit)s AND event_id IN ({doomed})
            RETURNING lead_id, {GONE}
        ), {UNCOUNT_GONE}
        SELECT lead_id, event_type, count(*) FROM gone GROUP BY lead_id, event_type
    """  # noqa: S608 - text of ours
    by_type: dict[str, int] = {}
    for lead_id, event_type, count in driver().execute(statement, bound):
        lost[lead_id] += count
        by_type[event_type] = by_type.get(event_type, 0) + count
    uncount_types(scope, by_type)
    return lost


_DOOMED = {
    TruncationPolicy.BEFORE: """
        SELECT event_id FROM events
        WHERE unit_id = %(unit)s AND lead_id = ANY(%(leads)s) AND receipt > 0
          AND occurred_at < %(before)s
    """,
    TruncationPolicy.LIMIT: """
        SELECT event_id FROM events
        WHERE unit_id = %(unit)s AND lead_id = ANY(%(leads)s) AND receipt > 0
        ORDER BY occurred_at DESC, receipt DESC OFFSET %(keep)s
    """,
}


def give_back(scope: Scope, holder_id: str, heirs: Mapping[str, str]) -> int:
    """Give events and orders that came from merged leads to their heirs; returns how many events.

    `heirs` maps the lead that an event was first given to the one that gets it.
    """
    counts = [
        _give_back(table, scope, holder_id, heirs, counting)
        for table, counting in (("events", "receipt > 0"), ("orders", "true"))
    ]
    return counts[0]


def _give_back(
    table: str, scope: Scope, holder_id: str, heirs: Mapping[str, str], counting: str
) -> int:
    statement = f"""
        WITH moved AS (
            UPDATE {table} SET lead_id = new.heir,
                original_lead_id = nullif({table}.original_lead_id, new.heir)
            FROM unnest(%s::text[], %s::text[]) AS new (original, heir)
            WHERE {table}.unit_id = %s AND {table}.lead_id = %s
              AND {table}.original_lead_id = new.original
            RETURNING {table}.*
        )
        SELECT count(*) FROM moved WHERE {counting}
    """  # noqa: S608 - names of ours
    bound = (list(heirs), list(heirs.values()), scope.unit_id, holder_id)
    row = driver().execute(statement, bound).fetchone()
    assert row is not None
    return int(row[0])


def record_system_event(
    scope: Scope,
    lead_id: str,
    event_type: str,
    metadata: Mapping[str, Any],
    *,
    version: int,
    now: datetime,
) -> None:
    """Put something that Leadvibe did into a lead's timeline. It never counts."""
    store_events(
        scope,
        [
            NewEvent(
                event_id=new_id(),
                lead_id=lead_id,
                receipt=0,
                occurred_at=now,
                received_at=now,
                version=version,
                event_type=event_type,
                channel=SYSTEM,
                source=SYSTEM,
                message_id=None,
                suppression_reason=None,
                metadata=to_json({"channel": SYSTEM, **metadata}).decode(),
                fingerprint=None,
                is_folded=False,
                unclaimed=None,
            )
        ],
    )
    register_types(scope, {event_type: 1}, now=now)
