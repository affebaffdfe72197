"""What has come of leads by the source that is recorded of them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from leadvibe.identity.types import Scope
from leadvibe.leads.statuses import Outcome
from leadvibe.lib.db import driver

MOST_SOURCES = 50


class SourceTally(NamedTuple):
    """Leads alike in source and outcome; `value` is that of them all."""

    source: str
    outcome: Outcome
    leads: int
    value: float


def tally_sources(scope: Scope, *, since: datetime, before: datetime) -> list[SourceTally]:
    """Count leads made within a time: those of the MOST_SOURCES sources with the most leads."""
    statement = """
        SELECT source, outcome, leads, value FROM (
            SELECT *, dense_rank() OVER (ORDER BY total DESC, source) AS place FROM (
                SELECT source, outcome, count(*) AS leads,
                    coalesce(sum(value), 0)::float8 AS value,
                    (sum(count(*)) OVER (PARTITION BY source))::bigint AS total
                FROM lead_records
                WHERE unit_id = %s AND is_listed AND source IS NOT NULL
                  AND created_at >= %s AND created_at < %s
                GROUP BY source, outcome
            ) counted
        ) placed
        WHERE place <= %s ORDER BY place, outcome
    """
    rows = driver().execute(statement, (scope.unit_id, since, before, MOST_SOURCES))
    return [SourceTally(source, Outcome(outcome), *rest) for source, outcome, *rest in rows]
