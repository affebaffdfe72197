"""Levels of the three kinds of score, with who made them: reads and writes.

A lead's level follows from its score whenever somebody looks, so a change shows at once. Levels of
one kind never share a score; a gap between them shows as unclassified.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, insert, select, update

from leadvibe.engine.levels import find_overlap
from leadvibe.engine.rules import DEFAULT_LEVEL_COLOR, Level, LevelKind
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.db import session
from leadvibe.lib.ids import new_id
from leadvibe.scoring.errors import (
    BadConfigError,
    LastLevelError,
    LevelExistsError,
    LevelNotFoundError,
    LevelOverlapError,
)
from leadvibe.scoring.models import LevelRow
from leadvibe.scoring.service import lock_configuration, record_version
from leadvibe.scoring.types import StoredLevel
from leadvibe.scoring.wording import range_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelDraft:
    """A level as somebody wants it; without the id of a stored one it is new."""

    level_id: UUID | None = None
    name: str
    min_score: int
    color: str


def list_stored_levels(scope: Scope, kind: LevelKind) -> list[StoredLevel]:
    """Return the levels of a kind, lowest first."""
    statement = _levels(scope, kind).order_by(LevelRow.min_score)
    return [_stored(kind, row) for row in session().execute(statement)]


def get_stored_level(scope: Scope, kind: LevelKind, level_id: UUID) -> StoredLevel:
    """Return a level. Raises LevelNotFoundError, also for one of another kind."""
    row = session().execute(_levels(scope, kind).where(LevelRow.level_id == level_id)).one_or_none()
    if row is None:
        raise LevelNotFoundError(f"There is no {kind} level '{level_id}' in this unit.")
    return _stored(kind, row)


def create_level(
    principal: Principal, scope: Scope, kind: LevelKind, fields: Mapping[str, Any], *, now: datetime
) -> StoredLevel:
    """Make a level; without an `order` it comes last.

    Raises LevelExistsError for a name that is taken, LevelOverlapError when another level holds
    some of its scores, and BadConfigError when it would hold none.
    """
    lock_configuration(scope)
    others = [it.level for it in list_stored_levels(scope, kind)]
    made = Level(
        level_id=new_id(),
        kind=kind,
        name=fields["name"],
        min_score=fields["min_score"],
        max_score=fields["max_score"],
        color=fields.get("color") or DEFAULT_LEVEL_COLOR,
        order=len(others) if fields.get("order") is None else fields["order"],
    )
    _check(made, others)
    session().execute(
        insert(LevelRow).values(
            unit_id=scope.unit_id,
            level_id=made.level_id,
            kind=kind.value,
            created_by=principal.label,
            updated_by=principal.label,
            **_facts(made),
        )
    )
    summary = f"Added {kind} level {made.name}: {range_of(made)}"
    record_version(scope, summary=summary, by=principal.label, now=now)
    return get_stored_level(scope, kind, made.level_id)


def update_level(
    principal: Principal,
    scope: Scope,
    kind: LevelKind,
    level_id: UUID,
    changes: Mapping[str, Any],
    *,
    now: datetime,
) -> StoredLevel:
    """Change the fields that are given. Raises as create_level does, and LevelNotFoundError."""
    lock_configuration(scope)
    stored = get_stored_level(scope, kind, level_id)
    changed = replace(stored.level, **changes)
    if changed == stored.level:
        return stored
    others = [it.level for it in list_stored_levels(scope, kind) if it.level.level_id != level_id]
    _check(changed, others)
    session().execute(
        update(LevelRow)
        .where(LevelRow.unit_id == scope.unit_id, LevelRow.level_id == level_id)
        .values(**_facts(changed), updated_by=principal.label)
    )
    summary = f"Changed {kind} level {stored.level.name}: {range_of(changed)}"
    record_version(scope, summary=summary, by=principal.label, now=now)
    return get_stored_level(scope, kind, level_id)


def delete_level(
    principal: Principal, scope: Scope, kind: LevelKind, level_id: UUID, *, now: datetime
) -> None:
    """Delete a level; its scores become unclassified.

    Raises LevelNotFoundError, and LastLevelError for the only one of its kind.
    """
    lock_configuration(scope)
    gone = get_stored_level(scope, kind, level_id).level
    if len(list_stored_levels(scope, kind)) == 1:
        raise LastLevelError(
            f"{gone.name} is the last {kind} level: add another before you delete it."
        )
    session().execute(
        delete(LevelRow).where(LevelRow.unit_id == scope.unit_id, LevelRow.level_id == level_id)
    )
    summary = f"Deleted {kind} level {gone.name}"
    record_version(scope, summary=summary, by=principal.label, now=now)


def arrange_levels(
    principal: Principal,
    scope: Scope,
    kind: LevelKind,
    wanted: Sequence[LevelDraft],
    *,
    now: datetime,
) -> list[StoredLevel]:
    """Put these levels into the place of all of a kind: no gaps, no overlaps, one version.

    Each reaches up to where the next begins, and the highest is open. Raises LastLevelError when
    there are none, and BadConfigError or LevelExistsError when two begin or are called alike.
    """
    lock_configuration(scope)
    stored = {it.level.level_id: it for it in list_stored_levels(scope, kind)}
    made = laid_out(kind, wanted, known=stored.keys())
    for place, level in enumerate(made):
        _check(level, made[:place])
    if made == [it.level for it in stored.values()]:
        return [*stored.values()]
    _replace(scope, kind, [_signed(it, stored.get(it.level_id), principal) for it in made])
    words = ", ".join(f"{level.name} from {level.min_score}" for level in made)
    record_version(scope, summary=f"Changed {kind} levels: {words}", by=principal.label, now=now)
    return list_stored_levels(scope, kind)


def laid_out(
    kind: LevelKind, wanted: Sequence[LevelDraft], *, known: Collection[UUID] = ()
) -> list[Level]:
    """Return the levels that arrange_levels would make, lowest first. Raises LastLevelError."""
    if not wanted:
        raise LastLevelError(f"A score needs a level: add at least one {kind} level.")
    ordered = sorted(wanted, key=lambda it: it.min_score)
    ends = [*(it.min_score - 1 for it in ordered[1:]), None]
    return [
        Level(
            level_id=it.level_id if it.level_id in known and it.level_id else new_id(),
            kind=kind,
            name=it.name,
            min_score=it.min_score,
            max_score=end,
            color=it.color,
            order=place,
        )
        for place, (it, end) in enumerate(zip(ordered, ends, strict=True))
    ]


def _signed(level: Level, known: StoredLevel | None, principal: Principal) -> StoredLevel:
    if known is None:
        return StoredLevel(level, principal.label, principal.label)
    changed_by = known.updated_by if known.level == level else principal.label
    return StoredLevel(level, known.created_by, changed_by)


def _replace(scope: Scope, kind: LevelKind, levels: Sequence[StoredLevel]) -> None:
    """Write all levels of a kind anew, for names may have changed places."""
    session().execute(
        delete(LevelRow).where(LevelRow.unit_id == scope.unit_id, LevelRow.kind == kind)
    )
    rows = [
        {
            "unit_id": scope.unit_id,
            "level_id": it.level.level_id,
            "kind": kind.value,
            "created_by": it.created_by,
            "updated_by": it.updated_by,
            **_facts(it.level),
        }
        for it in levels
    ]
    session().execute(insert(LevelRow), rows)


def _check(level: Level, others: list[Level]) -> None:
    if level.max_score is not None and level.max_score < level.min_score:
        raise BadConfigError(
            f"No score is at least {level.min_score} and at most {level.max_score}:"
            " give a max_score that is not below min_score.",
            fields={"max_score": "is below min_score"},
        )
    if any(other.name == level.name for other in others):
        raise LevelExistsError(
            f"There is a {level.kind} level '{level.name}' already. Choose another name.",
            fields={"name": "exists already"},
        )
    for other in others:
        if find_overlap((level, other)):
            raise LevelOverlapError(
                f"{level.name} ({range_of(level)}) and {other.name} ({range_of(other)}) share"
                " scores: choose bounds that keep them apart.",
                fields={
                    _blamed(level, other): f"overlaps with {other.name} ({range_of(other)})",
                },
            )


def _blamed(level: Level, other: Level) -> str:
    return "min_score" if other.holds(level.min_score) else "max_score"


def _facts(level: Level) -> dict[str, Any]:
    return {
        "name": level.name,
        "min_score": level.min_score,
        "max_score": level.max_score,
        "color": level.color,
        "order": level.order,
    }


def _levels(scope: Scope, kind: LevelKind) -> Select[Any]:
    columns: tuple[Any, ...] = (
        LevelRow.level_id,
        LevelRow.name,
        LevelRow.min_score,
        LevelRow.max_score,
        LevelRow.color,
        LevelRow.order,
        LevelRow.created_by,
        LevelRow.updated_by,
    )
    return select(*columns).where(LevelRow.unit_id == scope.unit_id, LevelRow.kind == kind)


def _stored(kind: LevelKind, row: Any) -> StoredLevel:
    *facts, created_by, updated_by = row
    level_id, *rest = facts
    return StoredLevel(Level(level_id, kind, *rest), created_by, updated_by)
