"""Levels: names for ranges of the engagement, the profile and the account score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StrictInt, StringConstraints

from leadvibe.api.editing import Editable
from leadvibe.api.fields import LARGEST_INTEGER, LEFT_OUT, Changes, LevelId, Name
from leadvibe.engine.rules import LevelKind
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.scoring import levels
from leadvibe.scoring.queries import require_abm
from leadvibe.scoring.types import StoredLevel

LARGEST_ORDER = 1_000_000

Bound = Annotated[StrictInt, Field(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER - 1)]
Order = Annotated[StrictInt, Field(ge=0, le=LARGEST_ORDER)]
Color = Annotated[
    str,
    StringConstraints(pattern="^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"),
    AfterValidator(str.lower),
]


class NewLevel(BaseModel):
    """A range of scores with a name; both bounds belong to it."""

    name: Name = Field(description="Its name, unique among the levels of its kind.")
    min_score: Bound = Field(description="The lowest score that has the level.")
    max_score: Bound | None = Field(description="The highest one; null when it is open above.")
    color: Color | None = Field(None, description="Hexadecimal, such as #ef4444.")
    order: Order | None = Field(None, description="Its place in lists; last when left out.")


class LevelChanges(Changes):
    """Fields of a level to change; those left out stay as they are."""

    name: Name = Field(LEFT_OUT, description="Its name, unique among the levels of its kind.")
    min_score: Bound = Field(LEFT_OUT, description="The lowest score that has the level.")
    max_score: Bound | None = Field(None, description="The highest one; null for open above.")
    color: Color = Field(LEFT_OUT, description="Hexadecimal, such as #ef4444.")
    order: Order = Field(LEFT_OUT, description="Its place in lists.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelFacts(Editable):
    org_id: UUID
    unit_id: UUID
    name: str
    min_score: int
    max_score: int | None
    color: str
    order: int
    created_by: str
    updated_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageItem(LevelFacts):
    """A level of the engagement score."""

    stage_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelItem(LevelFacts):
    """A level of the profile or the account score."""

    level_id: UUID


def list_engagement_levels(principal: Principal) -> list[StageItem]:
    """The levels of the engagement score, lowest first."""
    return [_stage(principal.scope, it) for it in _list(principal, LevelKind.ENGAGEMENT)]


def get_engagement_level(principal: Principal, level_id: LevelId) -> StageItem:
    return _stage(principal.scope, _get(principal, LevelKind.ENGAGEMENT, level_id))


def create_engagement_level(principal: Principal, body: NewLevel) -> StageItem:
    """Make a level; leads show it at once."""
    return _stage(principal.scope, _create(principal, LevelKind.ENGAGEMENT, body))


def update_engagement_level(
    principal: Principal, level_id: LevelId, body: LevelChanges
) -> StageItem:
    """Change a level; leads show it at once."""
    return _stage(principal.scope, _update(principal, LevelKind.ENGAGEMENT, level_id, body))


def delete_engagement_level(principal: Principal, level_id: LevelId) -> None:
    """Delete a level; its leads are unclassified then. The last one cannot be deleted."""
    _delete(principal, LevelKind.ENGAGEMENT, level_id)


def list_profile_levels(principal: Principal) -> list[LevelItem]:
    """The levels of the profile score, lowest first."""
    return [_level(principal.scope, it) for it in _list(principal, LevelKind.PROFILE)]


def get_profile_level(principal: Principal, level_id: LevelId) -> LevelItem:
    return _level(principal.scope, _get(principal, LevelKind.PROFILE, level_id))


def create_profile_level(principal: Principal, body: NewLevel) -> LevelItem:
    """Make a level; leads show it at once."""
    return _level(principal.scope, _create(principal, LevelKind.PROFILE, body))


def update_profile_level(principal: Principal, level_id: LevelId, body: LevelChanges) -> LevelItem:
    """Change a level; leads show it at once."""
    return _level(principal.scope, _update(principal, LevelKind.PROFILE, level_id, body))


def delete_profile_level(principal: Principal, level_id: LevelId) -> None:
    """Delete a level; its leads are unclassified then. The last one cannot be deleted."""
    _delete(principal, LevelKind.PROFILE, level_id)


def list_account_levels(principal: Principal) -> list[LevelItem]:
    """The levels of the account score, lowest first."""
    require_abm(principal.scope)
    return [_level(principal.scope, it) for it in _list(principal, LevelKind.ACCOUNT)]


def get_account_level(principal: Principal, level_id: LevelId) -> LevelItem:
    require_abm(principal.scope)
    return _level(principal.scope, _get(principal, LevelKind.ACCOUNT, level_id))


def create_account_level(principal: Principal, body: NewLevel) -> LevelItem:
    """Make a level; accounts show it at once."""
    require_abm(principal.scope)
    return _level(principal.scope, _create(principal, LevelKind.ACCOUNT, body))


def update_account_level(principal: Principal, level_id: LevelId, body: LevelChanges) -> LevelItem:
    """Change a level; accounts show it at once."""
    require_abm(principal.scope)
    return _level(principal.scope, _update(principal, LevelKind.ACCOUNT, level_id, body))


def delete_account_level(principal: Principal, level_id: LevelId) -> None:
    """Delete a level; its accounts are unclassified then. The last one cannot be deleted."""
    require_abm(principal.scope)
    _delete(principal, LevelKind.ACCOUNT, level_id)


def _list(principal: Principal, kind: LevelKind) -> list[StoredLevel]:
    return levels.list_stored_levels(principal.scope, kind)


def _get(principal: Principal, kind: LevelKind, level_id: UUID) -> StoredLevel:
    return levels.get_stored_level(principal.scope, kind, level_id)


def _create(principal: Principal, kind: LevelKind, body: NewLevel) -> StoredLevel:
    return levels.create_level(principal, principal.scope, kind, body.model_dump(), now=utc_now())


def _update(
    principal: Principal, kind: LevelKind, level_id: UUID, body: LevelChanges
) -> StoredLevel:
    scope, changes = principal.scope, body.given()
    return levels.update_level(principal, scope, kind, level_id, changes, now=utc_now())


def _delete(principal: Principal, kind: LevelKind, level_id: UUID) -> None:
    levels.delete_level(principal, principal.scope, kind, level_id, now=utc_now())


def _stage(scope: Scope, stored: StoredLevel) -> StageItem:
    level = stored.level
    return StageItem(
        stage_id=level.level_id,
        org_id=scope.org_id,
        unit_id=scope.unit_id,
        name=level.name,
        min_score=level.min_score,
        max_score=level.max_score,
        color=level.color,
        order=level.order,
        created_by=stored.created_by,
        updated_by=stored.updated_by,
    )


def _level(scope: Scope, stored: StoredLevel) -> LevelItem:
    level = stored.level
    return LevelItem(
        level_id=level.level_id,
        org_id=scope.org_id,
        unit_id=scope.unit_id,
        name=level.name,
        min_score=level.min_score,
        max_score=level.max_score,
        color=level.color,
        order=level.order,
        created_by=stored.created_by,
        updated_by=stored.updated_by,
    )
