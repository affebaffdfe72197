"""What a condition means: operators over values, the same everywhere.

Values are JSON. A property is reached by its dotted path through nested objects; a key spelled
with the dots wins. Its *atoms* are itself or, for a list, its elements; lists inside lists,
objects and null are no atoms. A condition holds when any atom meets it, and every `not_` operator
is the exact opposite of its counterpart, so a lead without the property meets it.

Text compares without regard to case (Unicode simple case folding, and "İ" as "i"; no accents are
dropped, nothing is normalised). A number is written in plain decimals without trailing zeros, a
boolean as "true" or "false". Numbers are JSON numbers and texts of at most 100 characters such as
"42", " -1.5 " or "6e3" (exponent of three digits at most). `equals` and `in` compare numbers by
their exact value and never with other text; `gt` and its kin never match anything but numbers,
`before` and `after` nothing but times (see times): a day as a whole, so that `after` begins with
the next one.

Does not know where documents come from; segments.sql says the same in SQL.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property, reduce
from itertools import groupby
from json import loads
from typing import Final, Generic, TypeVar

from leadvibe.engine.letters import fold_case
from leadvibe.engine.times import as_time, last_instant

Term = TypeVar("Term")

NUMBER_PATTERN: Final = (
    "^[ \t\n\r\f\v]*[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,3})?[ \t\n\r\f\v]*$"
)
"""A number written as text, spelled so that Python and PostgreSQL read it alike."""

MAX_NUMBER_LENGTH: Final = 100
"""Longer texts are no numbers; with the exponent's limit no database overflows on the others."""

MAX_CLAUSES: Final = 50
"""More than anyone reads, and as many as SQL can nest when AND and OR take turns."""

_MAX_KEYS: Final = 32  # No profile nests deeper, and the SQL of a path nests once per key.
_NUMBER: Final = re.compile(NUMBER_PATTERN)
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")  # No database text can hold these.


class ConditionError(ValueError):
    """A condition that means nothing; the message says what to write instead."""


class Operator(StrEnum):
    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    BEFORE = "before"
    AFTER = "after"
    IN = "in"
    NOT_IN = "not_in"
    EXISTS = "exists"
    NOT_EXISTS = "not_exists"

    @property
    def affirmative(self) -> Operator:
        """The operator that this one denies, or itself."""
        return _DENIED.get(self, self)


_DENIED: Final = {
    Operator.NOT_EQUALS: Operator.EQUALS,
    Operator.NOT_CONTAINS: Operator.CONTAINS,
    Operator.NOT_IN: Operator.IN,
    Operator.NOT_EXISTS: Operator.EXISTS,
}

_SPELLINGS: Final = {operator.value: operator for operator in Operator} | {
    "eq": Operator.EQUALS,
    "=": Operator.EQUALS,
    "==": Operator.EQUALS,
    "neq": Operator.NOT_EQUALS,
    "!=": Operator.NOT_EQUALS,
    "<>": Operator.NOT_EQUALS,
    "does_not_equal": Operator.NOT_EQUALS,
    "does_not_contain": Operator.NOT_CONTAINS,
    "greater_than": Operator.GT,
    ">": Operator.GT,
    "greater_than_or_equal": Operator.GTE,
    ">=": Operator.GTE,
    "≥": Operator.GTE,
    "less_than": Operator.LT,
    "<": Operator.LT,
    "less_than_or_equal": Operator.LTE,
    "<=": Operator.LTE,
    "≤": Operator.LTE,
    "is_not_empty": Operator.EXISTS,
    "is_empty": Operator.NOT_EXISTS,
}


def parse_operator(text: str) -> Operator:
    """Read any accepted spelling, whatever its case, with spaces or hyphens for underscores."""
    word = re.sub(r"[\s_-]+", "_", text.strip().lower())
    operator = _SPELLINGS.get(word)
    if operator is None:
        accepted = ", ".join(_SPELLINGS)
        raise ConditionError(f"unknown operator {text!r}: use one of {accepted}")
    return operator


