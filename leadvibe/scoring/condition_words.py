"""Conditions over properties in words, as pages say and read them, and summaries. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType

from leadvibe.engine.conditions import ConditionError, Operator, as_number, parse_operator
from leadvibe.engine.policies import FieldTest
from leadvibe.engine.times import as_time

OPERATOR_LABELS: Mapping[Operator, str] = MappingProxyType({
    Operator.EQUALS: "is",
    Operator.NOT_EQUALS: "is not",
    Operator.CONTAINS: "contains",
    Operator.NOT_CONTAINS: "does not contain",
    Operator.STARTS_WITH: "starts with",
    Operator.ENDS_WITH: "ends with",
    Operator.GT: "is more than",
    Operator.GTE: "is at least",
    Operator.LT: "is less than",
    Operator.LTE: "is at most",
    Operator.BEFORE: "is before",
    Operator.AFTER: "is after",
    Operator.IN: "is one of",
    Operator.NOT_IN: "is none of",
    Operator.EXISTS: "is not empty",
    Operator.NOT_EXISTS: "is empty",
})  # fmt: skip


_OF_NUMBERS = frozenset({Operator.GT, Operator.GTE, Operator.LT, Operator.LTE})
_OF_TIMES = frozenset({Operator.BEFORE, Operator.AFTER})
_OF_LISTS = frozenset({Operator.IN, Operator.NOT_IN})


def hint_of(operator: Operator) -> str:
    """Say what the operator compares with."""
    if operator in _OF_LISTS:
        return "Values, with commas between"
    if operator in _OF_TIMES:
        return "Day"
    return "Number" if operator in _OF_NUMBERS else "Value"


def misfit(operator: Operator, value: str) -> str:
    """Say what to give instead of a value that nothing could ever meet; empty for any other."""
    if operator in _OF_NUMBERS and as_number(value) is None:
        return "Give a number, such as 50."
    if operator in _OF_TIMES and as_time(value) is None:
        return "Give a day such as 2026-03-10, or a time such as 2026-03-10T15:30Z."
    return ""


def words_of_test(test: FieldTest) -> str:
    """Say what a property must say, as the form offers it."""
    try:
        operator = parse_operator(test.operator)
    except ConditionError:
        return f"{test.key} {test.operator} {spell(test.value)}".strip()
    value = "" if operator.affirmative is Operator.EXISTS else spell(test.value)
    return f"{test.key} {OPERATOR_LABELS[operator]} {value}".strip()


def spell(value: object) -> str:
    """Write a rule's value as the form takes it: lists with commas, or as JSON when they have any.

    Read back by engine.conditions, it means the same.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list) and all(_is_plain(each) for each in value):
        return ", ".join(spell(each) for each in value)
    return json.dumps(value, ensure_ascii=False)


def _is_plain(value: object) -> bool:
    if not isinstance(value, str):
        return not isinstance(value, list | dict)
    return value == value.strip() != "" and "," not in value and not value.startswith("[")
