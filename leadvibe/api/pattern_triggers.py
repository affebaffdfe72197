"""Pattern triggers: enough events of several kinds within one window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field

from leadvibe.api import trigger_acts
from leadvibe.api.fields import LEFT_OUT
from leadvibe.api.metadata_filters import storable_value
from leadvibe.api.simulations import SimulationQuestion, SimulationResult
from leadvibe.api.trigger_fields import (
    MailedFields,
    MailedItem,
    StepType,
    Tests,
    Threshold,
    TriggerFilterItem,
    TriggerId,
    Window,
    shown_tests,
    shown_type,
    stored,
    tests_of,
    with_mail,
)
from leadvibe.engine.conditions import Operator
from leadvibe.engine.policies import FieldTest
from leadvibe.engine.triggers import Count, Pattern, Step, TriggerKind
from leadvibe.identity.types import Principal, Scope
from leadvibe.triggers.checks import MOST_STEPS, MOST_TESTS
from leadvibe.triggers.types import Trigger, WindowUnit

KIND = TriggerKind.PATTERN

_WINDOW = "How long the rolling window is in seconds, 90 days at most."
_CONDITIONS = (
    "What is counted; all conditions hold within one window. An event may count for several."
)


class PatternCondition(BaseModel):
    """At least so many events of a type that meet all filters."""

    event_type: StepType = Field(description="By exact type; * for any.")
    min_count: Threshold = Field(1, description="How many at least.")
    metadata: Annotated[
        dict[str, Any], Field(max_length=MOST_TESTS), AfterValidator(storable_value)
    ] = Field(default_factory=dict, description="Properties that equal these values.")
    filters: Tests = Field(default_factory=list, description="Conditions on its metadata.")


_Conditions = Annotated[list[PatternCondition], Field(min_length=1, max_length=MOST_STEPS)]


class PatternFields(MailedFields):
    """Fields of a pattern trigger to change; those left out stay as they are."""

    window_seconds: Window = Field(LEFT_OUT, description=_WINDOW)
    window_unit: WindowUnit = Field(LEFT_OUT, description="In which unit people see the window.")
    conditions: _Conditions = Field(LEFT_OUT, description=_CONDITIONS)


class NewPattern(PatternFields):
    """Fires when a lead has done enough of several things within the window."""

    window_seconds: Window = Field(description=_WINDOW)
    conditions: _Conditions = Field(description=_CONDITIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternConditionItem:
    event_type: str
    min_count: int
    metadata: dict[str, Any]
    filters: list[TriggerFilterItem]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternItem(MailedItem):
    window_seconds: int
    window_unit: WindowUnit
    conditions: list[PatternConditionItem]


def list_triggers(principal: Principal) -> list[PatternItem]:
    """All pattern triggers of the unit, by name."""
    return trigger_acts.listed(principal, KIND, _item)


def get_trigger(principal: Principal, trigger_id: TriggerId) -> PatternItem:
    """A pattern trigger, in the state that its etag names."""
    return trigger_acts.found(principal, KIND, trigger_id, _item)


def create_trigger(principal: Principal, body: NewPattern) -> PatternItem:
    """Make a pattern trigger; it hears of events that come from now on."""
    return trigger_acts.created(principal, KIND, read(body), _item)


def update_trigger(principal: Principal, trigger_id: TriggerId, body: PatternFields) -> PatternItem:
    """Change a pattern trigger; with other conditions or filters it starts anew."""
    return trigger_acts.changed(principal, KIND, trigger_id, read(body), _item)


def delete_trigger(principal: Principal, trigger_id: TriggerId) -> None:
    """Delete a pattern trigger; what it emitted stays."""
    trigger_acts.deleted(principal, KIND, trigger_id)


def simulate_trigger(
    principal: Principal, trigger_id: TriggerId, body: SimulationQuestion
) -> SimulationResult:
    """For whom it would have fired lately, or whether for one lead. Nothing is sent."""
    return trigger_acts.tried(principal, KIND, trigger_id, body)


def read(body: PatternFields) -> dict[str, Any]:
    """Return what was sent as the service calls it."""
    given = stored(body)
    if given.pop("conditions", None) is not None:
        given["counts"] = tuple(_count(it) for it in body.conditions)
    return given


def _count(condition: PatternCondition) -> Count:
    equal = (FieldTest(key, Operator.EQUALS, value) for key, value in condition.metadata.items())
    tests = (*tests_of(condition.filters), *equal)
    return Count(Step(condition.event_type, tests), condition.min_count)


def _item(scope: Scope, trigger: Trigger) -> PatternItem:
    assert isinstance(trigger.shape, Pattern)
    return PatternItem(
        window_seconds=trigger.shape.window_seconds,
        window_unit=WindowUnit(trigger.window_unit),
        conditions=[_shown(count) for count in trigger.shape.counts],
        **with_mail(scope, trigger),
    )


def _shown(count: Count) -> PatternConditionItem:
    """Show what equals a value as `metadata`, so that what is answered means itself when sent."""
    tests = {it.key: it for it in count.step.tests if it.operator == Operator.EQUALS}
    return PatternConditionItem(
        event_type=shown_type(count.step.event_type),
        min_count=count.min_count,
        metadata={key: test.value for key, test in tests.items()},
        filters=shown_tests(_others(count.step.tests, tests)),
    )


def _others(tests: tuple[FieldTest, ...], shown: dict[str, FieldTest]) -> Iterator[FieldTest]:
    return (it for it in tests if shown.get(it.key) is not it)