@dataclass(frozen=True)
class Condition:
    """One operator over one property.

    `value` is text, a number or a boolean; for `in` and `not_in` a list of them or a text with
    commas; ignored by `exists` and `not_exists`. Raises ConditionError on anything else.
    """

    field: str
    operator: Operator
    value: object = None

    def __post_init__(self) -> None:
        _check_field(self.field)
        object.__setattr__(self, "value", _checked_value(self.field, self.operator, self.value))

    @property
    def keys(self) -> tuple[str, ...]:
        """The dotted path, key by key."""
        return tuple(self.field.split("."))

    @cached_property
    def text(self) -> str:
        """The value as folded text."""
        return as_text(self.value) or ""

    @cached_property
    def number(self) -> Decimal | None:
        """The value as a number, None when it is none."""
        return as_number(self.value)

    @cached_property
    def bound(self) -> datetime | None:
        """The value as a time, the first or last of a day; None when it is none."""
        return last_instant(self.value) if self.operator is Operator.AFTER else as_time(self.value)

    @cached_property
    def numbers(self) -> frozenset[Decimal]:
        """Those of the values that are numbers."""
        return frozenset(n for n in map(as_number, self._values) if n is not None)

    @cached_property
    def texts(self) -> frozenset[str]:
        """Those of the values that are not numbers, as folded text."""
        return frozenset(as_text(v) or "" for v in self._values if as_number(v) is None)

    @property
    def _values(self) -> tuple[object, ...]:
        return self.value if isinstance(self.value, tuple) else (self.value,)


def holds(condition: Condition, document: Mapping[str, object]) -> bool:
    """Say whether the document meets the condition."""
    value = find_value(document, condition.field)
    affirmative = condition.operator.affirmative
    if affirmative is Operator.EXISTS:
        met = not is_empty(value)
    else:
        test = _TESTS[affirmative]
        met = any(test(condition, atom) for atom in _atoms(value))
    return met is (affirmative is condition.operator)


def find_value(document: Mapping[str, object], field: str) -> object:
    """Return the property at a dotted path; None when it is missing, as when it is null."""
    if field in document:
        return document[field]
    if "." not in field:
        return None
    value: object = document
    for key in field.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def is_empty(value: object) -> bool:
    """Say whether nothing is there: missing, null, "", [] or {}. Zero and false are something."""
    return value is None or (isinstance(value, str | list | tuple | Mapping) and not value)


def as_number(value: object) -> Decimal | None:
    """Return the exact value of a number or of a text that reads as one."""
    if isinstance(value, str):
        is_number = len(value) <= MAX_NUMBER_LENGTH and _NUMBER.match(value)
        return Decimal(value) if is_number else None
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        # The shortest spelling is what JSON carries; the binary value would differ from it.
        return Decimal(repr(value)) if math.isfinite(value) else None
    if isinstance(value, int):
        return Decimal(value)
    return value if isinstance(value, Decimal) and value.is_finite() else None


