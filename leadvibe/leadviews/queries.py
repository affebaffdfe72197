"""Reads of views of the lead list, each confined to one unit and to whom a view is for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from leadvibe.identity.types import Principal, Scope
from leadvibe.leadviews.errors import LeadViewNotFoundError
from leadvibe.leadviews.types import Column, LeadLook, LeadView, ViewsOfSegment
from leadvibe.lib.db import driver
from leadvibe.lib.ids import parse_id

_COLUMNS = """
    view_id, org_member_id, name, query, columns, created_at, updated_at, created_by, updated_by
"""
_MAY_SEE = "unit_id = %(unit)s AND (org_member_id IS NULL OR org_member_id = %(member)s)"


def get_look(principal: Principal) -> LeadLook:
    """Return the views that somebody may choose from, and their columns; in one statement."""
    statement = f"""
        SELECT * FROM (
            SELECT {_COLUMNS} FROM lead_views WHERE {_MAY_SEE}
            UNION ALL
            SELECT NULL, org_member_id, '', NULL, columns, NULL, NULL, '', '' FROM lead_columns
            WHERE unit_id = %(unit)s AND org_member_id = %(member)s
        ) AS look ORDER BY org_member_id IS NOT NULL, lower(name), view_id
    """
    rows = list(driver().execute(statement, _bound(principal)))
    own = next((known_columns(row[4]) for row in rows if row[0] is None), ())
    return LeadLook(tuple(_view(row) for row in rows if row[0] is not None), own)


def list_views(principal: Principal) -> list[LeadView]:
    """Return the views that somebody may choose from: those that are shared, then their own."""
    return list(get_look(principal).views)


def get_view(principal: Principal, view_id: UUID) -> LeadView:
    """Return a view. Raises LeadViewNotFoundError, for another member's as well."""
    statement = f"SELECT {_COLUMNS} FROM lead_views WHERE {_MAY_SEE} AND view_id = %(view)s"
    row = driver().execute(statement, {**_bound(principal), "view": view_id}).fetchone()
    if row is None:
        raise LeadViewNotFoundError(f"There is no view '{view_id}' of leads that you may see.")
    return _view(row)


def views_by_segment(principal: Principal) -> dict[UUID, ViewsOfSegment]:
    """Return which views are narrowed to which segment: what is deleted with it.

    Of other members' own views only how many there are.
    """
    statement = """
        SELECT query ->> 'segment', name, org_member_id IS NOT DISTINCT FROM %(member)s
            OR org_member_id IS NULL
        FROM lead_views WHERE unit_id = %(unit)s AND query ? 'segment' ORDER BY lower(name), name
    """
    found: dict[UUID, ViewsOfSegment] = {}
    for text, name, may_see in driver().execute(statement, _bound(principal)):
        segment_id = parse_id(text)
        if segment_id is None:
            continue
        names, others = found.get(segment_id, ViewsOfSegment())
        found[segment_id] = (
            ViewsOfSegment((*names, name), others) if may_see else ViewsOfSegment(names, others + 1)
        )
    return found


def count_views(scope: Scope, org_member_id: UUID | None) -> int:
    """Return how many views a member has, or how many the unit shares."""
    statement = """
        SELECT count(*) FROM lead_views
        WHERE unit_id = %s AND org_member_id IS NOT DISTINCT FROM %s
    """
    row = driver().execute(statement, (scope.unit_id, org_member_id)).fetchone()
    assert row is not None
    return int(row[0])


def is_named(scope: Scope, org_member_id: UUID | None, name: str) -> bool:
    """Say whether a member, or the unit, has a view of this name."""
    statement = """
        SELECT FROM lead_views
        WHERE unit_id = %s AND org_member_id IS NOT DISTINCT FROM %s AND name = %s
    """
    bound = (scope.unit_id, org_member_id, name)
    return driver().execute(statement, bound).fetchone() is not None


def known_columns(names: Iterable[str]) -> tuple[Column, ...]:
    """Return the columns of these names in their own order; unknown names are left out."""
    wanted = set(names)
    return tuple(column for column in Column if column in wanted)


def _bound(principal: Principal) -> dict[str, object]:
    return {"unit": principal.scope.unit_id, "member": principal.member_id}


def _view(row: tuple[Any, ...]) -> LeadView:
    view_id, member_id, name, query, columns, *rest = row
    return LeadView(view_id, member_id, name, query, known_columns(columns), *rest)
