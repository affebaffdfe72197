"""Leads folded into one and taken apart again: who stands for whom, and whose aliases are whose.

All of it needs the identities' lock. Does not move events nor score: pipeline.merging does, around
these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from leadvibe.identity.types import Scope
from leadvibe.leads import queries, records
from leadvibe.leads.errors import (
    AlreadyMergedError,
    LeadNotFoundError,
    MergedTooOftenError,
    NotMergedError,
    SelfMergeError,
)
from leadvibe.leads.service import HANDED_OVER, count_listed, refresh_names
from leadvibe.leads.statuses import refresh_statuses
from leadvibe.leads.types import NOBODY, Lead, MergedLead
from leadvibe.lib.db import driver


def get_standing(scope: Scope, lead_id: str) -> Lead:
    """Return a lead that stands for itself. Raises LeadNotFoundError or AlreadyMergedError."""
    lead = queries.find_lead(scope, lead_id)
    if lead is None or lead.merged_into == NOBODY:
        raise LeadNotFoundError(f"There is no lead '{lead_id}' in this unit.")
    if lead.merged_into is not None:
        raise AlreadyMergedError(
            f"Lead '{lead_id}' was merged into '{lead.merged_into}': name that one instead."
        )
    return lead


def get_mergeable(
    scope: Scope, target_id: str, source_ids: Sequence[str]
) -> tuple[Lead, list[Lead]]:
    """Return target and sources, each once, when the ones can become part of the other.

    Raises SelfMergeError, LeadNotFoundError, AlreadyMergedError and MergedTooOftenError.
    """
    if target_id in source_ids:
        raise SelfMergeError(
            f"Lead '{target_id}' cannot be merged into itself: take it out of the sources.",
            fields={"sourceLeadIds": "names the target"},
        )
    target = get_standing(scope, target_id)
    sources = [get_standing(scope, source_id) for source_id in dict.fromkeys(source_ids)]
    for source in sources:
        _check_depth(scope, source.lead_id)
    return target, sources


def list_merged(scope: Scope, lead_id: str) -> list[MergedLead]:
    """Return all leads that the lead stands for, also those that came with others."""
    statement = """
        WITH RECURSIVE family AS (
            SELECT lead_id, merged_into, merged_by, lost_events FROM leads
            WHERE unit_id = %(unit)s AND merged_into = %(lead)s
            UNION
            SELECT l.lead_id, l.merged_into, l.merged_by, l.lost_events
            FROM family JOIN leads l ON l.unit_id = %(unit)s AND l.merged_into = family.lead_id
        )
        SELECT * FROM family ORDER BY lead_id
    """
    rows = driver().execute(statement, {"unit": scope.unit_id, "lead": lead_id})
    return [MergedLead(*row) for row in rows]


def _check_depth(scope: Scope, source_id: str) -> None:
    """Refuse to make a chain of merges so long that its first leads would not be found again."""
    statement = """
        WITH RECURSIVE family (lead_id, depth) AS (
            SELECT %(lead)s::text COLLATE "C", 1
            UNION ALL
            SELECT l.lead_id, family.depth + 1
            FROM family JOIN leads l ON l.unit_id = %(unit)s AND l.merged_into = family.lead_id
        )
        SELECT max(depth) FROM family
    """
    row = driver().execute(statement, {"unit": scope.unit_id, "lead": source_id}).fetchone()
    if row is not None and row[0] >= queries.MERGE_DEPTH:
        raise MergedTooOftenError(
            f"Lead '{source_id}' is the last of {row[0]} leads merged one into the next, which is"
            " as many as can be: merge into it instead."
        )


def choose_released(
    target_id: str, merged: Sequence[MergedLead], source_ids: Sequence[str] | None
) -> list[str]:
    """Return which of a lead's merged leads are to stand for themselves again.

    Those that are named, else all that somebody merged into it: visitors whom the pipeline knew
    again stay. Raises NotMergedError.
    """
    if source_ids is None:
        chosen = [it.lead_id for it in merged if it.merged_into == target_id and it.merged_by]
        if not chosen:
            raise NotMergedError(f"Nobody has merged a lead into '{target_id}'.")
        return chosen
    known = {it.lead_id for it in merged}
    for source_id in source_ids:
        if source_id not in known:
            raise NotMergedError(
                f"Lead '{source_id}' is not merged into '{target_id}'.",
                fields={"sourceLeadIds": f"names '{source_id}', which is not merged into it"},
            )
    return list(dict.fromkeys(source_ids))


def heirs_of(merged: Sequence[MergedLead], released: Sequence[str]) -> dict[str, str]:
    """Return, for each merged lead whose things go back, the released lead that gets them.

    A released lead takes along what had been merged into it before.
    """
    above = {it.lead_id: it.merged_into for it in merged}
    free = set(released)
    heirs = {}
    for lead_id in above:
        heir = lead_id
        while heir not in free and heir in above:
            heir = above[heir]
        if heir in free:
            heirs[lead_id] = heir
    return heirs


def absorb(
    scope: Scope, target_id: str, lost_events: Mapping[str, int], *, by: str, now: datetime
) -> None:
    """Let a lead stand for others from now on, and give it their aliases and notes.

    The others are the keys of `lost_events`: how many events each has lost on the way.
    """
    sources = list(lost_events)
    driver().execute(
        """
        UPDATE leads SET merged_into = %s, merged_by = %s, updated_at = %s,
            lost_events = leads.lost_events + new.lost
        FROM unnest(%s::text[], %s::int[]) AS new (source, lost)
        WHERE leads.unit_id = %s AND leads.lead_id = new.source
        """,
        (target_id, by, now, sources, list(lost_events.values()), scope.unit_id),
    )
    for table in HANDED_OVER:
        driver().execute(
            f"""
            UPDATE {table} SET lead_id = %s,
                original_lead_id = coalesce(original_lead_id, lead_id)
            WHERE unit_id = %s AND lead_id = ANY(%s)
            """,  # noqa: S608 - names of ours
            (target_id, scope.unit_id, sources),
        )
    driver().execute(
        "DELETE FROM lead_search WHERE unit_id = %s AND lead_id = ANY(%s)",
        (scope.unit_id, sources),
    )
    records.set_listed(scope, sources, is_listed=False)
    refresh_statuses(scope, [target_id, *sources], now=now)
    count_listed(scope, change=-len(sources))
    refresh_names(scope, [target_id], now=now)


def release(
    scope: Scope,
    target_id: str,
    released: Sequence[str],
    heirs: Mapping[str, str],
    *,
    now: datetime,
) -> None:
    """Let leads stand for themselves again, and give back what was theirs.

    `heirs` are as in `heirs_of`.
    """
    driver().execute(
        """
        UPDATE leads SET merged_into = NULL, merged_by = NULL, folded_by = NULL, lost_events = 0,
            updated_at = %s
        WHERE unit_id = %s AND lead_id = ANY(%s)
        """,
        (now, scope.unit_id, list(released)),
    )
    for table in HANDED_OVER:
        driver().execute(
            f"""
            UPDATE {table} SET lead_id = new.heir,
                original_lead_id = nullif({table}.original_lead_id, new.heir)
            FROM unnest(%s::text[], %s::text[]) AS new (original, heir)
            WHERE {table}.unit_id = %s AND {table}.lead_id = %s
              AND {table}.original_lead_id = new.original
            """,  # noqa: S608 - names of ours
            (list(heirs), list(heirs.values()), scope.unit_id, target_id),
        )
    records.set_listed(scope, released, is_listed=True)
    refresh_statuses(scope, [target_id, *released], now=now)
    count_listed(scope, change=len(released))
    refresh_names(scope, [target_id, *released], now=now)


def count_aliases(scope: Scope, lead_ids: Sequence[str]) -> int:
    """Return how many aliases the leads have together."""
    statement = "SELECT count(*) FROM lead_aliases WHERE unit_id = %s AND lead_id = ANY(%s)"
    row = driver().execute(statement, (scope.unit_id, list(lead_ids))).fetchone()
    assert row is not None
    return int(row[0])


def count_contested_aliases(scope: Scope, target_id: str, source_ids: Sequence[str]) -> int:
    """Return how many aliases of the sources have also been claimed by events of the target.

    An alias has one owner at any time; these are what would be duplicates if it could have two.
    """
    statement = """
        SELECT count(*) FROM lead_aliases a
        WHERE a.unit_id = %(unit)s AND a.lead_id = ANY(%(sources)s) AND EXISTS (
            SELECT FROM lead_alias_conflicts c
            WHERE c.unit_id = a.unit_id AND c.lead_id = %(target)s AND c.kind = a.kind
              AND c.value = a.value
        )
    """
    bound = {"unit": scope.unit_id, "target": target_id, "sources": list(source_ids)}
    row = driver().execute(statement, bound).fetchone()
    assert row is not None
    return int(row[0])
