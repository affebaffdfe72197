"""Leads by what is recorded of them (leads.records): filtered, sorted and paged.

What a lead does not have stands last in either direction, and leads that are alike are told apart
by their id, so that pages neither repeat nor leave out anybody. Totals are exact (record_totals);
those of searches: see record_search.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.rows import dict_row

from leadvibe.identity.types import Scope
from leadvibe.leadlist import record_sql
from leadvibe.leadlist.record_pages import read_page
from leadvibe.leadlist.record_search import search_records
from leadvibe.leadlist.record_sql import ALWAYS
from leadvibe.leadlist.record_totals import count_records
from leadvibe.leadlist.record_types import Record, RecordQuery
from leadvibe.lib.db import driver
from leadvibe.lib.paging import Page, PageRequest, Total


def list_records(scope: Scope, query: RecordQuery, request: PageRequest) -> Page[Record]:
    """Return a page of leads, and how many there are in all."""
    if any(it.column in ALWAYS and it[1:] == ("exists", False) for it in query.conditions):
        return Page([], Total(0), request)  # reading all leads would say the same
    query = query.without_settled_orders()
    if query.search.strip():
        return search_records(scope, query, request)
    total = count_records(scope, query)
    items = read_page(scope, query, total=total, size=request.size, offset=request.offset)
    return Page(items, Total(total), request)


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