def as_text(value: object) -> str | None:
    """Write text, a number or a boolean as folded text; None for anything else."""
    if isinstance(value, str):
        return fold_case(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    number = as_number(value)
    return None if number is None else _plain(number)


def _check_field(field: str) -> None:
    if not field.strip():
        raise ConditionError("a condition needs a field: name the property to look at")
    if _UNSTORABLE.search(field):
        raise ConditionError(f"the field {field!r} has characters that no property can have")
    if field.count(".") >= _MAX_KEYS:
        raise ConditionError(f"the field {field!r} is too deep: use at most {_MAX_KEYS} keys")


def _checked_value(field: str, operator: Operator, value: object) -> object:
    if operator.affirmative is Operator.EXISTS:
        return None
    if operator.affirmative is not Operator.IN:
        return _checked_scalar(field, operator, value)
    values = _listed(value)
    if not values:
        raise ConditionError(f"{operator} on {field!r} needs at least one value")
    return tuple(_checked_scalar(field, operator, each) for each in values)


def _checked_scalar(field: str, operator: Operator, value: object) -> object:
    if as_text(value) is None:
        raise ConditionError(f"{operator} on {field!r} needs text, a number, true or false")
    if isinstance(value, str) and _UNSTORABLE.search(value):
        raise ConditionError(f"the value of {field!r} has characters that no property can have")
    return value


def _listed(value: object) -> tuple[object, ...]:
    """Read a list, one value, or text such as `a, b` or `["a", "b"]`."""
    if isinstance(value, list | tuple):
        return tuple(value)
    if not isinstance(value, str):
        return (value,)
    text = value.strip()
    if text.startswith("[") and text.endswith("]"):
        try:
            return tuple(loads(text))
        except (ValueError, RecursionError):
            text = text[1:-1]
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _atoms(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else (value,)


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _is_among(condition: Condition, atom: object) -> bool:
    number = as_number(atom)
    if number is None:
        return as_text(atom) in condition.texts
    return number in condition.numbers


def _comparing_text(compare: Callable[[str, str], bool]) -> Callable[[Condition, object], bool]:
    def test(condition: Condition, atom: object) -> bool:
        text = as_text(atom)
        return text is not None and compare(text, condition.text)

    return test


def _comparing_numbers(
    compare: Callable[[Decimal, Decimal], bool],
) -> Callable[[Condition, object], bool]:
    def test(condition: Condition, atom: object) -> bool:
        if condition.number is None:
            return False
        number = as_number(atom)
        return number is not None and compare(number, condition.number)

    return test


def _comparing_times(
    compare: Callable[[datetime, datetime], bool],
) -> Callable[[Condition, object], bool]:
    def test(condition: Condition, atom: object) -> bool:
        if condition.bound is None:
            return False
        time = as_time(atom)
        return time is not None and compare(time, condition.bound)

    return test


_TESTS: Final[Mapping[Operator, Callable[[Condition, object], bool]]] = {
    Operator.EQUALS: _is_among,
    Operator.IN: _is_among,
    Operator.CONTAINS: _comparing_text(str.__contains__),
    Operator.STARTS_WITH: _comparing_text(str.startswith),
    Operator.ENDS_WITH: _comparing_text(str.endswith),
    Operator.GT: _comparing_numbers(Decimal.__gt__),
    Operator.GTE: _comparing_numbers(Decimal.__ge__),
    Operator.LT: _comparing_numbers(Decimal.__lt__),
    Operator.LTE: _comparing_numbers(Decimal.__le__),
    Operator.BEFORE: _comparing_times(datetime.__lt__),
    Operator.AFTER: _comparing_times(datetime.__gt__),
}


class Joiner(StrEnum):
    """How a clause is joined to what stands before it."""

    AND = "AND"
    OR = "OR"


@dataclass(frozen=True)
class Clause(Generic[Term]):
    """A term among others: a condition, a truth or an SQL expression, with its place."""

    term: Term
    group: int = 0
    order: int = 0
    joiner: Joiner = Joiner.AND


def fold_clauses(
    clauses: Iterable[Clause[Term]],
    *,
    both: Callable[[Term, Term], Term],
    either: Callable[[Term, Term], Term],
) -> Term | None:
    """Combine clauses into one term; None when there are none, which no lead meets.

    Sorted by group, then order. Inside a group from left to right by each clause's joiner, AND
    binding no tighter than OR; then the groups from left to right, each by the joiner of its
    first clause. The joiner of the very first clause says nothing.
    """
    ordered = sorted(clauses, key=lambda clause: (clause.group, clause.order))
    if len(ordered) > MAX_CLAUSES:
        raise ConditionError(f"{len(ordered)} conditions are too many: use at most {MAX_CLAUSES}")
    join = {Joiner.AND: both, Joiner.OR: either}
    whole: Term | None = None
    for _, members in groupby(ordered, key=lambda clause: clause.group):
        first, *rest = members
        part = reduce(lambda term, clause: join[clause.joiner](term, clause.term), rest, first.term)
        whole = part if whole is None else join[first.joiner](whole, part)
    return whole


def clauses_hold(clauses: Iterable[Clause[Condition]], document: Mapping[str, object]) -> bool:
    """Say whether the document meets the conditions together; no conditions are never met."""
    truths = (
        Clause(holds(c.term, document), group=c.group, order=c.order, joiner=c.joiner)
        for c in clauses
    )
    return fold_clauses(truths, both=bool.__and__, either=bool.__or__) or False
