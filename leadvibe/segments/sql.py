"""Conditions in SQL: engine.conditions said again over a jsonb column.

Every expression is true or false, never null, and cannot fail on any JSON: a cast stands behind
the test that it will succeed. The answer does not depend on the database's locale or its version
of Unicode, since only the letters that the condition asks for are folded, by the engine's table.
Core functions only, every value bound.

Numbers agree as far as Python's json reads them exactly: a stored fraction of more than 17 digits
is rounded there and not here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Numeric,
    SQLColumnExpression,
    Text,
    and_,
    any_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB

from leadvibe.engine.conditions import (
    MAX_NUMBER_LENGTH,
    NUMBER_PATTERN,
    Clause,
    Condition,
    Operator,
    fold_clauses,
)
from leadvibe.engine.letters import case_variants
from leadvibe.engine.times import MAX_TIME_LENGTH, TIME_PATTERN, ZONED_PATTERN

_INSTANT: Final = DateTime(timezone=True)
_MAX_REPLACES: Final = 3  # Up to here nested replace() is quicker than one translate().


@dataclass(frozen=True)
class _Atom:
    """A JSON value and its text: of JSON text the text itself."""

    json: ColumnElement[Any]
    text: ColumnElement[str]

    @property
    def kind(self) -> ColumnElement[str]:
        return func.jsonb_typeof(self.json, type_=Text)


_Arms: TypeAlias = dict[str, ColumnElement[bool]]
"""What must be true of an atom, by the kind of JSON that it is; other kinds never match."""

_Test: TypeAlias = Callable[[Condition, _Atom], _Arms]


def condition_sql(column: SQLColumnExpression[Any], condition: Condition) -> ColumnElement[bool]:
    """Say `conditions.holds` over a jsonb column of documents; a null column is an empty one."""
    affirmative = condition.operator.affirmative
    value = _find_value(column, condition)
    if affirmative is Operator.EXISTS:
        met = _by_kind(value, _is_there(value))
    else:
        met = _any_atom(value, partial(_TESTS[affirmative], condition))
    return met if affirmative is condition.operator else not_(met)


def clauses_sql(clauses: Iterable[Clause[ColumnElement[bool]]]) -> ColumnElement[bool]:
    """Combine expressions as `conditions.fold_clauses` does; false when there are none."""
    folded = fold_clauses(clauses, both=and_, either=or_)
    return false() if folded is None else folded


def _find_value(column: SQLColumnExpression[Any], condition: Condition) -> _Atom:
    *parents, last = condition.keys
    parent = reduce(_child, parents, column)
    value = _Atom(_child(parent, last), _child_text(parent, last))
    if not parents:
        return value
    # A literal key that holds null has no text, so the nested one's slips in. It is never read:
    # texts stand behind a look at the kind, which is "null" then.
    return _Atom(
        func.coalesce(_child(column, condition.field), value.json, type_=JSONB),
        func.coalesce(_child_text(column, condition.field), value.text, type_=Text),
    )


def _child(parent: SQLColumnExpression[Any], key: str) -> ColumnElement[Any]:
    # Neither a subscript nor a path, which take the key "0" for the first element of an array.
    return parent.op("->", return_type=JSONB())(literal(key, Text))


def _child_text(parent: SQLColumnExpression[Any], key: str) -> ColumnElement[str]:
    return parent.op("->>", return_type=Text())(literal(key, Text))


def _any_atom(value: _Atom, test: Callable[[_Atom], _Arms]) -> ColumnElement[bool]:
    arms = test(value)
    if not arms:
        return false()
    json = func.jsonb_array_elements(value.json, type_=JSONB).column_valued("element")
    element = _Atom(json, json.op("#>>", return_type=Text())(literal([], ARRAY(Text))))
    any_element = exists().where(_by_kind(element, test(element)))
    return _by_kind(value, {**arms, "array": any_element})


def _by_kind(atom: _Atom, arms: _Arms) -> ColumnElement[bool]:
    return case(arms, value=atom.kind, else_=false())


def _is_there(value: _Atom) -> _Arms:
    return {
        "string": value.text != "",
        "array": func.jsonb_array_length(value.json) > 0,
        "object": value.json != cast(literal("{}", Text), JSONB),
        "number": true(),
        "boolean": true(),
    }


def _is_among(condition: Condition, atom: _Atom) -> _Arms:
    """Numbers among the condition's numbers, texts among its texts."""
    arms: _Arms = {}
    if condition.texts:
        texts = literal(sorted(condition.texts), ARRAY(Text))
        arms["string"] = _folded(atom.text, "".join(condition.texts)) == any_(texts)
        arms["boolean"] = atom.text.collate("C") == any_(texts)
    if condition.numbers:
        numbers = literal(sorted(condition.numbers), ARRAY(Numeric))
        arms["number"] = cast(atom.json, Numeric) == any_(numbers)
        is_number = _if_number(atom.text, lambda number: number == any_(numbers))
        arms["string"] = or_(arms["string"], is_number) if "string" in arms else is_number
    return arms


