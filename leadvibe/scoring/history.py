"""Scores as they were: read from the ledger, by the events' own time, and so for any instant.

Snapshots of what people saw at the time are another matter: snapshots.py.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from leadvibe.engine.history import Point, look_hourly
from leadvibe.engine.rules import Config
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver
from leadvibe.scoring import queries


class Gain(NamedTuple):
    """What a lead's score rose by within a span; `score` is the one it has now."""

    lead_id: str
    score: int
    gain: int
    last_event_at: datetime


def scores_at(scope: Scope, lead_id: str, at: datetime) -> dict[UUID, int]:
    """Return the lead's score at an instant in every ruleset that had scored it by then."""
    statement = """
        SELECT DISTINCT ON (ruleset_id) ruleset_id, after FROM score_entries
        WHERE unit_id = %s AND lead_id = %s AND occurred_at <= %s
        ORDER BY ruleset_id, seq DESC
    """
    return dict(driver().execute(statement, (scope.unit_id, lead_id, at)).fetchall())


def list_changes(
    scope: Scope, lead_id: str, ruleset_id: UUID, *, start: datetime, end: datetime
) -> list[Point]:
    """Return every step of a score after `start` and up to `end`, in order."""
    statement = """
        SELECT occurred_at, after FROM score_entries
        WHERE unit_id = %(unit)s AND lead_id = %(lead)s AND ruleset_id = %(ruleset)s
          AND occurred_at > %(start)s AND occurred_at <= %(end)s
        ORDER BY seq
    """
    bound = {
        "unit": scope.unit_id,
        "lead": lead_id,
        "ruleset": ruleset_id,
        "start": start,
        "end": end,
    }
    return [Point(*row) for row in driver().execute(statement, bound)]


def list_gains(
    scope: Scope, *, start: datetime, end: datetime | None = None, limit: int
) -> list[Gain]:
    """Return the leads whose score rose most between two instants, the largest gain first.

    Of the ruleset that stands for each lead now; `end` None is now. A lead without an event since
    the start cannot have gained, so only the recently active ones are looked at.
    """
    statement = f"""
        SELECT lead_id, score, ending - beginning, last_event_at FROM (
            SELECT l.lead_id, l.score, l.last_event_at,
                   coalesce(({_SCORE_BEFORE.format("%(start)s")}), 0) AS beginning,
                   CASE WHEN %(end)s::timestamptz IS NULL THEN l.score
                        ELSE coalesce(({_SCORE_BEFORE.format("%(end)s")}), 0) END AS ending
            FROM leads l
            WHERE l.unit_id = %(unit)s AND l.merged_into IS NULL
              AND l.last_event_at >= %(start)s
        ) AS moved
        WHERE ending > beginning
        ORDER BY ending - beginning DESC, lead_id LIMIT %(limit)s
    """  # noqa: S608 - texts of ours
    bound = {"unit": scope.unit_id, "start": start, "end": end, "limit": limit}
    return [Gain(*row) for row in driver().execute(statement, bound)]


_SCORE_BEFORE = """
    SELECT e.after FROM score_entries e
    WHERE e.unit_id = l.unit_id AND e.lead_id = l.lead_id AND e.ruleset_id = l.ruleset_id
      AND e.occurred_at < {}
    ORDER BY e.seq DESC LIMIT 1
"""


def config_at(scope: Scope, at: datetime) -> Config:
    """Return the configuration in force at an instant; the empty one before the first version."""
    statement = """
        SELECT coalesce(max(version), 0) FROM config_versions
        WHERE unit_id = %s AND created_at <= %s
    """
    row = driver().execute(statement, (scope.unit_id, at)).fetchone()
    assert row is not None
    return queries.get_config(scope, row[0])


def look_back(
    scope: Scope, lead_id: str, ruleset_id: UUID, *, start: datetime, end: datetime
) -> list[Point]:
    """Return the score at `start`, at every full hour after it, and at `end`."""
    changes = list_changes(scope, lead_id, ruleset_id, start=start, end=end)
    opening = scores_at(scope, lead_id, start).get(ruleset_id, 0)
    return list(look_hourly(changes, opening=opening, start=start, end=end))
