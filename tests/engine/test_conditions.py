"""What each operator means, example by example; segments/test_sql.py holds SQL to the same."""

# ruff: noqa: RUF001 - letters that look alike are what case folding is about

from __future__ import annotations

import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadvibe.engine.conditions import (
    MAX_CLAUSES,
    Clause,
    Condition,
    ConditionError,
    Joiner,
    Operator,
    clauses_hold,
    find_value,
    fold_clauses,
    holds,
    parse_operator,
)
from leadvibe.engine.letters import case_variants, fold_case

AND, OR = Joiner.AND, Joiner.OR


def is_met(found, operator, value=None):
    return holds(Condition("field", Operator(operator), value), {"field": found})


@pytest.mark.parametrize(
    ("found", "operator", "value"),
    [
        ("SaaS", "equals", "saas"),
        ("ÉCOLE", "equals", "école"),
        ("ΟΔΟΣ", "equals", "οδος"),
        ("İstanbul", "equals", "istanbul"),
        ("10", "equals", 10.0),
        (10, "equals", "10.00"),
        ("1e3", "equals", "1000"),
        (" 7 ", "equals", "7"),
        (True, "equals", "TRUE"),
        ("false", "equals", False),
        (["free", "PAID"], "equals", "paid"),
        ("Head of Growth", "contains", "GROWTH"),
        ("100%", "contains", "0%"),
        (15.50, "contains", "5.5"),
        (1e21, "starts_with", "1000"),
        (True, "contains", "ru"),
        ("Acme GmbH", "starts_with", "acme"),
        ("x@Example.com", "ends_with", "@example.com"),
        ("anything", "contains", ""),
        (51, "gt", 50),
        ("51", "gt", "50.9"),
        (50, "gte", 50),
        (Decimal("0.1"), "lte", 0.1),
        (-1, "lt", 0),
        ([1, 99], "gt", 50),
        ("2026-03-09", "before", "2026-03-10"),
        ("2026-03-09T23:59:59.999Z", "before", "2026-03-10"),
        ("2026-03-10T00:30+01:00", "before", "2026-03-10"),
        (" 2026-03-10 12:00 ", "before", "2026-03-10T12:00:01"),
        ("2026-03-11", "after", "2026-03-10"),
        ("2026-03-10T12:00:01Z", "after", "2026-03-10T12:00Z"),
        ("2026-03-10T23:30-0100", "after", "2026-03-10"),
        ("9999-12-31", "after", "2026-03-10"),
        (["soon", "2026-04-01"], "after", "2026-03-10"),
        ("DE", "in", "at, de, ch"),
        ("DE", "in", '["DE", "AT"]'),
        ("DE", "in", "[de, at]"),
        ("DE", "in", ["de"]),
        (2, "in", "1, 2, 3"),
        ("b, c", "in", ["a", "b, c"]),
        (0, "exists", None),
        (False, "exists", None),
        (" ", "exists", None),
        ([None], "exists", None),
        ({"a": None}, "exists", None),
    ],
)
def test_an_operator_matches(found, operator, value):
    assert is_met(found, operator, value)


@pytest.mark.parametrize(
    ("found", "operator", "value"),
    [
        ("SaaS", "equals", "saas "),
        ("ß", "equals", "ss"),
        ("ı", "equals", "i"),
        ("9007199254740993", "equals", 9007199254740992),
        ("1,000", "equals", 1000),
        ("1_000", "equals", 1000),
        ("٣", "equals", 3),
        ("0x10", "equals", 16),
        (True, "equals", 1),
        ("NaN", "equals", 0),
        (None, "equals", "null"),
        ({"a": 1}, "equals", '{"a": 1}'),
        ([["paid"]], "equals", "paid"),
        (1.0, "contains", ".0"),
        ("a_b", "contains", "a%b"),
        (["Head", "of"], "contains", "Head of"),
        ({"growth": "growth"}, "contains", "growth"),
        ("fifty", "gt", 5),
        ("2026-02-01", "gt", "2026-01-01"),
        (True, "gt", 0),
        (float("inf"), "gt", 0),
        (float("nan"), "lt", 0),
        ("9" * 101, "gt", 5),
        ("1e1000", "gt", 5),
        (10**100, "equals", "1" + "0" * 100),
        (51, "gt", "fifty"),
        ("2026-03-10", "before", "2026-03-10"),
        ("2026-03-10", "after", "2026-03-10"),
        ("2026-03-10T23:59:59.999999Z", "after", "2026-03-10"),
        ("2026-02-30", "before", "2026-03-10"),
        ("2026-03-09T24:00", "before", "2026-03-10"),
        ("9 March 2026", "before", "2026-03-10"),
        ("20260309", "before", "2026-03-10"),
        (20260309, "before", "2026-03-10"),
        (None, "before", "2026-03-10"),
        ("2026-03-09", "before", "tomorrow"),
        ("DE", "in", "d, e"),
        (None, "exists", None),
        ("", "exists", None),
        ([], "exists", None),
        ({}, "exists", None),
    ],
)
def test_an_operator_does_not_match(found, operator, value):
    assert not is_met(found, operator, value)


