"""Leads by what is recorded of them (leads.records): filtered, sorted and paged.

What a lead does not have stands last in either direction, and leads that are alike are told apart
by their id, so that pages neither repeat nor leave out anybody. Totals are exact (record_totals);
those of searches: see record_search.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from psycopg.rows import dict_row

from leadvibe.identity.types import Scope
from leadvibe.leadlist import record_sql
from leadvibe.leadlist.record_search import in_two_parts, search_records
from leadvibe.leadlist.record_sql import ALWAYS
from leadvibe.leadlist.record_totals import count_records
from leadvibe.leadlist.record_types import Record, RecordQuery
from leadvibe.leadlist.types import Comparison
from leadvibe.leads.statuses import Outcome
from leadvibe.lib.db import driver
from leadvibe.lib.paging import Page, PageRequest, Total


def list_records(scope: Scope, query: RecordQuery, request: PageRequest) -> Page[Record]:
    """Return a page of leads, and how many there are in all."""
    if any(it.column in ALWAYS and it[1:] == ("exists", False) for it in query.conditions):
        return Page([], Total(0), request)  # reading all leads would say the same
    if query.search.strip():
        return search_records(scope, query, request)
    items = _list(scope, query, request.size, request.offset)
    return Page(items, Total(count_records(scope, query)), request)


def find_record(scope: Scope, lead_id: str) -> Record | None:
    """Return what is recorded of a lead that stands for itself."""
    return read_records(scope, [lead_id]).get(lead_id)


def read_records(scope: Scope, lead_ids: Sequence[str]) -> dict[str, Record]:
    """Return what is recorded of leads that stand for themselves, by lead."""
    return record_sql.read_by_id(scope, lead_ids)


def read_columns(
    scope: Scope, lead_ids: Sequence[str], columns: Sequence[str]
) -> dict[str, Mapping[str, Any]]:
    """Return some columns of the records of leads, by lead."""
    statement = f"""
        SELECT lead_id, {", ".join(columns)} FROM lead_records
        WHERE unit_id = %s AND lead_id = ANY(%s)
    """  # noqa: S608 - names of ours
    with driver().cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement, (scope.unit_id, list(lead_ids))).fetchall()
    return {row["lead_id"]: row for row in rows}


def find_by_address(scope: Scope, *, kind: str, value: str, limit: int) -> list[str]:
    """Return ids of leads that are known by an e-mail address or phone number, the oldest first."""
    statement = """
        SELECT r.lead_id FROM lead_aliases a
        JOIN lead_records r ON r.unit_id = a.unit_id AND r.lead_id = a.lead_id
        WHERE a.unit_id = %s AND a.kind = %s AND a.value = %s AND r.is_listed
        ORDER BY r.created_at, r.lead_id LIMIT %s
    """
    rows = driver().execute(statement, (scope.unit_id, kind, value, limit))
    return [lead_id for (lead_id,) in rows]


def _list(scope: Scope, query: RecordQuery, size: int, offset: int) -> list[Record]:
    first = query.orders[0]
    if first.column == "outcome" and len(query.orders) > 1:
        return _outcome_by_outcome(scope, query, size, offset)
    if first.column in ALWAYS or any(it.column == first.column for it in query.conditions):
        return record_sql.read(record_sql.where(scope, query), query.orders, size, offset)
    return _part_by_part(scope, query, size, offset)


def _outcome_by_outcome(scope: Scope, query: RecordQuery, size: int, offset: int) -> list[Record]:
    """Read the leads of each outcome in the order of the rest, which an index has."""
    wanted = set(Outcome)
    for column, operator, value in query.conditions:
        if column == "outcome" and operator != "exists":
            wanted &= {value} if operator == "eq" else set(value)
    found: list[Record] = []
    for outcome in sorted(wanted, reverse=query.orders[0].is_descending):
        part = replace(
            query.narrowed(Comparison("outcome", "eq", outcome)), orders=query.orders[1:]
        )
        passed = count_records(scope, part) if offset else 0
        if offset and passed <= offset:
            offset -= passed
            continue
        found += _list(scope, part, size - len(found), offset)
        offset = 0
        if len(found) == size:
            break
    return found


def _part_by_part(scope: Scope, query: RecordQuery, size: int, offset: int) -> list[Record]:
    """Read those that have what is sorted by, and then those that do not.

    Each part comes out of an index; together, nobody would know that the first is enough.
    """
    having, lacking = in_two_parts(query)
    found = record_sql.read(record_sql.where(scope, having), query.orders, size, offset)
    if len(found) == size:
        return found
    passed = offset - count_records(scope, having) if not found and offset else 0
    left, others = size - len(found), record_sql.where(scope, lacking)
    return found + record_sql.read(others, lacking.orders, left, max(passed, 0), has_first=False)
