"""Reads of previews and rescores: how far they are, what was found, and which nobody works on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select

from leadvibe.engine.rules import Config
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver, held_lock_keys, session
from leadvibe.lib.paging import Page, PageRequest, Total
from leadvibe.rescoring.errors import PreviewNotFoundError, RescoreNotFoundError
from leadvibe.rescoring.findings import Comparison, Findings
from leadvibe.rescoring.models import PreviewLeadRow, PreviewRow, RescoreRow
from leadvibe.rescoring.types import (
    UNFINISHED,
    Direction,
    Preview,
    PreviewKind,
    Rescore,
    WalkState,
)

STARTS_WITHIN = timedelta(seconds=2)
"""How long a worker may take to begin with what it was just sent."""


AnyWalk = TypeVar("AnyWalk", Preview, Rescore)


class Head(NamedTuple):
    """What a lead shows, and what any change of its events or scores would change."""

    lead_id: str
    score: int
    ruleset_id: UUID | None
    event_count: int
    session_count: int
    last_receipt: int
    last_decay_at: datetime | None
    base_version: int


def find_preview(scope: Scope, preview_id: UUID) -> Preview | None:
    """Return a preview, or None when there is none."""
    statement = _previews(scope).where(PreviewRow.preview_id == preview_id)
    row = session().scalar(statement)
    return _preview(row) if row else None


def get_preview(scope: Scope, preview_id: UUID) -> Preview:
    """Return a preview. Raises PreviewNotFoundError."""
    preview = find_preview(scope, preview_id)
    if preview is None:
        raise PreviewNotFoundError(
            f"There is no preview '{preview_id}' in this unit: it may be older than a week."
        )
    return preview


def find_latest_preview(
    scope: Scope, kind: PreviewKind, subject: str, *, since: datetime
) -> Preview | None:
    """Return the latest preview of something that was asked for since, or None."""
    statement = (
        _previews(scope)
        .where(
            PreviewRow.kind == kind, PreviewRow.subject == subject, PreviewRow.created_at >= since
        )
        .order_by(PreviewRow.created_at.desc(), PreviewRow.preview_id.desc())
        .limit(1)
    )
    row = session().scalar(statement)
    return _preview(row) if row else None


def search_previews(scope: Scope, request: PageRequest) -> Page[Preview]:
    """Return the unit's previews, the latest first."""
    statement = (
        _previews(scope)
        .order_by(PreviewRow.created_at.desc(), PreviewRow.preview_id.desc())
        .limit(request.size)
        .offset(request.offset)
    )
    count = select(func.count()).select_from(PreviewRow).where(PreviewRow.unit_id == scope.unit_id)
    found = [_preview(row) for row in session().scalars(statement)]
    return Page(found, Total(session().scalar(count) or 0), request)


def count_unfinished_previews(scope: Scope) -> int:
    """Return how many previews of the unit are under way, or wait for a worker."""
    statement = (
        select(func.count())
        .select_from(PreviewRow)
        .where(PreviewRow.unit_id == scope.unit_id, PreviewRow.state.in_(UNFINISHED))
    )
    return session().scalar(statement) or 0


def list_surplus_previews(scope: Scope, *, keep: int) -> list[UUID]:
    """Return the previews that have ended and are older than the `keep` latest."""
    statement = (
        select(PreviewRow.preview_id)
        .where(PreviewRow.unit_id == scope.unit_id, PreviewRow.state.not_in(UNFINISHED))
        .order_by(PreviewRow.created_at.desc(), PreviewRow.preview_id.desc())
        .offset(keep)
    )
    return list(session().scalars(statement))


def search_preview_leads(
    scope: Scope,
    preview_id: UUID,
    request: PageRequest,
    *,
    direction: Direction = Direction.ANY,
) -> Page[Comparison]:
    """Return the leads whose score or level would be another, the largest change first."""
    condition = _is_moved(scope, preview_id, direction)
    count = select(func.count()).select_from(PreviewLeadRow).where(condition)
    found = _list_moved(condition, limit=request.size, offset=request.offset)
    return Page(found, Total(session().scalar(count) or 0), request)