@pytest.mark.parametrize(
    ("positive", "negative"),
    [
        ("equals", "not_equals"),
        ("contains", "not_contains"),
        ("in", "not_in"),
        ("exists", "not_exists"),
    ],
)
@pytest.mark.parametrize("found", ["paid", "free", ["free", "paid"], [], 7, None, {"paid": "paid"}])
def test_a_negated_operator_is_the_exact_opposite(found, positive, negative):
    assert is_met(found, positive, "paid") is not is_met(found, negative, "paid")


def test_a_missing_property_meets_what_is_denied_and_nothing_else():
    met = {o for o in Operator if holds(Condition("plan", o, "free"), {"industry": "SaaS"})}

    assert met == {
        Operator.NOT_EQUALS,
        Operator.NOT_CONTAINS,
        Operator.NOT_IN,
        Operator.NOT_EXISTS,
    }


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"company": {"size": 5}}, 5),
        ({"company.size": 7, "company": {"size": 5}}, 7),
        ({"company.size": None, "company": {"size": 5}}, None),
        ({"company": "Acme"}, None),
        ({"company": [{"size": 5}]}, None),
        ({"Company": {"size": 5}}, None),
        ({}, None),
    ],
)
def test_a_dotted_path_reaches_nested_objects_and_a_literal_key_wins(document, found):
    assert find_value(document, "company.size") == found


def test_a_key_of_digits_is_no_place_in_a_list():
    assert find_value({"tags": ["a", "b"]}, "tags.0") is None
    assert find_value({"tags": {"0": "a"}}, "tags.0") == "a"


@pytest.mark.parametrize(
    ("text", "operator"),
    [
        ("equals", Operator.EQUALS),
        ("eq", Operator.EQUALS),
        ("neq", Operator.NOT_EQUALS),
        ("not equals", Operator.NOT_EQUALS),
        ("Starts With", Operator.STARTS_WITH),
        ("ends-with", Operator.ENDS_WITH),
        (" greater_than ", Operator.GT),
        ("less than", Operator.LT),
        ("≥", Operator.GTE),
        ("<=", Operator.LTE),
        ("not in", Operator.NOT_IN),
        ("is_not_empty", Operator.EXISTS),
        ("is empty", Operator.NOT_EXISTS),
    ],
)
def test_every_spelling_names_its_operator(text, operator):
    assert parse_operator(text) is operator


@pytest.mark.parametrize("text", ["", "like", "equalz", "matches regex", "!"])
def test_an_unknown_operator_is_refused_with_the_accepted_words(text):
    with pytest.raises(ConditionError, match=r"use one of equals, .*starts_with.*is_empty"):
        parse_operator(text)


@pytest.mark.parametrize(
    ("field", "operator", "value", "message"),
    [
        ("", "equals", "x", "needs a field"),
        ("  ", "exists", None, "needs a field"),
        ("a\x00b", "exists", None, "no property can have"),
        (".".join("a" * 33), "exists", None, "at most 32 keys"),
        ("plan", "equals", None, "equals on 'plan' needs text, a number, true or false"),
        ("plan", "equals", ["a"], "needs text, a number"),
        ("plan", "gt", float("nan"), "needs text, a number"),
        ("plan", "contains", {"a": 1}, "needs text, a number"),
        ("plan", "equals", "\ud800", "no property can have"),
        ("plan", "in", "", "needs at least one value"),
        ("plan", "in", " , ", "needs at least one value"),
        ("plan", "not_in", [], "needs at least one value"),
        ("plan", "in", ["a", None], "needs text, a number"),
        ("plan", "in", None, "needs text, a number"),
    ],
)
def test_a_condition_that_means_nothing_is_refused(field, operator, value, message):
    with pytest.raises(ConditionError, match=message):
        Condition(field, Operator(operator), value)


