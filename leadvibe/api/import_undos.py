"""Imports taken back: what that would do, and how far it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from leadvibe.api.fields import ImportId
from leadvibe.http.workers import job_queue
from leadvibe.identity.types import Principal
from leadvibe.imports import undoing
from leadvibe.imports.types import Effect, Undo
from leadvibe.lib.clock import utc_now


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoEffect:
    """What goes and what is put back. Of leads that stay, `leads_rescored` lose events.

    `properties_kept` were changed again since, and `identifiers_kept` belong to leads that have
    been active since: these stay.
    """

    events: int
    leads_removed: int
    leads_rescored: int
    properties_restored: int
    properties_kept: int
    owners_restored: int
    identifiers_removed: int
    identifiers_kept: int
    visitors_separated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoItem:
    """`none` means that nobody has asked: then `effect` is what undoing would do now.

    Otherwise it is what has been done so far.
    """

    job_id: UUID
    status: Literal["none", "queued", "running", "finished", "failed"]
    percent: int
    effect: UndoEffect
    error: str | None
    requested_at: datetime | None
    requested_by: str | None
    completed_at: datetime | None


def show_undo(principal: Principal, import_id: ImportId) -> UndoItem:
    """What undoing an import would do, or how far that is. Changes nothing."""
    asked = undoing.find_undo(principal.scope, import_id)
    if asked is not None:
        return _item(asked)
    effect = undoing.foresee_undo(principal.scope, import_id, now=utc_now())
    return UndoItem(
        job_id=import_id,
        status="none",
        percent=0,
        effect=_effect(effect),
        error=None,
        requested_at=None,
        requested_by=None,
        completed_at=None,
    )


def undo_import(principal: Principal, import_id: ImportId) -> UndoItem:
    """Take an import back in the background: what only it brought goes, scores are replayed."""
    asked = undoing.request_undo(
        principal, principal.scope, import_id, queue=job_queue(), now=utc_now()
    )
    return _item(asked)


def _item(undo: Undo) -> UndoItem:
    return UndoItem(
        job_id=undo.import_id,
        status=undo.state.value,
        percent=undo.percent,
        effect=_effect(undo.effect),
        error=undo.error,
        requested_at=undo.asked_at,
        requested_by=undo.asked_by,
        completed_at=undo.finished_at,
    )


def _effect(effect: Effect) -> UndoEffect:
    return UndoEffect(**asdict(effect))
