"""What an import has brought, as far as nothing else would keep it: what undoing takes away.

The dry run and the undoing ask the same conditions, the one of all at once, the other of the leads
that it has at hand. Events of an import are found by their ids, which tell when they were made: of
sources there is no index, for a row of it would cost every event that comes in.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from leadvibe.identity.types import Scope
from leadvibe.imports.queries import source_of
from leadvibe.imports.types import Effect, Import
from leadvibe.leads.types import NOBODY
from leadvibe.lib.db import driver

CLOCKS_DIFFER_BY = timedelta(hours=1)
"""At most, between the machines of the workers that read the file."""

_MILLISECONDS = 1_000
_TIME_SHIFT = 80  # a UUIDv7 begins with its time, in 48 of 128 bits

_EVENTS = """
    e.unit_id = %(unit)s AND e.event_id >= %(first)s AND e.event_id < %(last)s
    AND e.source = %(source)s
"""

_HOLDER = """
    CASE WHEN EXISTS (
        SELECT FROM leads f WHERE f.unit_id = {0}.unit_id AND f.lead_id = {0}.original_lead_id
          AND f.folded_by = %(source)s) THEN {0}.original_lead_id ELSE {0}.lead_id END
"""
"""Whose an event or identifier is once those are separated whom the import made one."""

_ONLY_BROUGHT = f"""
    l.unit_id = %(unit)s AND l.source = %(source)s
    AND (l.merged_into IS NULL OR (l.folded_by = %(source)s AND l.merged_into <> %(nobody)s))
    AND NOT EXISTS (
        SELECT FROM events e
        WHERE e.unit_id = l.unit_id AND e.lead_id = coalesce(l.merged_into, l.lead_id)
          AND e.receipt > 0 AND e.source <> %(source)s AND {_HOLDER.format("e")} = l.lead_id)
    AND NOT EXISTS (
        SELECT FROM orders o WHERE o.unit_id = l.unit_id AND o.lead_id = l.lead_id)
    AND NOT EXISTS (
        SELECT FROM lead_watches w WHERE w.unit_id = l.unit_id AND w.lead_id = l.lead_id)
    AND NOT EXISTS (
        SELECT FROM lead_notes n WHERE n.unit_id = l.unit_id AND n.lead_id = l.lead_id)
    AND NOT EXISTS (
        SELECT FROM lead_status_changes s WHERE s.unit_id = l.unit_id AND s.lead_id = l.lead_id)
    AND NOT EXISTS (
        SELECT FROM leads m WHERE m.unit_id = l.unit_id AND m.merged_into = l.lead_id
          AND m.folded_by IS DISTINCT FROM %(source)s)
    AND NOT EXISTS (
        SELECT FROM import_changes c WHERE c.unit_id = l.unit_id AND c.lead_id = l.lead_id
          AND c.import_id <> %(import)s)
    AND l.owner_id IS NOT DISTINCT FROM (
        SELECT c.owner_after FROM import_changes c WHERE c.unit_id = l.unit_id
          AND c.lead_id = l.lead_id AND c.import_id = %(import)s)
    AND NOT EXISTS (
        SELECT FROM lead_traces t WHERE t.unit_id = l.unit_id AND t.lead_id = l.lead_id AND (
            t.link ->> 'by' = 'hand' OR EXISTS (
                SELECT FROM jsonb_each(t.properties) AS p
                WHERE (p.value ->> 0)::bigint >= 0 AND p.value -> 0 IS DISTINCT FROM (
                    SELECT c.after -> p.key FROM import_changes c WHERE c.unit_id = l.unit_id
                      AND c.lead_id = l.lead_id AND c.import_id = %(import)s))))
"""  # noqa: S608 - text of ours
"""A lead of which nothing is known but by this import: no event, order, word or care of others."""

# Nobody can tell which identifier an event came with: one of an active lead may be in use.
_HAS_BEEN_ACTIVE = """
    EXISTS (
        SELECT FROM events e WHERE e.unit_id = a.unit_id AND e.lead_id = a.lead_id
          AND e.receipt > 0 AND e.source <> %(source)s AND e.received_at > a.created_at)
