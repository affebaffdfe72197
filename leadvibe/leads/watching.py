"""Leads that a member keeps an eye on, with what they expect of them.

A watch stays with the lead it was made for. When that lead is merged, the one that stands for it
is what is watched; when the merge is undone, things are as they were, without anything done here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from leadvibe.identity.types import Scope
from leadvibe.leads import queries
from leadvibe.leads.errors import NotWatchedError
from leadvibe.leads.service import lock_identities
from leadvibe.lib.db import driver
from leadvibe.lib.ids import new_id


@dataclass(frozen=True, slots=True)
class Watch:
    """A lead that is watched: the score it had then, and the one it has now."""

    watch_id: UUID
    lead_id: str
    name: str
    prediction: str | None
    prediction_notes: str | None
    watched_at: datetime
    score_then: int
    score_now: int


def watch(
    scope: Scope,
    member_id: UUID,
    lead_id: str,
    *,
    prediction: str | None,
    notes: str | None,
    now: datetime,
) -> Watch:
    """Let a member watch a lead; who watches it already changes what they expect of it.

    Raises LeadNotFoundError.
    """
    lock_identities(scope)  # or a deletion that has looked already would leave the watch behind
    lead = queries.get_lead(scope, lead_id)
    statement = """
        INSERT INTO lead_watches
            (unit_id, org_member_id, lead_id, watch_id, prediction, prediction_notes, score,
             watched_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (unit_id, org_member_id, lead_id) DO UPDATE SET
            prediction = excluded.prediction, prediction_notes = excluded.prediction_notes
        RETURNING watch_id, watched_at, score
    """
    bound = (
        scope.unit_id, member_id, lead.lead_id, new_id(), prediction, notes, lead.score, now,
    )  # fmt: skip
    row = driver().execute(statement, bound).fetchone()
    assert row is not None
    watch_id, watched_at, score = row
    return Watch(
        watch_id, lead.lead_id, lead.name, prediction, notes, watched_at, score, lead.score
    )


def unwatch(scope: Scope, member_id: UUID, lead_id: str) -> None:
    """Let a member watch a lead no more, nor any that was merged into it.

    Raises LeadNotFoundError and NotWatchedError.
    """
    lead = queries.get_lead(scope, lead_id)
    doomed = [
        own for own, standing in _watched(scope, member_id).items() if standing == lead.lead_id
    ]
    if not doomed:
        raise NotWatchedError(f"You do not watch lead '{lead_id}'.")
    driver().execute(
        """
        DELETE FROM lead_watches WHERE unit_id = %s AND org_member_id = %s AND lead_id = ANY(%s)
        """,
        (scope.unit_id, member_id, doomed),
    )


def is_watched(scope: Scope, member_id: UUID, lead_id: str) -> bool:
    """Say whether a member watches a lead, or one that was merged into it."""
    return lead_id in _watched(scope, member_id).values()


def list_watches(scope: Scope, member_id: UUID) -> Sequence[Watch]:
    """Return whom a member watches, the latest first; leads that are one by now are there once.

    Of several watches, the one that was made for the lead itself speaks, else the latest.
    """
    standing = _watched(scope, member_id)
    statement = """
        SELECT w.watch_id, l.lead_id, l.name, w.prediction, w.prediction_notes, w.watched_at,
               w.score, l.score
        FROM unnest(%(own)s::text[], %(standing)s::text[]) AS new (own, standing)
        JOIN lead_watches w ON w.unit_id = %(unit)s AND w.org_member_id = %(member)s
            AND w.lead_id = new.own
        JOIN leads l ON l.unit_id = %(unit)s AND l.lead_id = new.standing
            AND l.merged_into IS NULL
        ORDER BY w.lead_id = l.lead_id DESC, w.watched_at DESC, w.watch_id
    """
    bound = {
        "unit": scope.unit_id,
        "member": member_id,
        "own": list(standing),
        "standing": list(standing.values()),
    }
    found: dict[str, Watch] = {}
    for row in driver().execute(statement, bound):
        watch = Watch(*row)
        found.setdefault(watch.lead_id, watch)
    return sorted(found.values(), key=lambda it: it.watched_at, reverse=True)


def list_watched_ids(scope: Scope, member_id: UUID) -> list[str]:
    """Return whom a member watches: the leads that stand for those that they chose."""
    return sorted(set(_watched(scope, member_id).values()))


def _watched(scope: Scope, member_id: UUID) -> dict[str, str]:
    """Return the leads that watches were made for, each with the lead that stands for it now."""
    statement = "SELECT lead_id FROM lead_watches WHERE unit_id = %s AND org_member_id = %s"
    own = [lead_id for (lead_id,) in driver().execute(statement, (scope.unit_id, member_id))]
    return queries.merge_targets(scope, own)
