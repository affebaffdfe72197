"""Decay rules: points that fade while a lead is inactive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StrictInt
from pydantic_core import PydanticCustomError

from leadvibe.api.editing import Editable
from leadvibe.api.fields import LEFT_OUT, MOST_POINTS, Changes, DecayId
from leadvibe.engine.policies import DecayUnit
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.scoring import policies, queries
from leadvibe.scoring.types import ConfigItem, ItemKind

LONGEST_INACTIVITY = 100_000
"""Of any unit: eleven years of hours."""


def _taken(points: int) -> int:
    """Return what is taken; a loss may be written as one."""
    if points == 0:
        raise PydanticCustomError("no_points", "must not be 0: give the points to take")
    return abs(points)


Inactivity = Annotated[StrictInt, Field(ge=1, le=LONGEST_INACTIVITY)]
Decrease = Annotated[StrictInt, Field(ge=-MOST_POINTS, le=MOST_POINTS), AfterValidator(_taken)]


class NewDecay(BaseModel):
    """After how long without activity how many points fade, again and again."""

    inactive_for: Inactivity = Field(description="How many units without activity.")
    unit: DecayUnit = Field(description="What inactive_for counts.")
    decrease: Decrease = Field(description="Points to take; -25 means the same as 25.")


class DecayChanges(Changes):
    """Fields of a decay rule to change; those left out stay as they are."""

    inactive_for: Inactivity = Field(LEFT_OUT, description="How many units without activity.")
    unit: DecayUnit = Field(LEFT_OUT, description="What inactive_for counts.")
    decrease: Decrease = Field(LEFT_OUT, description="Points to take.")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecayItem(Editable):
    decay_id: UUID
    org_id: UUID
    unit_id: UUID
    inactive_for: int
    unit: DecayUnit
    decrease: int
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str


def list_decays(principal: Principal) -> list[DecayItem]:
    """All decay rules of the unit, oldest first."""
    scope = principal.scope
    return [_item(scope, found) for found in queries.list_items(scope, ItemKind.DECAY)]


def get_decay(principal: Principal, decay_id: DecayId) -> DecayItem:
    scope = principal.scope
    return _item(scope, queries.get_item(scope, ItemKind.DECAY, decay_id))


def create_decay(principal: Principal, body: NewDecay) -> DecayItem:
    """Make a decay rule; it takes nothing for inactivity that was complete before."""
    scope = principal.scope
    fields = body.model_dump(mode="json")
    return _item(scope, policies.create_decay(principal, scope, fields, now=utc_now()))


def update_decay(principal: Principal, decay_id: DecayId, body: DecayChanges) -> DecayItem:
    """Change a decay rule; what it took so far stays taken."""
    scope, changes = principal.scope, body.given()
    return _item(scope, policies.update_decay(principal, scope, decay_id, changes, now=utc_now()))


def delete_decay(principal: Principal, decay_id: DecayId) -> None:
    """Delete a decay rule; it gives back nothing of what it took."""
    policies.delete_decay(principal, principal.scope, decay_id, now=utc_now())


def _item(scope: Scope, item: ConfigItem) -> DecayItem:
    return DecayItem(
        decay_id=item.item_id,
        org_id=scope.org_id,
        unit_id=scope.unit_id,
        created_at=item.created_at,
        updated_at=item.updated_at,
        created_by=item.created_by,
        updated_by=item.updated_by,
        **{**item.body, "unit": DecayUnit(item.body["unit"])},
    )
