"""Velocity filters: how quickly people do things, and what is a machine's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool, StrictInt

from leadvibe.api.editing import Editable
from leadvibe.api.fields import LEFT_OUT, Changes, VelocityFilterId
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.pipeline.intake import ShortText
from leadvibe.scoring import policies, queries
from leadvibe.scoring.types import ConfigItem, ItemKind

LARGEST_THRESHOLD = 1_000_000
LONGEST_WINDOW_MS = 7 * 24 * 60 * 60 * 1000
"""A week: whatever takes longer is no burst."""

Threshold = Annotated[StrictInt, Field(ge=0, le=LARGEST_THRESHOLD)]
Window = Annotated[StrictInt, Field(ge=1, le=LONGEST_WINDOW_MS)]


class NewFilter(BaseModel):
    """Events of a type beyond a rate are stored and do not count."""

    event_type: ShortText = Field(description="The events that are looked at, by exact type.")
    count_threshold: Threshold = Field(description="How many within the window still count.")
    time_window_ms: Window = Field(description="Length of the rolling window in milliseconds.")
    group_events: StrictBool = Field(
        False, description="Whether only the first event of a burst counts."
    )
    enabled: StrictBool = Field(True, description="Whether it judges events.")


class FilterChanges(Changes):
    """Fields of a filter to change; those left out stay as they are."""

    event_type: ShortText = Field(LEFT_OUT, description="The events that are looked at.")
    count_threshold: Threshold = Field(LEFT_OUT, description="How many still count.")
    time_window_ms: Window = Field(LEFT_OUT, description="Length of the window in milliseconds.")
    group_events: StrictBool = Field(LEFT_OUT, description="Whether only the first counts.")
    enabled: StrictBool = Field(LEFT_OUT, description="Whether it judges events.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterItem(Editable):
    filter_id: UUID
    org_id: UUID
    unit_id: UUID
    event_type: str
    count_threshold: int
    time_window_ms: int
    group_events: bool
    enabled: bool
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str


def list_filters(principal: Principal) -> list[FilterItem]:
    """All velocity filters of the unit, oldest first."""
    scope = principal.scope
    return [_item(scope, found) for found in queries.list_items(scope, ItemKind.VELOCITY_FILTER)]


def get_filter(principal: Principal, filter_id: VelocityFilterId) -> FilterItem:
    scope = principal.scope
    return _item(scope, queries.get_item(scope, ItemKind.VELOCITY_FILTER, filter_id))


def create_filter(principal: Principal, body: NewFilter) -> FilterItem:
    """Make a filter; it judges events that come from now on."""
    scope, fields = principal.scope, body.model_dump()
    return _item(scope, policies.create_velocity_filter(principal, scope, fields, now=utc_now()))


def update_filter(
    principal: Principal, filter_id: VelocityFilterId, body: FilterChanges
) -> FilterItem:
    """Change a filter; what was suppressed stays so until a rescore."""
    scope, changes = principal.scope, body.given()
    changed = policies.update_velocity_filter(principal, scope, filter_id, changes, now=utc_now())
    return _item(scope, changed)


def delete_filter(principal: Principal, filter_id: VelocityFilterId) -> None:
    """Delete a filter; what it suppressed stays so until a rescore."""
    policies.delete_velocity_filter(principal, principal.scope, filter_id, now=utc_now())


def _item(scope: Scope, item: ConfigItem) -> FilterItem:
    return FilterItem(
        filter_id=item.item_id,
        org_id=scope.org_id,
        unit_id=scope.unit_id,
        created_at=item.created_at,
        updated_at=item.updated_at,
        created_by=item.created_by,
        updated_by=item.updated_by,
        **{"enabled": True, **item.body},
    )
