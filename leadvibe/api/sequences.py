"""Sequence triggers: a lead takes several steps within a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from leadvibe.api import trigger_acts
from leadvibe.api.fields import LEFT_OUT
from leadvibe.api.simulations import SimulationQuestion, SimulationResult
from leadvibe.api.trigger_fields import (
    MailedFields,
    MailedItem,
    StepType,
    Tests,
    TriggerFilterItem,
    TriggerId,
    Window,
    shown_tests,
    shown_type,
    stored,
    tests_of,
    with_mail,
)
from leadvibe.engine.triggers import Sequence, Step, TriggerKind
from leadvibe.identity.types import Principal, Scope
from leadvibe.triggers.checks import MOST_STEPS
from leadvibe.triggers.types import Trigger, WindowUnit

KIND = TriggerKind.SEQUENCE

_WINDOW = "Within how many seconds all steps are taken, 90 days at most."


class SequenceStep(BaseModel):
    """An event of a type that meets all filters."""

    event_type: StepType = Field(description="By exact type; * for any.")
    filters: Tests = Field(default_factory=list, description="Conditions on its metadata.")


class SequenceFields(MailedFields):
    """Fields of a sequence trigger to change; those left out stay as they are."""

    event_types: Annotated[list[StepType], Field(min_length=1, max_length=MOST_STEPS)] = Field(
        LEFT_OUT, description="The steps, as event types: a short way of saying event_steps."
    )
    event_steps: Annotated[list[SequenceStep], Field(min_length=1, max_length=MOST_STEPS)] = Field(
        LEFT_OUT, description="The steps, each of which needs an event of its own."
    )
    window_seconds: Window = Field(LEFT_OUT, description=_WINDOW)
    window_unit: WindowUnit = Field(LEFT_OUT, description="In which unit people see the window.")
    ordered: StrictBool = Field(LEFT_OUT, description="Whether steps come in their order.")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        both = {"event_types", "event_steps"} <= self.model_fields_set
        if both and self.event_types != [step.event_type for step in self.event_steps]:
            raise PydanticCustomError(
                "disagree", "says something else than event_steps: give one of them",
                {"field": "event_types"},
            )  # fmt: skip
        return self


class NewSequence(SequenceFields):
    """Fires when a lead has taken all steps within the window."""

    window_seconds: Window = Field(description=_WINDOW)

    @model_validator(mode="after")
    def _has_steps(self) -> Self:
        if not {"event_types", "event_steps"} & self.model_fields_set:
            raise PydanticCustomError(
                "missing_steps", "is missing: give it, or event_steps", {"field": "event_types"}
            )
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceStepItem:
    event_type: str
    filters: list[TriggerFilterItem]


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceItem(MailedItem):
    window_seconds: int
    window_unit: WindowUnit
    event_types: list[str]
    event_steps: list[SequenceStepItem]
    ordered: bool


def list_sequences(principal: Principal) -> list[SequenceItem]:
    """All sequence triggers of the unit, by name."""
    return trigger_acts.listed(principal, KIND, _item)


def get_sequence(principal: Principal, trigger_id: TriggerId) -> SequenceItem:
    """A sequence trigger, in the state that its etag names."""
    return trigger_acts.found(principal, KIND, trigger_id, _item)


def create_sequence(principal: Principal, body: NewSequence) -> SequenceItem:
    """Make a sequence trigger. Without a webhook_url it needs another destination."""
    return trigger_acts.created(principal, KIND, read(body), _item)


def update_sequence(
    principal: Principal, trigger_id: TriggerId, body: SequenceFields
) -> SequenceItem:
    """Change a sequence trigger; with other steps or filters it starts anew."""
    return trigger_acts.changed(principal, KIND, trigger_id, read(body), _item)


def delete_sequence(principal: Principal, trigger_id: TriggerId) -> None:
    """Delete a sequence trigger; what it emitted stays."""
    trigger_acts.deleted(principal, KIND, trigger_id)


def simulate_sequence(
    principal: Principal, trigger_id: TriggerId, body: SimulationQuestion
) -> SimulationResult:
    """For whom it would have fired lately, or whether for one lead. Nothing is sent."""
    return trigger_acts.tried(principal, KIND, trigger_id, body)


def read(body: SequenceFields) -> dict[str, Any]:
    """Return what was sent as the service calls it."""
    given = stored(body)
    event_types, event_steps = given.pop("event_types", None), given.pop("event_steps", None)
    if event_steps:
        given["steps"] = tuple(Step(it.event_type, tests_of(it.filters)) for it in body.event_steps)
    elif event_types:
        given["steps"] = tuple(Step(it) for it in event_types)
    return given


def _item(scope: Scope, trigger: Trigger) -> SequenceItem:
    assert isinstance(trigger.shape, Sequence)
    steps = [
        SequenceStepItem(event_type=shown_type(it.event_type), filters=shown_tests(it.tests))
        for it in trigger.shape.steps
    ]
    return SequenceItem(
        event_types=[step.event_type for step in steps],
        event_steps=steps,
        window_seconds=trigger.shape.window_seconds,
        window_unit=WindowUnit(trigger.window_unit),
        ordered=trigger.shape.ordered,
        **with_mail(scope, trigger),
    )