def _compares_text(
    compare: Callable[[ColumnElement[str], str], ColumnElement[bool]],
    condition: Condition,
    atom: _Atom,
) -> _Arms:
    plain_number = cast(func.trim_scale(cast(atom.json, Numeric)), Text)
    return {
        "string": compare(_folded(atom.text, condition.text), condition.text),
        "boolean": compare(atom.text.collate("C"), condition.text),
        "number": compare(plain_number.collate("C"), condition.text),
    }


def _compares_numbers(
    compare: Callable[[Any, Any], Any], condition: Condition, atom: _Atom
) -> _Arms:
    if condition.number is None:
        return {}
    bound = literal(condition.number, Numeric)
    return {
        "string": _if_number(atom.text, lambda number: compare(number, bound)),
        "number": compare(cast(atom.json, Numeric), bound),
    }


def _if_number(
    text: ColumnElement[str], compare: Callable[[ColumnElement[Any]], ColumnElement[bool]]
) -> ColumnElement[bool]:
    is_number = and_(
        func.length(text) <= MAX_NUMBER_LENGTH, text.regexp_match(literal(NUMBER_PATTERN, Text))
    )
    return case((is_number, compare(cast(text, Numeric))), else_=false())


def _compares_times(compare: Callable[[Any, Any], Any], condition: Condition, atom: _Atom) -> _Arms:
    if condition.bound is None:
        return {}
    bound = literal(condition.bound, _INSTANT)
    return {"string": _if_time(atom.text, lambda time: compare(time, bound))}


def _if_time(
    text: ColumnElement[str], compare: Callable[[ColumnElement[Any]], ColumnElement[bool]]
) -> ColumnElement[bool]:
    looks_like_one = and_(
        func.length(text) <= MAX_TIME_LENGTH, text.regexp_match(literal(TIME_PATTERN, Text))
    )
    zone = case((text.regexp_match(literal(ZONED_PATTERN, Text)), ""), else_=" UTC")
    zoned = text.concat(zone)
    return case(
        (not_(looks_like_one), false()),
        (func.pg_input_is_valid(zoned, "timestamptz"), compare(cast(zoned, _INSTANT))),
        else_=false(),
    )


def _folded(text: ColumnElement[str], sought: str) -> ColumnElement[str]:
    """Fold as far as it matters to whoever looks for `sought`, which is folded already."""
    variants = case_variants(sought)
    if len(variants) > _MAX_REPLACES:
        text = func.translate(text, "".join(variants), "".join(variants.values()), type_=Text)
    else:
        for variant, char in variants.items():
            text = func.replace(text, variant, char, type_=Text)
    return func.lower(text.collate("C"), type_=Text)


def _contains(text: ColumnElement[str], sought: str) -> ColumnElement[bool]:
    return func.strpos(text, sought) > 0


def _starts_with(text: ColumnElement[str], sought: str) -> ColumnElement[bool]:
    return func.starts_with(text, sought)


def _ends_with(text: ColumnElement[str], sought: str) -> ColumnElement[bool]:
    return func.right(text, len(sought)) == sought


_TESTS: Final[dict[Operator, _Test]] = {
    Operator.EQUALS: _is_among,
    Operator.IN: _is_among,
    Operator.CONTAINS: partial(_compares_text, _contains),
    Operator.STARTS_WITH: partial(_compares_text, _starts_with),
    Operator.ENDS_WITH: partial(_compares_text, _ends_with),
    Operator.GT: partial(_compares_numbers, operator.gt),
    Operator.GTE: partial(_compares_numbers, operator.ge),
    Operator.LT: partial(_compares_numbers, operator.lt),
    Operator.LTE: partial(_compares_numbers, operator.le),
    Operator.BEFORE: partial(_compares_times, operator.lt),
    Operator.AFTER: partial(_compares_times, operator.gt),
}
