"""The rows of a trigger's form: its steps and conditions, read, rearranged and judged.

The form sends them as `steps-0-event_type`, `steps-0-conditions-1-key`, `conditions-0-key` and so
on, in their order. What is written stays text, right or wrong, until it is saved.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from leadvibe.engine.conditions import ConditionError, Operator, parse_operator
from leadvibe.engine.policies import FieldTest
from leadvibe.engine.triggers import ANY_TYPE, Count, Pattern, Sequence, Step
from leadvibe.scoring.condition_words import misfit, spell
from leadvibe.triggers.checks import MOST_EVENTS, MOST_STEPS, MOST_TESTS
from leadvibe.triggers.types import Setup
from leadvibe.web.trigger_words import WITHOUT_VALUE

ANY_WORD = "*"
"""How any event is written where something must be."""
LONGEST_TYPE = 200
LONGEST_KEY = 1_000
LONGEST_VALUE = 4_000
_LARGEST_DIGITS = len(str(MOST_EVENTS))

Errors = dict[str, str]
"""What is wrong, by the name of the control it is wrong in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionInput:
    """A condition as the form has it; `is_of_profile` is where clients keep it, no more."""

    key: str = ""
    operator: Operator = Operator.EQUALS
    value: str = ""
    is_of_profile: bool = False

    @property
    def needs_value(self) -> bool:
        return self.operator not in WITHOUT_VALUE

    @property
    def is_blank(self) -> bool:
        return not self.key and not self.value and self.needs_value


