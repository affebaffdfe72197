"""What leads did, as triggers see it: counted events of the types that triggers may hear."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from leadvibe.engine.patterns import Act
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver

MOST_ACTS = 5_000
"""The latest of a lead that are looked at: more than any shape asks for."""


def load_acts(
    scope: Scope,
    since: Mapping[str, datetime],
    *,
    types: Collection[str] | None,
    unheard: Collection[str],
    new: Collection[UUID],
) -> dict[str, list[Act]]:
    """Return, by lead and in order, its counted events from an instant of its own on.

    Of some types, or of all but those that are `unheard`. Those in `new` are marked so.
    """
    statement = """
        SELECT wanted.lead_id, e.event_id, e.event_type, e.occurred_at, e.receipt, e.metadata,
               e.event_id = ANY(%(new)s), e.channel
        FROM unnest(%(leads)s::text[], %(since)s::timestamptz[]) AS wanted (lead_id, since)
        CROSS JOIN LATERAL (
            SELECT * FROM events
            WHERE unit_id = (SELECT %(unit)s::uuid)  -- docs/design.md, unknown units
              AND lead_id = wanted.lead_id AND occurred_at >= wanted.since
              AND suppression_reason IS NULL AND receipt > 0
              AND (%(types)s::text[] IS NULL OR event_type = ANY(%(types)s))
              AND event_type <> ALL(%(unheard)s)
            ORDER BY occurred_at DESC, receipt DESC
            LIMIT %(most)s
        ) e
    """
    bound = {
        "new": list(new),
        "leads": list(since),
        "since": list(since.values()),
        "unit": scope.unit_id,
        "types": None if types is None else list(types),
        "unheard": list(unheard),
        "most": MOST_ACTS,
    }
    acts: dict[str, list[Act]] = {}
    for lead_id, *columns in driver().execute(statement, bound):
        acts.setdefault(lead_id, []).append(Act._make(columns))
    for some in acts.values():
        some.sort(key=lambda act: act.key)
    return acts
