"""What triggers remember of leads: when each fired last, and which events are used up."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from leadvibe.engine.firing import Memory
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver

Memories = Mapping[tuple[UUID, str], Memory]
"""By trigger and lead."""


def load_memories(
    scope: Scope, trigger_ids: Collection[UUID], lead_ids: Collection[str]
) -> dict[tuple[UUID, str], Memory]:
    """Return what triggers remember of leads; of most it is nothing."""
    statement = """
        SELECT trigger_id, lead_id, fired_at, boundary_at, boundary_receipt FROM trigger_memories
        WHERE unit_id = %s AND trigger_id = ANY(%s) AND lead_id = ANY(%s)
    """
    rows = driver().execute(statement, (scope.unit_id, list(trigger_ids), list(lead_ids)))
    return {
        (trigger_id, lead_id): Memory(fired_at, (boundary_at, receipt))
        for trigger_id, lead_id, fired_at, boundary_at, receipt in rows
    }


def save_memories(scope: Scope, memories: Memories) -> None:
    """Remember what triggers did last, in the place of what they did before."""
    if not memories:
        return
    # A trigger may be deleted meanwhile: who deletes it is waited for, and then there is nothing
    # to remember.
    statement = """
        WITH there AS (
            SELECT trigger_id FROM triggers
            WHERE unit_id = %(unit)s AND trigger_id = ANY(%(triggers)s)
            ORDER BY trigger_id FOR KEY SHARE
        )
        INSERT INTO trigger_memories
            (unit_id, trigger_id, lead_id, fired_at, boundary_at, boundary_receipt)
        SELECT %(unit)s, it.* FROM unnest(
            %(triggers)s::uuid[], %(leads)s::text[], %(fired)s::timestamptz[],
            %(at)s::timestamptz[], %(receipts)s::bigint[]
        ) AS it (trigger_id, lead_id, fired_at, boundary_at, boundary_receipt)
        JOIN there ON there.trigger_id = it.trigger_id
        ON CONFLICT (unit_id, trigger_id, lead_id) DO UPDATE SET
            fired_at = excluded.fired_at, boundary_at = excluded.boundary_at,
            boundary_receipt = excluded.boundary_receipt
    """
    bound = {
        "unit": scope.unit_id,
        "triggers": [trigger_id for trigger_id, _ in memories],
        "leads": [lead_id for _, lead_id in memories],
        "fired": [it.fired_at for it in memories.values()],
        "at": [it.boundary[0] for it in memories.values()],
        "receipts": [it.boundary[1] for it in memories.values()],
    }
    driver().execute(statement, bound)


def hand_over_memories(scope: Scope, folded: Mapping[str, str]) -> None:
    """Let leads that were folded into others leave them what triggers remember.

    Whoever fired later is remembered, so that nobody is told twice of one person.
    """
    if not folded:
        return
    statement = """
        INSERT INTO trigger_memories
            (unit_id, trigger_id, lead_id, fired_at, boundary_at, boundary_receipt)
        SELECT DISTINCT ON (m.trigger_id, it.target_id)
            m.unit_id, m.trigger_id, it.target_id, m.fired_at, m.boundary_at, m.boundary_receipt
        FROM unnest(%(sources)s::text[], %(targets)s::text[]) AS it (source_id, target_id)
        JOIN trigger_memories m ON m.unit_id = %(unit)s AND m.lead_id = it.source_id
        ORDER BY m.trigger_id, it.target_id, m.boundary_at DESC, m.boundary_receipt DESC
        ON CONFLICT (unit_id, trigger_id, lead_id) DO UPDATE SET
            fired_at = greatest(trigger_memories.fired_at, excluded.fired_at),
            boundary_at = excluded.boundary_at, boundary_receipt = excluded.boundary_receipt
        WHERE (trigger_memories.boundary_at, trigger_memories.boundary_receipt)
            < (excluded.boundary_at, excluded.boundary_receipt)
    """
    bound = {
        "unit": scope.unit_id,
        "sources": list(folded),
        "targets": list(folded.values()),
    }
    driver().execute(statement, bound)
    driver().execute(
        "DELETE FROM trigger_memories WHERE unit_id = %s AND lead_id = ANY(%s)",
        (scope.unit_id, list(folded)),
    )
