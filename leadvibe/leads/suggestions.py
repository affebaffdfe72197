"""Leads that may be the same person, because an event named them together.

The pipeline notes such conflicts and never merges identified leads by itself. Each pair is shown
as the leads that stand for it now, so what was merged or deleted since is no suggestion any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from leadvibe.identity.types import Scope
from leadvibe.leads import queries
from leadvibe.leads.errors import SuggestionNotFoundError
from leadvibe.leads.queries import MERGE_DEPTH
from leadvibe.leads.types import AliasKey, MergedLead, MergeSuggestion
from leadvibe.lib.db import driver
from leadvibe.lib.paging import Page, PageRequest, Total

_OPEN = """
    WITH RECURSIVE chain (asked, lead_id, merged_into, depth) AS (
        SELECT l.lead_id, l.lead_id, l.merged_into, 0 FROM leads l
        WHERE l.unit_id = %(unit)s AND l.lead_id IN (
            SELECT lead_id FROM lead_alias_conflicts WHERE unit_id = %(unit)s
            UNION SELECT other_lead_id FROM lead_alias_conflicts WHERE unit_id = %(unit)s
        )
        UNION ALL
        SELECT chain.asked, l.lead_id, l.merged_into, chain.depth + 1
        FROM chain JOIN leads l ON l.unit_id = %(unit)s AND l.lead_id = chain.merged_into
        WHERE chain.depth < %(depth)s
    ), standing AS (
        SELECT asked, lead_id FROM chain WHERE merged_into IS NULL
    ), pairs AS (
        SELECT (array_agg(one.lead_id ORDER BY c.seen_at DESC))[1] AS lead_id,
               (array_agg(other.lead_id ORDER BY c.seen_at DESC))[1] AS other_lead_id,
               jsonb_agg(DISTINCT jsonb_build_array(c.kind, c.value)) AS aliases,
               max(c.seen_at) AS seen_at
        FROM lead_alias_conflicts c
        JOIN standing one ON one.asked = c.lead_id
        JOIN standing other ON other.asked = c.other_lead_id
        WHERE c.unit_id = %(unit)s AND one.lead_id <> other.lead_id
        GROUP BY least(one.lead_id, other.lead_id), greatest(one.lead_id, other.lead_id)
    ), suggestions AS (
        SELECT * FROM pairs WHERE NOT EXISTS (
            SELECT FROM lead_merge_dismissals d
            WHERE d.unit_id = %(unit)s AND d.lead_id = least(pairs.lead_id, pairs.other_lead_id)
              AND d.other_lead_id = greatest(pairs.lead_id, pairs.other_lead_id)
        )
    )
