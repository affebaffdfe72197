"""What is stored of a unit, as the tests of the pipeline read it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from leadvibe.identity.types import Scope
from leadvibe.lib.db import commit, driver
from leadvibe.pipeline import process, rescore
from tests.factories import send


class StoredEvent(NamedTuple):
    event_type: str
    lead_id: str | None
    occurred_at: datetime
    reason: str | None
    is_folded: bool
    unclaimed: dict[str, Any] | None
    metadata: dict[str, Any]


class StoredLead(NamedTuple):
    score: int
    last_event_at: datetime | None
    last_event_type: str | None
    event_count: int
    session_count: int
    last_decay_at: datetime | None


class StoredEntry(NamedTuple):
    kind: str
    delta: int
    multiplier_percent: int
    occurred_at: datetime


def receive(scope: Scope, *events: Any, limit: int = process.BATCH_SIZE) -> None:
    """Let events come in and be processed."""
    send(scope, *events)
    commit()
    process.drain(scope, limit=limit)


def settle(scope: Scope, now: datetime) -> int:
    """Settle decay by an instant; returns how many leads lost points."""
    return sum(rescore.settle_decay(scope, now=now))


def rescore_all(scope: Scope, now: datetime) -> None:
    """Write all leads' scores anew under the current version."""
    lead_ids = [lead_id for (lead_id,) in _rows("SELECT lead_id FROM leads", scope)]
    rescore.rescore_leads(scope, sorted(lead_ids), now=now)
    commit()


def list_events(scope: Scope, event_type: str | None = None) -> list[StoredEvent]:
    """Return the unit's events in order of time, of one type or of all."""
    statement = """
        SELECT event_type, lead_id, occurred_at, suppression_reason, is_folded, unclaimed, metadata
        FROM events
    """
    rows = _rows(statement, scope, "ORDER BY occurred_at, receipt")
    return [StoredEvent(*row) for row in rows if event_type in (None, row[0])]


def reasons(scope: Scope) -> list[str | None]:
    """Return why events do not count, in order of time; None for those that do."""
    return [event.reason for event in list_events(scope)]


def get_lead(scope: Scope, lead_id: str) -> StoredLead:
    statement = """
        SELECT lead_id, score, last_event_at, last_event_type, event_count, session_count,
               last_decay_at
        FROM leads
    """
    [found] = [StoredLead(*row[1:]) for row in _rows(statement, scope) if row[0] == lead_id]
    return found


def list_ledger(scope: Scope, lead_id: str) -> list[StoredEntry]:
    """Return a lead's ledger rows, ruleset by ruleset."""
    statement = "SELECT lead_id, kind, delta, multiplier_percent, occurred_at FROM score_entries"
    rows = _rows(statement, scope, "ORDER BY ruleset_id, seq")
    return [StoredEntry(*row[1:]) for row in rows if row[0] == lead_id]


def deltas(scope: Scope, lead_id: str) -> list[int]:
    return [entry.delta for entry in list_ledger(scope, lead_id)]


def count(scope: Scope, table: str) -> int:
    return len(_rows(f"SELECT 1 FROM {table}", scope))


def discrepancies(scope: Scope) -> list[tuple[str, str]]:
    """Return what `verify` finds, as (lead, what)."""
    return [(one.lead_id, one.what) for step in rescore.verify(scope) for one in step.found]


def _rows(statement: str, scope: Scope, order: str = "") -> list[Any]:
    rows: Iterable[Any] = driver().execute(
        f"{statement} WHERE unit_id = %s {order}", (scope.unit_id,)
    )
    return list(rows)
