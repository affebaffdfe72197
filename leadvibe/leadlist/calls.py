"""Whom to call: leads whose call is due, and then the best that nobody has called yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from leadvibe.identity.types import Scope
from leadvibe.leadlist.queries import search_leads
from leadvibe.leadlist.record_totals import count_records
from leadvibe.leadlist.record_types import HeldBy, Order, Record, RecordQuery
from leadvibe.leadlist.records import list_records, read_records
from leadvibe.leadlist.types import Comparison, LeadFilter, LeadLine, Sort
from leadvibe.lib.db import driver
from leadvibe.lib.paging import Page, PageRequest

BEST_AMONG = 20_000
"""Leads looked at, in the order of scores, for some that nobody has called."""


class Callee(NamedTuple):
    """Somebody to call."""

    line: LeadLine
    record: Record


def list_due(
    scope: Scope, *, before: datetime, held_by: HeldBy | None, request: PageRequest
) -> Page[Callee]:
    """Return a page of leads whose next call is due before an instant, the longest due first."""
    found = list_records(scope, _due(before, held_by), request)
    return Page(_callees(scope, found.items), found.total, found.request)


def count_due(scope: Scope, *, before: datetime, held_by: HeldBy | None) -> int:
    return count_records(scope, _due(before, held_by))


def list_uncalled(scope: Scope, *, limit: int, now: datetime) -> list[Callee]:
    """Return the best leads that nobody has, nobody has called, and somebody could reach.

    They are looked for among the BEST_AMONG with the highest scores.
    """
    statement = """
        SELECT r.lead_id FROM (
            SELECT unit_id, lead_id, score FROM leads
            WHERE unit_id = %s AND merged_into IS NULL ORDER BY score DESC, lead_id LIMIT %s
        ) best
        JOIN lead_records r ON r.unit_id = best.unit_id AND r.lead_id = best.lead_id
        WHERE r.is_listed AND r.status = 'not_contacted' AND r.next_call_at IS NULL
          AND (r.owner_id IS NULL OR r.claimed_until <= %s)
          AND (r.phone IS NOT NULL OR r.email IS NOT NULL)
        ORDER BY best.score DESC, best.lead_id LIMIT %s
    """
    rows = driver().execute(statement, (scope.unit_id, BEST_AMONG, now, limit)).fetchall()
    return list_callees(scope, [lead_id for (lead_id,) in rows])


def list_callees(scope: Scope, lead_ids: Sequence[str]) -> list[Callee]:
    """Return leads that stand for themselves, in the order given."""
    records = read_records(scope, lead_ids)
    return _callees(scope, [records[it] for it in lead_ids if it in records])


def _due(before: datetime, held_by: HeldBy | None) -> RecordQuery:
    return RecordQuery(
        conditions=(Comparison("next_call_at", "lt", before),),
        held_by=held_by,
        orders=(Order("next_call_at"),),
    )


def _callees(scope: Scope, records: Sequence[Record]) -> list[Callee]:
    if not records:
        return []
    wanted = LeadFilter(lead_ids=tuple(it.lead_id for it in records))
    found = search_leads(scope, wanted, Sort(), PageRequest(1, len(records)), count_cap=1)
    lines = {it.lead_id: it for it in found.items}
    return [Callee(lines[it.lead_id], it) for it in records if it.lead_id in lines]