def list_largest_moves(scope: Scope, preview_id: UUID, *, limit: int) -> list[Comparison]:
    """Return the leads whose score would change most, without counting the others."""
    return _list_moved(_is_moved(scope, preview_id, Direction.ANY), limit=limit)


def _is_moved(scope: Scope, preview_id: UUID, direction: Direction) -> ColumnElement[bool]:
    changes = (
        PreviewLeadRow.is_new
        | (PreviewLeadRow.new_score != PreviewLeadRow.old_score)
        | (PreviewLeadRow.new_level != PreviewLeadRow.old_level)
    )
    return and_(
        PreviewLeadRow.unit_id == scope.unit_id,
        PreviewLeadRow.preview_id == preview_id,
        _DIRECTIONS.get(direction, changes),
    )


def _list_moved(condition: ColumnElement[bool], *, limit: int, offset: int = 0) -> list[Comparison]:
    columns: tuple[Any, ...] = (
        PreviewLeadRow.lead_id,
        PreviewLeadRow.is_new,
        PreviewLeadRow.old_score,
        PreviewLeadRow.new_score,
        PreviewLeadRow.old_level,
        PreviewLeadRow.new_level,
    )
    change = func.abs(PreviewLeadRow.new_score - PreviewLeadRow.old_score)
    statement = (
        select(*columns)
        .where(condition)
        .order_by(change.desc(), PreviewLeadRow.lead_id)
        .limit(limit)
        .offset(offset)
    )
    return [Comparison(*row) for row in session().execute(statement)]


_DIRECTIONS: Mapping[Direction, ColumnElement[bool]] = {
    Direction.UP: PreviewLeadRow.new_score > PreviewLeadRow.old_score,
    Direction.DOWN: PreviewLeadRow.new_score < PreviewLeadRow.old_score,
    Direction.LEVEL: PreviewLeadRow.new_level != PreviewLeadRow.old_level,
}


def list_heads(
    scope: Scope, *, after: str, limit: int, preview_id: UUID | None = None
) -> list[Head]:
    """Return leads in the order of their ids, from after one on; merged ones are left out.

    So are those that a preview has looked at already.
    """
    statement = f"""
        SELECT {_HEAD} FROM leads l
        WHERE l.unit_id = %(unit)s AND l.lead_id > %(after)s AND l.merged_into IS NULL
          AND NOT EXISTS (
            SELECT FROM scoring_preview_leads p
            WHERE p.unit_id = l.unit_id AND p.preview_id = %(preview)s AND p.lead_id = l.lead_id
          )
        ORDER BY l.lead_id LIMIT %(limit)s
    """
    bound = {
        "unit": scope.unit_id,
        "after": after,
        "limit": limit,
        "preview": preview_id,
    }
    return [Head._make(row) for row in driver().execute(statement, bound)]


def list_older_leads(scope: Scope, *, version: int, born_before: datetime, limit: int) -> list[str]:
    """Return leads that some of whose events may count as of a version before this one."""
    statement = """
        SELECT lead_id FROM leads
        WHERE unit_id = %s AND base_version < %s AND created_at < %s AND merged_into IS NULL
        ORDER BY lead_id LIMIT %s
    """
    rows = driver().execute(statement, (scope.unit_id, version, born_before, limit))
    return [lead_id for (lead_id,) in rows]


def load_heads(scope: Scope, lead_ids: Sequence[str]) -> dict[str, Head]:
    """Return what leads show now; those that are gone or merged are left out."""
    statement = f"""
        SELECT {_HEAD} FROM leads l
        WHERE l.unit_id = %s AND l.lead_id = ANY(%s) AND l.merged_into IS NULL
    """
    rows = driver().execute(statement, (scope.unit_id, list(lead_ids)))
    return {row[0]: Head._make(row) for row in rows}


_HEAD = """
    l.lead_id, l.score, l.ruleset_id, l.event_count, l.session_count, l.last_receipt,
    l.last_decay_at, l.base_version
"""


def find_rescore(scope: Scope, rescore_id: UUID) -> Rescore | None:
    """Return a rescore, or None when there is none."""
    row = session().scalar(_rescores(scope).where(RescoreRow.rescore_id == rescore_id))
    return _rescore(row) if row else None


