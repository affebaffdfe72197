"""Metadata filters: events that do not count because of what their metadata says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StrictBool
from pydantic_core import PydanticCustomError, to_json

from leadvibe.api.editing import Editable
from leadvibe.api.fields import LEFT_OUT, Changes, EventTypeOrAny, MetadataFilterId, Name, Text
from leadvibe.engine.conditions import MAX_CLAUSES, ConditionError, parse_operator
from leadvibe.engine.policies import FieldTest, MetadataFilter
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.metrics.queries import count_suppressed
from leadvibe.scoring import policies, queries
from leadvibe.scoring.types import ConfigItem, ItemKind

LONGEST_VALUE = 4_000
"""In bytes of JSON: lists of names fit, and every config version holds a copy."""


def storable_value(value: Any) -> Any:
    if len(to_json(value)) > LONGEST_VALUE:
        raise PydanticCustomError("too_long_value", "is too long: give at most 4,000 bytes of JSON")
    return value


def known_operator(text: str) -> str:
    """Return an operator in the one spelling that is stored."""
    try:
        return parse_operator(text).value
    except ConditionError as error:
        message = "is an {problem}"
        raise PydanticCustomError("operator", message, {"problem": str(error)}) from None


class ConditionBody(BaseModel):
    """What must hold for an event's metadata."""

    key: Text = Field(min_length=1, description="The property; dots reach into objects.")
    operator: Annotated[Text, AfterValidator(known_operator)] = Field(
        description="equals, not_equals, contains, gt, in, exists and so on."
    )
    value: Annotated[Any, AfterValidator(storable_value)] = Field(
        None, description="What to compare with: text, a number, true or false, or a list of them."
    )


Conditions = Annotated[list[ConditionBody], Field(min_length=1, max_length=MAX_CLAUSES)]


class NewMetadataFilter(BaseModel):
    """Events of a type whose metadata meets all conditions are stored and do not count."""

    name: Name = Field(description="Its name, unique in the unit.")
    event_type: EventTypeOrAny = Field("", description="By exact type; empty for any.")
    conditions: Conditions = Field(description="All of them must hold.")
    enabled: StrictBool = Field(True, description="Whether it judges events now.")


class MetadataFilterChanges(Changes):
    """Fields of a metadata filter to change; those left out stay as they are."""

    name: Name = Field(LEFT_OUT, description="Its name, unique in the unit.")
    event_type: EventTypeOrAny = Field(LEFT_OUT, description="By exact type; empty for any.")
    conditions: Conditions = Field(LEFT_OUT, description="All of them must hold.")
    enabled: StrictBool = Field(LEFT_OUT, description="Whether it judges events now.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionItem:
    key: str
    operator: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataFilterItem(Editable):
    """A filter; `suppressed_count` of the events that filters took out are as it describes."""

    not_edited: ClassVar[frozenset[str]] = frozenset({"suppressed_count"})

    id: UUID
    filter_id: UUID
    org_id: UUID
    unit_id: UUID
    name: str
    event_type: str
    conditions: list[ConditionItem]
    enabled: bool
    suppressed_count: int
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str


def list_metadata_filters(principal: Principal) -> list[MetadataFilterItem]:
    """All metadata filters of the unit, oldest first."""
    scope = principal.scope
    return _items(scope, queries.list_items(scope, ItemKind.METADATA_FILTER))


def get_metadata_filter(principal: Principal, filter_id: MetadataFilterId) -> MetadataFilterItem:
    scope = principal.scope
    return _items(scope, [queries.get_item(scope, ItemKind.METADATA_FILTER, filter_id)])[0]


def create_metadata_filter(principal: Principal, body: NewMetadataFilter) -> MetadataFilterItem:
    """Make a filter; it judges events that come from now on, before velocity filters do."""
    scope = principal.scope
    made = policies.create_metadata_filter(principal, scope, body.model_dump(), now=utc_now())
    return _items(scope, [made])[0]


def update_metadata_filter(
    principal: Principal, filter_id: MetadataFilterId, body: MetadataFilterChanges
) -> MetadataFilterItem:
    """Change a filter; what was suppressed stays so until a rescore."""
    scope, changes = principal.scope, body.given()
    changed = policies.update_metadata_filter(principal, scope, filter_id, changes, now=utc_now())
    return _items(scope, [changed])[0]


def delete_metadata_filter(principal: Principal, filter_id: MetadataFilterId) -> None:
    """Delete a filter; what it suppressed stays so until a rescore."""
    policies.delete_metadata_filter(principal, principal.scope, filter_id, now=utc_now())


def _items(scope: Scope, found: Sequence[ConfigItem]) -> list[MetadataFilterItem]:
    filters = [_filter(item) for item in found]
    counts = count_suppressed(scope, filters)
    return [
        MetadataFilterItem(
            id=one.filter_id,
            filter_id=one.filter_id,
            org_id=scope.org_id,
            unit_id=scope.unit_id,
            name=one.name,
            event_type=one.event_type,
            conditions=[
                ConditionItem(key=test.key, operator=test.operator, value=test.value)
                for test in one.conditions
            ],
            enabled=one.enabled,
            suppressed_count=counts[one.filter_id],
            created_at=item.created_at,
            updated_at=item.updated_at,
            created_by=item.created_by,
            updated_by=item.updated_by,
        )
        for item, one in zip(found, filters, strict=True)
    ]


def _filter(item: ConfigItem) -> MetadataFilter:
    conditions = tuple(FieldTest(**test) for test in item.body["conditions"])
    return MetadataFilter(filter_id=item.item_id, **{**item.body, "conditions": conditions})
