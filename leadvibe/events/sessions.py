"""How many sessions leads had, over all time or in a stretch of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver


def count_sessions(
    scope: Scope,
    lead_ids: Sequence[str],
    *,
    since: datetime | None = None,
    before: datetime | None = None,
) -> dict[str, int]:
    """Return how many sessions of each lead began in the stretch; None leaves an end open."""
    statement = """
        SELECT lead_id, count(*) FROM lead_sessions
        WHERE unit_id = %(unit)s AND lead_id = ANY(%(leads)s)
          AND (%(since)s::timestamptz IS NULL OR started_at >= %(since)s)
          AND (%(before)s::timestamptz IS NULL OR started_at < %(before)s)
        GROUP BY lead_id
    """
    bound = {"unit": scope.unit_id, "leads": list(lead_ids), "since": since, "before": before}
    found = driver().execute(statement, bound).fetchall()
    return dict.fromkeys(lead_ids, 0) | dict(found)