def test_conditions_are_values():
    several = {Condition("a", Operator.IN, ["x", 1]), Condition("a", Operator.IN, ("x", 1))}

    assert len(several) == 1
    assert Condition("a", Operator.EXISTS, "ignored") == Condition("a", Operator.EXISTS)


def test_folding_keeps_the_length_and_is_final_for_every_character():
    characters = [chr(code) for code in range(sys.maxunicode + 1)]
    folded = list(map(fold_case, characters))

    assert {len(char) for char in folded} == {1}
    assert list(map(fold_case, folded)) == folded


def test_folding_joins_every_letter_with_its_lowercase_letter():
    apart = [
        char
        for char in map(chr, range(sys.maxunicode + 1))
        if len(char.lower()) == 1 and fold_case(char) != fold_case(char.lower())
    ]

    assert apart == []


def test_the_variants_of_a_text_are_all_that_fold_into_it():
    assert case_variants("kid") == {"İ": "i", "\N{KELVIN SIGN}": "k"}
    assert case_variants("σ") == {"Σ": "σ", "ς": "σ"}
    assert case_variants("42 %") == {}


@given(st.text())
def test_folding_a_text_folds_each_of_its_characters(text):
    assert fold_case(text) == "".join(map(fold_case, text))


def joined(*clauses):
    return fold_clauses(
        clauses,
        both=lambda before, term: f"({before} and {term})",
        either=lambda before, term: f"({before} or {term})",
    )


def test_clauses_of_a_group_fold_from_left_to_right():
    folded = joined(
        Clause("a", order=1), Clause("b", order=2, joiner=OR), Clause("c", order=3, joiner=AND)
    )

    assert folded == "((a or b) and c)"


def test_groups_are_joined_by_the_first_clause_of_each():
    folded = joined(
        Clause("a", group=1, order=1),
        Clause("b", group=1, order=2, joiner=OR),
        Clause("c", group=2, order=1, joiner=OR),
        Clause("d", group=2, order=2, joiner=AND),
        Clause("e", group=3, order=1),
    )

    assert folded == "(((a or b) or (c and d)) and e)"


def test_clauses_are_sorted_by_group_then_order_and_equals_keep_their_place():
    folded = joined(
        Clause("d", group=1, order=0),
        Clause("b", group=0, order=1),
        Clause("c", group=0, order=1),
        Clause("a", group=0, order=0, joiner=OR),
    )

    assert folded == "(((a and b) and c) and d)"


def test_no_clauses_are_never_met():
    assert joined() is None
    assert not clauses_hold([], {"plan": "free"})


def test_too_many_clauses_are_refused():
    with pytest.raises(ConditionError, match=f"use at most {MAX_CLAUSES}"):
        joined(*[Clause("a")] * (MAX_CLAUSES + 1))


@pytest.mark.parametrize(
    ("document", "met"),
    [
        ({"plan": "free", "seats": 3}, False),
        ({"plan": "free", "seats": 30}, True),
        ({"plan": "trial", "seats": 30}, True),
        ({"plan": "paid", "seats": 30}, False),
        ({"plan": "paid", "vip": True}, True),
    ],
)
def test_clauses_hold_together(document, met):
    clauses = [
        Clause(Condition("plan", Operator.EQUALS, "free"), group=1, order=1),
        Clause(Condition("plan", Operator.EQUALS, "trial"), group=1, order=2, joiner=OR),
        Clause(Condition("seats", Operator.GT, 10), group=1, order=3),
        Clause(Condition("vip", Operator.EQUALS, True), group=2, order=1, joiner=OR),
    ]

    assert clauses_hold(clauses, document) is met
