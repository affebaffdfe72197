"""How far a lead is with sales, and each change of it.

A lead's status is that of its latest change, and when it was qualified that of the first which
says so: merges hand changes over and back, and the status follows. Needs the identities' lock.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from leadvibe.identity.types import Scope
from leadvibe.lib.db import copy_rows, driver
from leadvibe.lib.ids import new_id


class Outcome(StrEnum):
    """What has come of a lead, as far as anybody knows."""

    OPEN = "open"
    QUALIFIED = "qualified"
    WON = "won"
    LOST = "lost"


class Status(StrEnum):
    """How far a lead is; all but the first two say what has come of it."""

    NOT_CONTACTED = "not_contacted"
    CONTACTED = "contacted"
    QUALIFIED = "qualified"
    CONVERTED = "converted"
    LOST = "lost"

    @property
    def outcome(self) -> Outcome:
        return _OUTCOMES[self]

    @property
    def is_qualified(self) -> bool:
        """Say whether sales took the lead for a real chance; one that was won has been, too."""
        return self.outcome in {Outcome.QUALIFIED, Outcome.WON}


_OUTCOMES = {
    Status.NOT_CONTACTED: Outcome.OPEN,
    Status.CONTACTED: Outcome.OPEN,
    Status.QUALIFIED: Outcome.QUALIFIED,
    Status.CONVERTED: Outcome.WON,
    Status.LOST: Outcome.LOST,
}
STATUS_OF = {
    Outcome.OPEN: Status.NOT_CONTACTED,
    Outcome.QUALIFIED: Status.QUALIFIED,
    Outcome.WON: Status.CONVERTED,
    Outcome.LOST: Status.LOST,
}
"""The status that an outcome stands for where nothing more is said."""


class StatusChange(NamedTuple):
    """A change of status. `via` is the surface it came in by."""

    change_id: UUID
    lead_id: str
    status: Status
    before: Status
    changed_at: datetime
    changed_by: str
    via: str


class ChangePlace(NamedTuple):
    """Where a stretch of changes ended."""

    changed_at: datetime
    change_id: UUID


def next_status(current: Status, wanted: Outcome | Status) -> Status | None:
    """Return the status that a lead gets; None when it is as wanted already.

    An outcome leaves a status alone that means it: a lead that was contacted is open.
    """
    if isinstance(wanted, Outcome):
        return None if current.outcome is wanted else STATUS_OF[wanted]
    return None if current is wanted else wanted


def change_status(
    scope: Scope, lead_id: str, wanted: Outcome | Status, *, by: str, via: str, now: datetime
) -> Status | None:
    """Change a lead's status; returns the new one, or None when it was as wanted already."""
    current = status_of(scope, lead_id)
    wanted_status = next_status(current, wanted)
    if wanted_status is None:
        return None
    change = StatusChange(new_id(), lead_id, wanted_status, current, now, by, via)
    record_changes(scope, [change], now=now)
    return wanted_status


def record_changes(scope: Scope, changes: Sequence[StatusChange], *, now: datetime) -> None:
    """Write changes down that were made, in the order given, and let the records say so."""
    rows = [(scope.unit_id, *change) for change in changes]
    copy_rows("lead_status_changes", ("unit_id", *StatusChange._fields), rows)
    refresh_statuses(scope, {change.lead_id for change in changes}, now=now)


def status_of(scope: Scope, lead_id: str) -> Status:
    statement = "SELECT status FROM lead_records WHERE unit_id = %s AND lead_id = %s"
    row = driver().execute(statement, (scope.unit_id, lead_id)).fetchone()
    return Status(row[0]) if row else Status.NOT_CONTACTED


def refresh_statuses(scope: Scope, lead_ids: Collection[str], *, now: datetime) -> None:
    """Let the records of leads say what their changes do."""
    driver().execute(
        """
        UPDATE lead_records r
        SET status = new.status, outcome = new.outcome, qualified_at = new.qualified_at,
            updated_at = greatest(r.created_at, %(now)s)
        FROM (
            SELECT ids.lead_id, coalesce(latest.status, 'not_contacted') AS status,
                CASE latest.status WHEN 'qualified' THEN 'qualified' WHEN 'converted' THEN 'won'
                    WHEN 'lost' THEN 'lost' ELSE 'open' END AS outcome,
                first.changed_at AS qualified_at
            FROM unnest(%(ids)s::text[]) AS ids (lead_id)
            LEFT JOIN LATERAL (
                SELECT c.status FROM lead_status_changes c
                WHERE c.unit_id = %(unit)s AND c.lead_id = ids.lead_id
                ORDER BY c.changed_at DESC, c.change_id DESC LIMIT 1
            ) latest ON true
            LEFT JOIN LATERAL (
                SELECT c.changed_at FROM lead_status_changes c
                WHERE c.unit_id = %(unit)s AND c.lead_id = ids.lead_id
                  AND c.status IN ('qualified', 'converted')
                ORDER BY c.changed_at, c.change_id LIMIT 1
            ) first ON true
        ) AS new
        WHERE r.unit_id = %(unit)s AND r.lead_id = new.lead_id
          AND (r.status, r.outcome, r.qualified_at)
              IS DISTINCT FROM (new.status, new.outcome, new.qualified_at)
        """,
        {"unit": scope.unit_id, "ids": list(lead_ids), "now": now},
    )


def list_changes(
    scope: Scope,
    lead_id: str,
    *,
    limit: int,
    before: datetime | None = None,
    behind: ChangePlace | None = None,
) -> list[StatusChange]:
    """Return a lead's changes of status, the newest first: of before an instant, or a place."""
    at, change_id = behind or (None, None)
    statement = """
        SELECT change_id, lead_id, status, before, changed_at, changed_by, via
        FROM lead_status_changes
        WHERE unit_id = %(unit)s AND lead_id = %(lead)s
          AND (%(before)s::timestamptz IS NULL OR changed_at < %(before)s)
          AND (%(at)s::timestamptz IS NULL OR (changed_at, change_id) < (%(at)s, %(id)s::uuid))
        ORDER BY changed_at DESC, change_id DESC LIMIT %(limit)s
    """
    bound = {
        "unit": scope.unit_id,
        "lead": lead_id,
        "before": before,
        "at": at,
        "id": change_id,
        "limit": limit,
    }
    return [
        StatusChange(change, lead, Status(status), Status(was), changed_at, by, via)
        for change, lead, status, was, changed_at, by, via in driver().execute(statement, bound)
    ]