def get_rescore(scope: Scope, rescore_id: UUID) -> Rescore:
    """Return a rescore. Raises RescoreNotFoundError."""
    rescore = find_rescore(scope, rescore_id)
    if rescore is None:
        raise RescoreNotFoundError(f"There is no rescore '{rescore_id}' in this unit.")
    return rescore


def find_running_rescore(scope: Scope) -> Rescore | None:
    """Return the rescore that the unit waits for, or None."""
    row = session().scalar(_rescores(scope).where(RescoreRow.state.in_(UNFINISHED)))
    return _rescore(row) if row else None


def search_rescores(scope: Scope, request: PageRequest) -> Page[Rescore]:
    """Return the unit's rescores, the latest first."""
    statement = (
        _rescores(scope)
        .order_by(RescoreRow.created_at.desc(), RescoreRow.rescore_id.desc())
        .limit(request.size)
        .offset(request.offset)
    )
    count = select(func.count()).select_from(RescoreRow).where(RescoreRow.unit_id == scope.unit_id)
    found = [_rescore(row) for row in session().scalars(statement)]
    return Page(found, Total(session().scalar(count) or 0), request)


def due_previews(*, now: datetime) -> list[Preview]:
    """Return the previews of all units that should be under way and that nobody works on."""
    last_sign = func.coalesce(PreviewRow.beat_at, PreviewRow.created_at)
    statement = select(PreviewRow).where(
        PreviewRow.state.in_(UNFINISHED), last_sign < now - STARTS_WITHIN
    )
    found = [_preview(row) for row in session().scalars(statement.order_by(PreviewRow.created_at))]
    return _abandoned(found)


def due_rescores(*, now: datetime) -> list[Rescore]:
    """Return the rescores of all units that should be under way and that nobody works on."""
    last_sign = func.coalesce(RescoreRow.beat_at, RescoreRow.created_at)
    statement = select(RescoreRow).where(
        RescoreRow.state.in_(UNFINISHED), last_sign < now - STARTS_WITHIN
    )
    found = [_rescore(row) for row in session().scalars(statement.order_by(RescoreRow.created_at))]
    return _abandoned(found)


def lock_key(walk_id: UUID) -> int:
    """Return the key of the lock that the worker of a walk holds; it falls when the worker dies."""
    return int.from_bytes(walk_id.bytes[8:], signed=True)


def _abandoned(walks: list[AnyWalk]) -> list[AnyWalk]:
    held = held_lock_keys() if walks else set()
    return [walk for walk in walks if lock_key(walk.walk_id) not in held]


def _previews(scope: Scope) -> Select[PreviewRow]:
    statement = select(PreviewRow).where(PreviewRow.unit_id == scope.unit_id)
    return statement.execution_options(populate_existing=True)


def _rescores(scope: Scope) -> Select[RescoreRow]:
    statement = select(RescoreRow).where(RescoreRow.unit_id == scope.unit_id)
    return statement.execution_options(populate_existing=True)


def _preview(row: PreviewRow) -> Preview:
    return Preview(
        walk_id=row.preview_id,
        kind=PreviewKind(row.kind),
        subject=row.subject,
        config=Config.from_json(row.config),
        version=row.version,
        thresholds=tuple(row.thresholds),
        findings=Findings.from_json(row.findings),
        **_common(row),
    )


def _rescore(row: RescoreRow) -> Rescore:
    return Rescore(
        walk_id=row.rescore_id,
        version=row.version,
        restarts=row.restarts,
        events_returned=row.events_returned,
        **_common(row),
    )


def _common(row: PreviewRow | RescoreRow) -> dict[str, Any]:
    return {
        "unit_id": row.unit_id,
        "org_id": row.org_id,
        "state": WalkState(row.state),
        "leads_total": row.leads_total,
        "leads_done": row.leads_done,
        "after_lead": row.after_lead,
        "attempts": row.attempts,
        "error": row.error,
        "created_at": row.created_at,
        "created_by": row.created_by,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
    }
