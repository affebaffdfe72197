"""What scores were when they were looked at: once an hour, and kept only when they had changed.

The ledger says what a score was at any instant, as it is known today; after a rescore that is not
what people saw then. Snapshots are.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from leadvibe.engine.history import Point
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver

KEEP = timedelta(days=90)

MARGIN = timedelta(hours=1)
"""How long before a snapshot a change may have been begun that was committed after it."""


def take_snapshots(scope: Scope, *, now: datetime) -> int:
    """Note every score that is not what it was in its last snapshot; returns how many.

    In one statement, which blocks nobody. A score that is gone is noted as 0.
    """
    bound = {"unit": scope.unit_id, "now": now, "margin": MARGIN}
    # Until the statistics know of the table, its rows would be read through for each lead.
    driver().execute("SET LOCAL enable_seqscan = off")
    taken = driver().execute(_TAKE, bound).rowcount
    driver().execute("SET LOCAL enable_seqscan = on")
    return taken


def forget_snapshots(*, now: datetime) -> int:
    """Delete the snapshots that the last days do not need, in all units; returns how many.

    The newest one that is older stays: it says what the score was when the days began.
    """
    statement = """
        DELETE FROM score_snapshots old
        WHERE old.snapshot_at < %(start)s AND EXISTS (
            SELECT FROM score_snapshots newer
            WHERE newer.unit_id = old.unit_id AND newer.lead_id = old.lead_id
              AND newer.ruleset_id = old.ruleset_id
              AND newer.snapshot_at > old.snapshot_at AND newer.snapshot_at <= %(start)s
        )
    """
    return driver().execute(statement, {"start": now - KEEP}).rowcount


def list_snapshots(
    scope: Scope, lead_id: str, ruleset_id: UUID, *, start: datetime, end: datetime
) -> list[Point]:
    """Return a lead's snapshots within a span, in order, from the one that it begins with on."""
    statement = """
        SELECT snapshot_at, score FROM score_snapshots
        WHERE unit_id = %(unit)s AND lead_id = %(lead)s AND ruleset_id = %(ruleset)s
          AND snapshot_at <= %(end)s AND snapshot_at >= coalesce(
            (SELECT max(snapshot_at) FROM score_snapshots
             WHERE unit_id = %(unit)s AND lead_id = %(lead)s AND ruleset_id = %(ruleset)s
               AND snapshot_at <= %(start)s), %(start)s)
        ORDER BY snapshot_at
    """
    bound = {
        "unit": scope.unit_id,
        "lead": lead_id,
        "ruleset": ruleset_id,
        "start": start,
        "end": end,
    }
    return [Point(*row) for row in driver().execute(statement, bound)]


def units_with_scores() -> list[UUID]:
    """Return the units that have scored any lead."""
    statement = """
        SELECT unit_id FROM units u
        WHERE EXISTS (SELECT FROM lead_scores s WHERE s.unit_id = u.unit_id)
           OR EXISTS (SELECT FROM score_snapshots s WHERE s.unit_id = u.unit_id)
    """
    return [unit_id for (unit_id,) in driver().execute(statement)]


_TAKE = """
    INSERT INTO score_snapshots (unit_id, lead_id, ruleset_id, snapshot_at, score)
    SELECT l.unit_id, l.lead_id, seen.ruleset_id, %(now)s, seen.score
    FROM leads l CROSS JOIN LATERAL (
        SELECT ruleset_id, coalesce(present.score, 0) AS score, past.score AS score_then
        FROM (
            SELECT s.ruleset_id, s.score FROM lead_scores s
            WHERE s.unit_id = l.unit_id AND s.lead_id = l.lead_id
        ) AS present
        FULL JOIN (
            SELECT DISTINCT ON (s.ruleset_id) s.ruleset_id, s.score FROM score_snapshots s
            WHERE s.unit_id = l.unit_id AND s.lead_id = l.lead_id
            ORDER BY s.ruleset_id, s.snapshot_at DESC
        ) AS past USING (ruleset_id)
    ) AS seen
    WHERE l.unit_id = %(unit)s
      AND l.updated_at > coalesce(
        (SELECT max(snapshot_at) - %(margin)s::interval FROM score_snapshots
         WHERE unit_id = %(unit)s), '-infinity')
      AND seen.score IS DISTINCT FROM seen.score_then
    ON CONFLICT DO NOTHING
"""
