"""Ledger rows that go with what they were for. A replay makes right what is left."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver
from leadvibe.scoring.ledger_sums import forget_sums


class EntryCount(NamedTuple):
    """Ledger rows, and what they add up to in all rulesets."""

    entries: int
    points: int


def erase_some(scope: Scope, lead_id: str, *, limit: int) -> int:
    """Delete some of a lead's ledger rows; returns how many. Needs the identities' lock."""
    statement = """
        DELETE FROM score_entries WHERE unit_id = %(unit)s AND ctid = ANY(ARRAY(
            SELECT ctid FROM score_entries
            WHERE unit_id = %(unit)s AND lead_id = %(lead)s LIMIT %(limit)s
        ))
    """
    forget_sums(scope, [lead_id])
    bound = {"unit": scope.unit_id, "lead": lead_id, "limit": limit}
    return driver().execute(statement, bound).rowcount


def count_entries(scope: Scope, lead_ids: Sequence[str], event_ids: Collection[UUID]) -> int:
    """Return how many ledger rows the leads have for these events."""
    statement = """
        SELECT count(*) FROM score_entries
        WHERE unit_id = %s AND lead_id = ANY(%s) AND event_id = ANY(%s)
    """
    row = driver().execute(statement, (scope.unit_id, list(lead_ids), list(event_ids))).fetchone()
    assert row is not None
    return int(row[0])


def count_entries_of_type(scope: Scope, event_type: str) -> EntryCount:
    """Count the ledger rows of a type's events, and the points they gave."""
    statement = """
        SELECT count(*), coalesce(sum(s.delta), 0)::bigint FROM score_entries s
        JOIN events e ON e.unit_id = s.unit_id AND e.event_id = s.event_id
        WHERE s.unit_id = %s AND e.event_type = %s
    """
    row = driver().execute(statement, (scope.unit_id, event_type)).fetchone()
    assert row is not None
    return EntryCount._make(row)