@dataclass(frozen=True, slots=True, kw_only=True)
class StepInput:
    event_type: str = ""
    min_count: str = "1"
    conditions: tuple[ConditionInput, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """`conditions` are about the lead, those of steps about the event's metadata."""

    steps: tuple[StepInput, ...] = ()
    conditions: tuple[ConditionInput, ...] = ()


def rows_of(setup: Setup) -> Rows:
    """Return the rows that show a trigger as it is stored."""
    filters = setup.filters
    steps: tuple[StepInput, ...] = ()
    if isinstance(setup.shape, Sequence):
        steps = tuple(_step_input(it, 1) for it in setup.shape.steps)
    elif isinstance(setup.shape, Pattern):
        steps = tuple(_step_input(it.step, it.min_count) for it in setup.shape.counts)
    of_profile = (replace(_condition_input(it), is_of_profile=True) for it in filters.profile_tests)
    others = map(_condition_input, filters.attribute_tests)
    return Rows(steps=steps, conditions=(*of_profile, *others))


def rows_of_tests(tests: Iterable[FieldTest]) -> Rows:
    """Return the rows that show conditions alone."""
    return Rows(conditions=tuple(map(_condition_input, tests)))


def _step_input(step: Step, min_count: int) -> StepInput:
    return StepInput(
        event_type=ANY_WORD if step.event_type == ANY_TYPE else step.event_type,
        min_count=str(min_count),
        conditions=tuple(map(_condition_input, step.tests)),
    )


def _condition_input(test: FieldTest) -> ConditionInput:
    return ConditionInput(
        key=test.key.strip(), operator=_operator(test.operator), value=spell(test.value).strip()
    )


def read_rows(form: Mapping[str, str]) -> Rows:
    """Read the rows that a form has sent; an operator that it does not offer becomes the first."""
    return Rows(steps=tuple(_read_steps(form)), conditions=tuple(_read_conditions(form, "")))


def _read_steps(form: Mapping[str, str]) -> Iterator[StepInput]:
    for place in range(MOST_STEPS):
        prefix = f"steps-{place}-"
        if f"{prefix}event_type" in form:
            yield StepInput(
                event_type=form[f"{prefix}event_type"].strip(),
                min_count=form.get(f"{prefix}min_count", "1").strip(),
                conditions=tuple(_read_conditions(form, prefix)),
            )


def _read_conditions(form: Mapping[str, str], prefix: str) -> Iterator[ConditionInput]:
    for place in range(MOST_TESTS):
        start = f"{prefix}conditions-{place}-"
        if f"{start}key" in form:
            yield ConditionInput(
                key=form[f"{start}key"].strip(),
                operator=_operator(form.get(f"{start}operator", "")),
                value=form.get(f"{start}value", "").strip(),
                is_of_profile=bool(form.get(f"{start}of_profile")),
            )


def _operator(text: str) -> Operator:
    try:
        return parse_operator(text)
    except ConditionError:
        return Operator.EQUALS


def rearranged(rows: Rows, action: str) -> Rows:
    """Do what a button of the form says: "add-step", "up:2", "remove-condition:0:1" and so on.

    Does nothing for other words, or where there is no such row.
    """
    verb, *numbers = action.split(":")
    places = tuple(int(it) for it in numbers if it.isdecimal() and len(it) <= _LARGEST_DIGITS)
    change = _CHANGES.get((verb, len(places)))
    if change is None or len(places) != len(numbers):
        return rows
    try:
        return change(rows, *places)
    except IndexError:
        return rows


def focus_after(rows: Rows, action: str) -> str:
    """Return what a button leads to: the control it added, or the button of the step it moved."""
    verb, _, number = action.partition(":")
    if verb in {"up", "down"}:
        return _button_of_moved(rows, verb, number)
    if verb == "add-step" and rows.steps:
        return f"steps-{len(rows.steps) - 1}-event_type"
    if verb != "add-condition":
        return ""
    if not number:
        return f"conditions-{len(rows.conditions) - 1}-key"
    if not number.isdecimal() or int(number) >= len(rows.steps):
        return ""
    return f"steps-{number}-conditions-{len(rows.steps[int(number)].conditions) - 1}-key"


def _button_of_moved(rows: Rows, verb: str, number: str) -> str:
    """Return the same button where the step is now or, at the end of the list, the other one."""
    if not number.isdecimal() or len(number) > _LARGEST_DIGITS:
        return ""
    place = int(number) + (1 if verb == "down" else -1)
    if place == 0:
        return "down:0"
    return f"up:{place}" if place >= len(rows.steps) - 1 else f"{verb}:{place}"


def _add_step(rows: Rows) -> Rows:
    return replace(rows, steps=(*rows.steps, StepInput())[:MOST_STEPS])


def _remove_step(rows: Rows, place: int) -> Rows:
    return replace(rows, steps=_without(rows.steps, place))


def _move_up(rows: Rows, place: int) -> Rows:
    return _move_down(rows, place - 1) if place else rows


def _move_down(rows: Rows, place: int) -> Rows:
    steps = list(rows.steps)
    steps[place], steps[place + 1] = steps[place + 1], steps[place]
    return replace(rows, steps=tuple(steps))


def _add_condition(rows: Rows) -> Rows:
    return replace(rows, conditions=(*rows.conditions, ConditionInput())[:MOST_TESTS])


def _remove_condition(rows: Rows, place: int) -> Rows:
    return replace(rows, conditions=_without(rows.conditions, place))


def _add_to_step(rows: Rows, place: int) -> Rows:
    step = rows.steps[place]
    return _with_step(rows, place, (*step.conditions, ConditionInput())[:MOST_TESTS])


def _remove_from_step(rows: Rows, place: int, which: int) -> Rows:
    return _with_step(rows, place, _without(rows.steps[place].conditions, which))


def _with_step(rows: Rows, place: int, conditions: tuple[ConditionInput, ...]) -> Rows:
    steps = list(rows.steps)
    steps[place] = replace(steps[place], conditions=conditions)
    return replace(rows, steps=tuple(steps))


def _without(items: tuple[Any, ...], place: int) -> tuple[Any, ...]:
    return items[:place] + items[place + 1 :]


_CHANGES: Mapping[tuple[str, int], Callable[..., Rows]] = {
    ("add-step", 0): _add_step,
    ("remove-step", 1): _remove_step,
    ("up", 1): _move_up,
    ("down", 1): _move_down,
    ("add-condition", 0): _add_condition,
    ("remove-condition", 1): _remove_condition,
    ("add-condition", 1): _add_to_step,
    ("remove-condition", 2): _remove_from_step,
}


def without_blanks(rows: Rows) -> Rows:
    """Drop conditions that nobody has begun to fill in."""
    return Rows(
        steps=tuple(replace(it, conditions=_filled(it.conditions)) for it in rows.steps),
        conditions=_filled(rows.conditions),
    )


def _filled(conditions: Iterable[ConditionInput]) -> tuple[ConditionInput, ...]:
    return tuple(it for it in conditions if not it.is_blank)


def judged(rows: Rows, *, has_counts: bool) -> Errors:
    """Return what is missing or cannot be; what makes sense together, triggers.service decides."""
    errors: Errors = {}
    for place, step in enumerate(rows.steps):
        prefix = f"steps-{place}-"
        if problem := _find_type_problem(step.event_type):
            errors[f"{prefix}event_type"] = problem
        if has_counts and _count_of(step) is None:
            errors[f"{prefix}min_count"] = f"Give a number from 1 to {MOST_EVENTS:,}."
        errors |= _judged_conditions(step.conditions, prefix)
    return errors | _judged_conditions(rows.conditions, "")


def _find_type_problem(text: str) -> str | None:
    if not text:
        return "Name an event type, or write * for any."
    if len(text) > LONGEST_TYPE:
        return f"Use at most {LONGEST_TYPE} characters."
    return None if text.isprintable() else "Leave out line breaks and control characters."


def _judged_conditions(conditions: Iterable[ConditionInput], prefix: str) -> Errors:
    errors: Errors = {}
    for place, condition in enumerate(conditions):
        for name, problem in _problems(condition):
            errors[f"{prefix}conditions-{place}-{name}"] = problem
    return errors


def _problems(condition: ConditionInput) -> Iterator[tuple[str, str]]:
    if not condition.key:
        yield "key", "Name the property."
    elif len(condition.key) > LONGEST_KEY:
        yield "key", f"Use at most {LONGEST_KEY:,} characters."
    if not condition.needs_value:
        return
    if not condition.value:
        yield "value", "Give a value, or choose “is empty”."
    elif len(condition.value) > LONGEST_VALUE:
        yield "value", f"Use at most {LONGEST_VALUE:,} characters."
    elif problem := misfit(condition.operator, condition.value):
        yield "value", problem


def _count_of(step: StepInput) -> int | None:
    text = step.min_count
    count = int(text) if text.isdecimal() and len(text) <= _LARGEST_DIGITS else 0
    return count if 1 <= count <= MOST_EVENTS else None


class Kept:
    """The conditions that are stored, so that one that nobody touched stays exactly as it is."""

    def __init__(self, tests: Iterable[FieldTest]) -> None:
        self._tests = {_key(_condition_input(it)): it for it in tests}

    def tests_of(self, conditions: Iterable[ConditionInput]) -> tuple[FieldTest, ...]:
        return tuple(self._tests.get(_key(it)) or _test(it) for it in conditions)


def _key(condition: ConditionInput) -> tuple[str, str, str]:
    return condition.key, condition.operator, condition.value


def _test(condition: ConditionInput) -> FieldTest:
    value = condition.value if condition.needs_value else None
    return FieldTest(condition.key, condition.operator.value, value)


def tests_in(setup: Setup | None) -> Kept:
    """Return the conditions of a trigger, wherever they stand; none for a new one."""
    if setup is None:
        return Kept(())
    steps: tuple[Step, ...] = ()
    if isinstance(setup.shape, Sequence):
        steps = setup.shape.steps
    elif isinstance(setup.shape, Pattern):
        steps = tuple(it.step for it in setup.shape.counts)
    of_steps = (test for step in steps for test in step.tests)
    return Kept((*of_steps, *setup.filters.profile_tests, *setup.filters.attribute_tests))


def steps_of(rows: Rows, kept: Kept) -> tuple[Step, ...]:
    return tuple(_step(it, kept) for it in rows.steps)


def counts_of(rows: Rows, kept: Kept) -> tuple[Count, ...]:
    return tuple(Count(_step(it, kept), _count_of(it) or 1) for it in rows.steps)


def _step(step: StepInput, kept: Kept) -> Step:
    event_type = ANY_TYPE if step.event_type in {ANY_WORD, "any"} else step.event_type
    return Step(event_type, kept.tests_of(step.conditions))


def lead_tests_of(rows: Rows, kept: Kept) -> dict[str, tuple[FieldTest, ...]]:
    """Return the conditions about leads as triggers.service calls them."""
    of_profile = [it for it in rows.conditions if it.is_of_profile]
    others = [it for it in rows.conditions if not it.is_of_profile]
    return {"profile_tests": kept.tests_of(of_profile), "attribute_tests": kept.tests_of(others)}


_OF_STEP = re.compile(r"(?:event_steps|conditions)\.(\d+)\.filters\.(\d+)\.(\w+)")
_OF_LEAD = re.compile(r"(profile_filters|lead_attribute_filters)\.(\d+)\.(\w+)")
_PART = {"field": "key"}


def control_of(field: str, rows: Rows) -> str:
    """Return the name of the control that a field of triggers.service is filled in with."""
    if found := _OF_STEP.fullmatch(field):
        step, place, part = found.groups()
        return f"steps-{step}-conditions-{place}-{_PART.get(part, part)}"
    if found := _OF_LEAD.fullmatch(field):
        name, place, part = found.groups()
        is_of_profile = name == "profile_filters"
        own = [n for n, it in enumerate(rows.conditions) if it.is_of_profile == is_of_profile]
        return f"conditions-{own[int(place)]}-{_PART.get(part, part)}"
    return field.partition(".")[0]