"""


def foresee(scope: Scope, file: Import, *, now: datetime) -> Effect:
    """Say what undoing an import would do now, changing nothing."""
    bound = _bound(scope, file, now=now)
    events, touched = _one(
        f"SELECT count(*), count(DISTINCT e.lead_id) FROM events e WHERE {_EVENTS}",  # noqa: S608 - text of ours
        bound,
    )
    (unprocessed,) = _one(
        """
        SELECT (SELECT count(*) FROM inbox WHERE unit_id = %(unit)s AND source = %(source)s)
             + (SELECT count(*) FROM dead_letters WHERE unit_id = %(unit)s AND source = %(source)s)
        """,
        bound,
    )
    gone = list_only_brought(scope, file, now=now)
    bound["gone"] = gone
    (shared,) = (
        _one(
            f"""
        SELECT count(DISTINCT holder) FROM (
            SELECT {_HOLDER.format("e")} AS holder FROM events e WHERE {_EVENTS}
        ) AS touched WHERE holder <> ALL(%(gone)s)
        """,  # noqa: S608 - text of ours
            bound,
        )
        if touched
        else (0,)
    )
    restored, kept, owners = _foresee_changes(bound)
    removed, used = _foresee_identifiers(bound)
    (separated,) = _one(_COUNT_FOLDED, bound)
    return Effect(
        events=events + unprocessed,
        leads_removed=len(gone),
        leads_rescored=shared,
        properties_restored=restored,
        properties_kept=kept,
        owners_restored=owners,
        identifiers_removed=removed,
        identifiers_kept=used,
        visitors_separated=separated,
    )


_COUNT_FOLDED = """
    SELECT count(*) FROM leads l
    WHERE l.unit_id = %(unit)s AND l.folded_by = %(source)s AND l.lead_id <> ALL(%(gone)s)
      AND l.merged_into IS NOT NULL AND l.merged_into <> %(nobody)s
