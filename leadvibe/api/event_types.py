"""Event types: which there are, what their events carry, and how far those may reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field, StrictBool

from leadvibe.api.editing import Editable
from leadvibe.api.fields import LEFT_OUT, Changes
from leadvibe.engine.policies import Reach
from leadvibe.events import queries as events
from leadvibe.identity.types import Principal
from leadvibe.lib.clock import utc_now
from leadvibe.scoring import event_types
from leadvibe.scoring.types import KnownEventType


class TypeChanges(Changes):
    """What to decide about an event type; what is left out stays as it is."""

    hidden: StrictBool = Field(
        LEFT_OUT, description="Whether it is left out of choices, and its rules do not fire."
    )
    max_processing_scope: Reach = Field(
        LEFT_OUT,
        description="observe: stored and shown; decide: also scored; activate: triggers hear it.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeItem(Editable):
    """An event type; the events of a protected one cannot be deleted."""

    not_edited: ClassVar[frozenset[str]] = frozenset({"ou_event_count", "protected", "deletable"})

    name: str
    hidden: bool
    ou_event_count: int
    protected: bool
    deletable: bool
    max_processing_scope: Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeProperties:
    event_type: str
    properties: list[str]


def list_names(principal: Principal) -> list[str]:
    """The names of the unit's event types, the most frequent first, without hidden ones."""
    return [it.name for it in event_types.list_known_types(principal.scope) if not it.hidden]


def list_properties(principal: Principal, event_type: str) -> TypeProperties:
    """The keys that metadata of a type's events has: of its latest 10,000."""
    scope = principal.scope
    known = event_types.get_known_type(scope, event_type)
    return TypeProperties(
        event_type=known.name, properties=events.list_metadata_keys(scope, known.name)
    )


def list_types(principal: Principal) -> list[TypeItem]:
    """All event types of the unit, the most frequent first, with what was decided about each."""
    return [_item(it) for it in event_types.list_known_types(principal.scope)]


def get_type(principal: Principal, event_type: str) -> TypeItem:
    return _item(event_types.get_known_type(principal.scope, event_type))


def update_type(principal: Principal, event_type: str, body: TypeChanges) -> None:
    """Hide or show a type, or set how far its events may reach; earlier events stay scored."""
    event_types.decide_event_type(
        principal,
        principal.scope,
        event_type,
        hidden=body.hidden,
        reach=body.max_processing_scope,
        now=utc_now(),
    )


def _item(known: KnownEventType) -> TypeItem:
    return TypeItem(
        name=known.name,
        hidden=known.hidden,
        ou_event_count=known.event_count,
        protected=known.is_protected,
        deletable=not known.is_protected,
        max_processing_scope=known.reach,
    )