"""


def list_suggestions(scope: Scope, request: PageRequest) -> Page[MergeSuggestion]:
    """Return one page of the pairs that nobody has dismissed, the latest first."""
    statement = f"""
        {_OPEN}
        SELECT s.lead_id, one.name, s.other_lead_id, other.name, s.aliases, s.seen_at
        FROM suggestions s
        JOIN leads one ON one.unit_id = %(unit)s AND one.lead_id = s.lead_id
        JOIN leads other ON other.unit_id = %(unit)s AND other.lead_id = s.other_lead_id
        ORDER BY s.seen_at DESC, s.lead_id, s.other_lead_id LIMIT %(size)s OFFSET %(offset)s
    """  # noqa: S608 - text of ours
    bound = {**_bound(scope), "size": request.size, "offset": request.offset}
    items = [_suggestion(row) for row in driver().execute(statement, bound)]
    return Page(items, Total(_count(scope)), request)


def list_others(scope: Scope, lead_id: str, merged: Iterable[MergedLead]) -> list[MergeSuggestion]:
    """Return the suggestions that name one lead, as seen from it: the latest first.

    `merged` are the leads that it stands for.
    """
    family = [lead_id, *(it.lead_id for it in merged)]
    statement = """
        SELECT CASE WHEN lead_id = ANY(%(ids)s) THEN other_lead_id ELSE lead_id END,
               jsonb_agg(DISTINCT jsonb_build_array(kind, value)), max(seen_at)
        FROM lead_alias_conflicts
        WHERE unit_id = %(unit)s AND (lead_id = ANY(%(ids)s) OR other_lead_id = ANY(%(ids)s))
        GROUP BY 1 ORDER BY 3 DESC, 1
    """
    rows = driver().execute(statement, {"unit": scope.unit_id, "ids": family}).fetchall()
    if not rows:
        return []
    standing = queries.merge_targets(scope, [other for other, _, _ in rows])
    names = queries.list_names(scope, set(standing.values()) | {lead_id})
    kept_apart = _kept_apart(scope, lead_id) | {lead_id}
    found: dict[str, MergeSuggestion] = {}
    for other, aliases, seen_at in rows:
        other_id = standing.get(other)
        if other_id in names and other_id not in kept_apart:
            row = (lead_id, names.get(lead_id, lead_id), other_id, names[other_id])
            found.setdefault(other_id, _suggestion((*row, aliases, seen_at)))
    return list(found.values())


def _kept_apart(scope: Scope, lead_id: str) -> set[str]:
    statement = """
        SELECT CASE WHEN lead_id = %(lead)s THEN other_lead_id ELSE lead_id END
        FROM lead_merge_dismissals
        WHERE unit_id = %(unit)s AND (lead_id = %(lead)s OR other_lead_id = %(lead)s)
    """
    rows = driver().execute(statement, {"unit": scope.unit_id, "lead": lead_id})
    return {other for (other,) in rows}


def dismiss(scope: Scope, lead_id: str, other_lead_id: str, *, by: str, now: datetime) -> None:
    """Stop suggesting that two leads are one. Raises SuggestionNotFoundError."""
    statement = f"""
        {_OPEN}
        SELECT FROM suggestions
        WHERE (lead_id, other_lead_id) IN ((%(one)s, %(other)s), (%(other)s, %(one)s))
    """
    bound = {**_bound(scope), "one": lead_id, "other": other_lead_id}
    if driver().execute(statement, bound).fetchone() is None:
        raise SuggestionNotFoundError(
            f"Merging '{lead_id}' and '{other_lead_id}' is not suggested, or not any more."
        )
    keep_apart(scope, lead_id, [other_lead_id], by=by, now=now)


def keep_apart(
    scope: Scope, lead_id: str, other_lead_ids: Sequence[str], *, by: str, now: datetime
) -> None:
    """Never suggest to merge these leads with the one."""
    statement = """
        INSERT INTO lead_merge_dismissals
            (unit_id, lead_id, other_lead_id, dismissed_at, dismissed_by)
        SELECT %(unit)s, least(one, other), greatest(one, other), %(now)s, %(by)s
        FROM (
            SELECT %(lead)s::text COLLATE "C" AS one,
                   unnest(%(others)s::text[]) COLLATE "C" AS other
        ) AS pair
        ON CONFLICT DO NOTHING
    """
    bound = {
        "unit": scope.unit_id,
        "lead": lead_id,
        "others": list(other_lead_ids),
        "now": now,
        "by": by,
    }
    driver().execute(statement, bound)


def _count(scope: Scope) -> int:
    statement = f"{_OPEN} SELECT count(*) FROM suggestions"  # noqa: S608 - text of ours
    row = driver().execute(statement, _bound(scope)).fetchone()
    assert row is not None
    return int(row[0])


def _bound(scope: Scope) -> dict[str, object]:
    return {"unit": scope.unit_id, "depth": MERGE_DEPTH}


def _suggestion(row: tuple[Any, ...]) -> MergeSuggestion:
    lead_id, lead_name, other_lead_id, other_name, aliases, seen_at = row
    return MergeSuggestion(
        lead_id=lead_id,
        lead_name=lead_name,
        other_lead_id=other_lead_id,
        other_name=other_name,
        aliases=tuple(AliasKey(kind, value) for kind, value in aliases),
        seen_at=seen_at,
    )