"""


def _foresee_changes(bound: dict[str, Any]) -> tuple[int, int, int]:
    statement = """
        SELECT count(p.key) FILTER (WHERE t.properties -> p.key -> 0 = p.value),
               count(p.key) FILTER (WHERE t.properties -> p.key -> 0 IS DISTINCT FROM p.value),
               count(DISTINCT c.lead_id) FILTER (WHERE l.owner_id = c.owner_after)
        FROM import_changes c
        LEFT JOIN leads l ON l.unit_id = c.unit_id AND l.lead_id = c.lead_id
            AND l.merged_into IS NULL
        LEFT JOIN lead_traces t ON t.unit_id = l.unit_id AND t.lead_id = l.lead_id
        LEFT JOIN LATERAL jsonb_each(c.after) AS p ON true
        WHERE c.unit_id = %(unit)s AND c.import_id = %(import)s AND c.lead_id <> ALL(%(gone)s)
    """
    restored, kept, owners = _one(statement, bound)
    return restored, kept, owners


def _foresee_identifiers(bound: dict[str, Any]) -> tuple[int, int]:
    statement = f"""
        SELECT count(*) FILTER (WHERE NOT is_used), count(*) FILTER (WHERE is_used) FROM (
            SELECT {_HOLDER.format("a")} AS holder, {_HAS_BEEN_ACTIVE} AS is_used
            FROM lead_aliases a WHERE a.unit_id = %(unit)s AND a.source = %(source)s
        ) AS brought WHERE holder <> ALL(%(gone)s)
    """  # noqa: S608 - text of ours
    removed, used = _one(statement, bound)
    return removed, used


def list_only_brought(
    scope: Scope, file: Import, lead_ids: Collection[str] | None = None, *, now: datetime
) -> list[str]:
    """Return the leads that nothing but the import knows; of those given, if any are."""
    among = "" if lead_ids is None else "AND l.lead_id = ANY(%(leads)s)"
    statement = f"SELECT l.lead_id FROM leads l WHERE {_ONLY_BROUGHT} {among} ORDER BY l.lead_id"  # noqa: S608 - text of ours
    bound = _bound(scope, file, now=now) | {"leads": list(lead_ids or ())}
    return [lead_id for (lead_id,) in driver().execute(statement, bound)]


def list_folded(scope: Scope, file: Import, *, limit: int) -> list[str]:
    """Return visitors who are part of somebody since an event or row of the import said so."""
    statement = """
        SELECT lead_id FROM leads WHERE unit_id = %s AND folded_by = %s
          AND merged_into IS NOT NULL AND merged_into <> %s ORDER BY lead_id LIMIT %s
    """
    bound = (scope.unit_id, source_of(file.import_id), NOBODY, limit)
    return [lead_id for (lead_id,) in driver().execute(statement, bound)]


def forget_identifiers(
    scope: Scope, file: Import, lead_ids: Sequence[str], *, now: datetime
) -> tuple[list[str], int]:
    """Delete identifiers that only the import gave to leads that have not been active since.

    Returns the lead of each, and how many of active ones have stayed.
    """
    bound = _bound(scope, file, now=now) | {"leads": list(lead_ids)}
    mine = "a.unit_id = %(unit)s AND a.source = %(source)s AND a.lead_id = ANY(%(leads)s)"
    gone = driver().execute(
        f"DELETE FROM lead_aliases a WHERE {mine} AND NOT {_HAS_BEEN_ACTIVE} RETURNING a.lead_id",  # noqa: S608 - text of ours
        bound,
    )
    owners = [lead_id for (lead_id,) in gone]
    (kept,) = _one(f"SELECT count(*) FROM lead_aliases a WHERE {mine}", bound)  # noqa: S608 - text of ours
    return owners, kept


def collect(scope: Scope, file: Import, *, now: datetime) -> int:
    """Note the leads that undoing the import has to go over; returns how many there are."""
    statement = f"""
        INSERT INTO import_undo_leads (unit_id, import_id, lead_id)
        SELECT %(unit)s, %(import)s, lead_id FROM (
            SELECT e.lead_id FROM events e WHERE {_EVENTS} AND e.lead_id IS NOT NULL
            UNION SELECT lead_id FROM leads WHERE unit_id = %(unit)s AND source = %(source)s
            UNION SELECT lead_id FROM lead_aliases WHERE unit_id = %(unit)s AND source = %(source)s
            UNION SELECT lead_id FROM import_changes
                  WHERE unit_id = %(unit)s AND import_id = %(import)s
        ) AS touched
        ON CONFLICT DO NOTHING
    """  # noqa: S608 - text of ours
    return driver().execute(statement, _bound(scope, file, now=now)).rowcount


def collect_rest(scope: Scope, file: Import, *, now: datetime) -> int:
    """Note leads that have events of the import still: those that were merged meanwhile."""
    statement = f"""
        INSERT INTO import_undo_leads (unit_id, import_id, lead_id)
        SELECT DISTINCT %(unit)s::uuid, %(import)s::uuid, e.lead_id FROM events e
        WHERE {_EVENTS} AND e.lead_id IS NOT NULL
        ON CONFLICT DO NOTHING
    """  # noqa: S608 - text of ours
    return driver().execute(statement, _bound(scope, file, now=now)).rowcount


def next_leads(scope: Scope, import_id: UUID, *, limit: int) -> list[str]:
    """Return leads that the undoing has still to go over."""
    statement = """
        SELECT lead_id FROM import_undo_leads
        WHERE unit_id = %s AND import_id = %s ORDER BY lead_id LIMIT %s
    """
    return [it for (it,) in driver().execute(statement, (scope.unit_id, import_id, limit))]


def tick_off(scope: Scope, import_id: UUID, lead_ids: Sequence[str]) -> None:
    """Note that these leads are done."""
    driver().execute(
        "DELETE FROM import_undo_leads WHERE unit_id = %s AND import_id = %s AND lead_id = ANY(%s)",
        (scope.unit_id, import_id, list(lead_ids)),
    )


def _bound(scope: Scope, file: Import, *, now: datetime) -> dict[str, Any]:
    return {
        "unit": scope.unit_id,
        "import": file.import_id,
        "source": source_of(file.import_id),
        "nobody": NOBODY,
        "first": _first_id(file.created_at - CLOCKS_DIFFER_BY),
        "last": _first_id((file.finished_at or now) + CLOCKS_DIFFER_BY),
    }


def _first_id(at: datetime) -> UUID:
    """Return what no id that was made at an instant is below."""
    return UUID(int=int(at.timestamp() * _MILLISECONDS) << _TIME_SHIFT)


def _one(statement: str, bound: dict[str, Any]) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = driver().execute(statement, bound).fetchone()
    assert row is not None
    return row
