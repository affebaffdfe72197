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
from leadvibe.scoring.ledger_sums import LAST_SEQ


class Gain(NamedTuple):
    """What a lead's score rose by within a span; `score` is the one it has now."""

    lead_id: str
    score: int
    gain: int
    last_event_at: datetime


def scores_at(scope: Scope, lead_id: str, at: datetime) -> dict[UUID, int]:
    """Return the lead's score at an instant in every ruleset that had scored it by then."""
    statement = f"""
        SELECT stands.ruleset_id, last.after FROM lead_scores stands
        CROSS JOIN LATERAL (
            SELECT coalesce(min(first_seq), {LAST_SEQ}) AS upper FROM ledger_sums sums
            WHERE sums.unit_id = stands.unit_id AND sums.lead_id = stands.lead_id
              AND sums.ruleset_id = stands.ruleset_id AND began_at > %(at)s
        ) AS bounds
        CROSS JOIN LATERAL (
            SELECT s.after FROM score_entries s
            WHERE s.unit_id = stands.unit_id AND s.lead_id = stands.lead_id
              AND s.ruleset_id = stands.ruleset_id AND s.seq < upper AND s.occurred_at <= %(at)s
            ORDER BY s.seq DESC LIMIT 1
        ) AS last
        WHERE stands.unit_id = %(unit)s AND stands.lead_id = %(lead)s
    """  # noqa: S608 - text of ours
    bound = {"unit": scope.unit_id, "lead": lead_id, "at": at}
    return dict(driver().execute(statement, bound).fetchall())


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
