"""Milestone triggers: a lead's score reaches a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StrictInt

from leadvibe.api.fields import LARGEST_INTEGER, LEFT_OUT
from leadvibe.api.simulations import SimulationQuestion, SimulationResult, simulated
from leadvibe.api.trigger_fields import (
    AnyType,
    MailedFields,
    MailedItem,
    TriggerId,
    shown_type,
    stored,
    with_mail,
)
from leadvibe.engine.triggers import Milestone, TriggerKind
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.triggers import queries, service
from leadvibe.triggers.types import Trigger

KIND = TriggerKind.MILESTONE

_Score = Annotated[StrictInt, Field(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)]
_THRESHOLD = "The score to reach: it comes from below to this or beyond."


class MilestoneFields(MailedFields):
    """Fields of a milestone trigger to change; those left out stay as they are."""

    event_type: AnyType = Field(
        LEFT_OUT, description="Only events of this type count as the step; * for any."
    )
    score_threshold: _Score = Field(LEFT_OUT, description=_THRESHOLD)
    ruleset_id: UUID | None = Field(
        LEFT_OUT, description="Whose score; null for the primary ruleset."
    )


class NewMilestone(MilestoneFields):
    """Fires when a lead's score reaches a threshold."""

    score_threshold: _Score = Field(description=_THRESHOLD)


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneItem(MailedItem):
    event_type: str
    score_threshold: int
    ruleset_id: UUID | None


def list_triggers(principal: Principal) -> list[MilestoneItem]:
    """All milestone triggers of the unit, by name."""
    return [_item(principal.scope, it) for it in queries.list_triggers(principal.scope, KIND)]


def get_trigger(principal: Principal, trigger_id: TriggerId) -> MilestoneItem:
    """A milestone trigger, in the state that its etag names."""
    return _item(principal.scope, queries.get_trigger(principal.scope, KIND, trigger_id))


def create_trigger(principal: Principal, body: NewMilestone) -> MilestoneItem:
    """Make a milestone trigger; scores that rise from now on are held against it."""
    scope = principal.scope
    made = service.create_trigger(principal, scope, KIND, read(body), now=utc_now())
    return _item(scope, made)


def update_trigger(
    principal: Principal, trigger_id: TriggerId, body: MilestoneFields
) -> MilestoneItem:
    """Change a milestone trigger; with another score or other filters it starts anew."""
    scope = principal.scope
    changed = service.update_trigger(principal, scope, KIND, trigger_id, read(body), now=utc_now())
    return _item(scope, changed)


def delete_trigger(principal: Principal, trigger_id: TriggerId) -> None:
    """Delete a milestone trigger; what it emitted stays."""
    service.delete_trigger(principal.scope, KIND, trigger_id)


def simulate_trigger(
    principal: Principal, trigger_id: TriggerId, body: SimulationQuestion
) -> SimulationResult:
    """For whom it would have fired lately, or whether for one lead. Nothing is sent."""
    trigger = queries.get_trigger(principal.scope, KIND, trigger_id)
    return simulated(principal.scope, trigger, body)


def read(body: MilestoneFields) -> dict[str, Any]:
    """Return what was sent as the service calls it."""
    return stored(body)


def _item(scope: Scope, trigger: Trigger) -> MilestoneItem:
    assert isinstance(trigger.shape, Milestone)
    return MilestoneItem(
        event_type=shown_type(trigger.shape.event_type),
        score_threshold=trigger.shape.score_threshold,
        ruleset_id=trigger.shape.ruleset_id,
        **with_mail(scope, trigger),
    )
