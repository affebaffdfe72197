"""Milestone triggers: a lead's score reaches a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StrictInt

from leadvibe.api import trigger_acts
from leadvibe.api.fields import LARGEST_INTEGER, LEFT_OUT
from leadvibe.api.simulations import SimulationQuestion, SimulationResult
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
    return trigger_acts.listed(principal, KIND, _item)


def get_trigger(principal: Principal, trigger_id: TriggerId) -> MilestoneItem:
    """A milestone trigger, in the state that its etag names."""
    return trigger_acts.found(principal, KIND, trigger_id, _item)


def create_trigger(principal: Principal, body: NewMilestone) -> MilestoneItem:
    """Make a milestone trigger; scores that rise from now on are held against it."""
    return trigger_acts.created(principal, KIND, read(body), _item)


def update_trigger(
    principal: Principal, trigger_id: TriggerId, body: MilestoneFields
) -> MilestoneItem:
    """Change a milestone trigger; with another score or other filters it starts anew."""
    return trigger_acts.changed(principal, KIND, trigger_id, read(body), _item)


def delete_trigger(principal: Principal, trigger_id: TriggerId) -> None:
    """Delete a milestone trigger; what it emitted stays."""
    trigger_acts.deleted(principal, KIND, trigger_id)


def simulate_trigger(
    principal: Principal, trigger_id: TriggerId, body: SimulationQuestion
) -> SimulationResult:
    """For whom it would have fired lately, or whether for one lead. Nothing is sent."""
    return trigger_acts.tried(principal, KIND, trigger_id, body)


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
