"""How many leads had which score, once a day: what levels were made of, without asking each lead.

Today's is read from the histograms that triggers keep (leads.histograms). Scores and not levels are
noted, for levels are cut anew from time to time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver

KEEP = timedelta(days=400)
"""A year, and what it is compared with."""

ScoreMix = Mapping[int, int]
"""Leads by score."""


class DayMix(NamedTuple):
    """What was noted when a day (UTC) was first looked at."""

    day: date
    leads: ScoreMix


def read_mix(scope: Scope) -> ScoreMix:
    """Return how many leads have which score now."""
    statement = """
        SELECT bucket, leads FROM lead_histograms
        WHERE unit_id = %s AND facet = 'score' AND label = '' AND leads > 0
    """
    return dict(driver().execute(statement, (scope.unit_id,)).fetchall())


def note_mix(scope: Scope, *, now: datetime) -> bool:
    """Note the mix of today unless it has been noted; says whether anything was."""
    statement = """
        INSERT INTO score_mixes (unit_id, day, score, leads)
        SELECT unit_id, %(day)s, bucket, leads FROM lead_histograms
        WHERE unit_id = %(unit)s AND facet = 'score' AND label = '' AND leads > 0
          AND NOT EXISTS (SELECT FROM score_mixes WHERE unit_id = %(unit)s AND day = %(day)s)
        ON CONFLICT DO NOTHING
    """
    bound = {"unit": scope.unit_id, "day": now.astimezone(UTC).date()}
    return driver().execute(statement, bound).rowcount > 0


def find_mix(scope: Scope, since: date, before: date) -> DayMix | None:
    """Return the first mix that was noted from a day on and before another, or None."""
    statement = """
        SELECT day, score, leads FROM score_mixes
        WHERE unit_id = %(unit)s AND day = (
            SELECT min(day) FROM score_mixes
            WHERE unit_id = %(unit)s AND day >= %(since)s AND day < %(before)s
        )
    """
    bound = {"unit": scope.unit_id, "since": since, "before": before}
    rows = driver().execute(statement, bound).fetchall()
    return DayMix(rows[0][0], {score: leads for _, score, leads in rows}) if rows else None


def forget_mixes(*, now: datetime) -> int:
    """Delete what was noted longer ago than it is kept, in all units; returns how many rows."""
    statement = "DELETE FROM score_mixes WHERE day < %s"
    return driver().execute(statement, ((now - KEEP).astimezone(UTC).date(),)).rowcount
