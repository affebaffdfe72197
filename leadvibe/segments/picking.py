"""Leads that somebody puts into a segment, or keeps out of it, whatever its rules say.

A pick that is taken away leaves the lead to the rules again. Does not decide who is a member:
segments.membership does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.db import driver
from leadvibe.segments.errors import SegmentNotFoundError, TooManyPicksError

MOST_PICKED = 50_000
"""Leads of one segment: where they are is remembered one by one, and more of them want a rule."""


def pick(
    principal: Principal,
    scope: Scope,
    segment_id: UUID,
    lead_ids: Sequence[str],
    *,
    is_in: bool,
    now: datetime,
) -> dict[str, bool | None]:
    """Put leads into a segment, or keep them out; returns how those it changed were picked before.

    Raises SegmentNotFoundError and TooManyPicksError. Takes no heed of whether the leads are there.
    """
    _hold(scope, segment_id)
    statement = """
        WITH before AS (
            SELECT new.lead_id, p.is_in
            FROM (SELECT DISTINCT unnest(%(leads)s::text[]) COLLATE "C" AS lead_id) new
            LEFT JOIN segment_picks p ON p.unit_id = %(unit)s AND p.segment_id = %(segment)s
                AND p.lead_id = new.lead_id
            WHERE p.is_in IS DISTINCT FROM %(is_in)s
        ), written AS (
            INSERT INTO segment_picks (unit_id, segment_id, lead_id, is_in, picked_at, picked_by)
            SELECT %(unit)s, %(segment)s, lead_id, %(is_in)s, %(now)s, %(by)s FROM before
            ON CONFLICT (unit_id, segment_id, lead_id) DO UPDATE SET
                is_in = excluded.is_in, picked_at = excluded.picked_at,
                picked_by = excluded.picked_by
        )
        SELECT lead_id, is_in FROM before
    """
    bound = {
        "unit": scope.unit_id,
        "segment": segment_id,
        "leads": list(lead_ids),
        "is_in": is_in,
        "now": now,
        "by": principal.label,
    }
    changed = dict(driver().execute(statement, bound).fetchall())
    check_room(scope, segment_id, more=0)
    return changed


def unpick(scope: Scope, segment_id: UUID, lead_ids: Sequence[str]) -> int:
    """Leave leads to the rules again; returns how many were picked. Raises SegmentNotFoundError."""
    _hold(scope, segment_id)
    statement = """
        DELETE FROM segment_picks WHERE unit_id = %s AND segment_id = %s AND lead_id = ANY(%s)
    """
    return driver().execute(statement, (scope.unit_id, segment_id, list(lead_ids))).rowcount


def check_room(scope: Scope, segment_id: UUID, *, more: int) -> None:
    """Raise TooManyPicksError when a segment has no room for some more picked leads."""
    statement = "SELECT count(*) FROM segment_picks WHERE unit_id = %s AND segment_id = %s"
    ((number,),) = driver().execute(statement, (scope.unit_id, segment_id)).fetchall()
    if number + more > MOST_PICKED:
        raise TooManyPicksError(
            f"At most {MOST_PICKED:,} leads are put into or kept out of a segment one by one:"
            " choose fewer, or add a rule that describes them."
        )


def _hold(scope: Scope, segment_id: UUID) -> None:
    """Let nobody delete a segment until the end of the transaction. Raises SegmentNotFoundError."""
    statement = "SELECT FROM segments WHERE unit_id = %s AND segment_id = %s FOR KEY SHARE"
    if driver().execute(statement, (scope.unit_id, segment_id)).fetchone() is None:
        raise SegmentNotFoundError(f"There is no segment '{segment_id}' in this unit.")


def copy_picks(scope: Scope, source_id: UUID, copy_id: UUID) -> None:
    """Pick for a segment whom another one has picked."""
    statement = """
        INSERT INTO segment_picks (unit_id, segment_id, lead_id, is_in, picked_at, picked_by)
        SELECT unit_id, %s, lead_id, is_in, picked_at, picked_by FROM segment_picks
        WHERE unit_id = %s AND segment_id = %s
    """
    driver().execute(statement, (copy_id, scope.unit_id, source_id))


def hand_over_picks(scope: Scope, folded: Mapping[str, str]) -> None:
    """Pick leads wherever others were that became part of them, unless they are picked already.

    The picks of the others stay, for when they are taken out again. Where two of them differ, the
    later one counts.
    """
    if not folded:
        return
    # A segment may be deleted meanwhile: who deletes it is waited for, and its picks are gone then.
    statement = """
        WITH there AS (
            SELECT segment_id FROM segments
            WHERE unit_id = %(unit)s AND segment_id IN (
                SELECT segment_id FROM segment_picks
                WHERE unit_id = %(unit)s AND lead_id = ANY(%(sources)s)
            )
            ORDER BY segment_id FOR KEY SHARE
        )
        INSERT INTO segment_picks (unit_id, segment_id, lead_id, is_in, picked_at, picked_by)
        SELECT DISTINCT ON (p.segment_id, it.target_id)
            p.unit_id, p.segment_id, it.target_id, p.is_in, p.picked_at, p.picked_by
        FROM unnest(%(sources)s::text[], %(targets)s::text[]) AS it (source_id, target_id)
        JOIN segment_picks p ON p.unit_id = %(unit)s AND p.lead_id = it.source_id
        JOIN there ON there.segment_id = p.segment_id
        ORDER BY p.segment_id, it.target_id, p.picked_at DESC
        ON CONFLICT (unit_id, segment_id, lead_id) DO NOTHING
    """
    bound = {
        "unit": scope.unit_id,
        "sources": list(folded),
        "targets": list(folded.values()),
    }
    driver().execute(statement, bound)
