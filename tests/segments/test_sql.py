"""A condition means the same in Python and in SQL: each is asked about the same documents."""

# ruff: noqa: RUF001 - letters that look alike are what case folding is about

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import ARRAY, Text, cast, column, create_engine, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB

from leadvibe.engine.conditions import (
    MAX_CLAUSES,
    Clause,
    Condition,
    Joiner,
    Operator,
    fold_clauses,
    holds,
)
from leadvibe.engine.letters import fold_case
from leadvibe.segments.sql import clauses_sql, condition_sql
from tests.effort import examples

# Texts on the edge of a rule: case, numbers, JSON, wildcards, spaces.
WORDS = [
    *["", " ", "a", "A", "SaaS", "saas", "Straße", "STRASSE", "STRAẞE", "É", "é", "e\u0301"],
    *["İ", "i", "I", "ı", "K", "k", "\N{KELVIN SIGN}", "ſ", "s", "Σ", "σ", "ς", "Ω", "ω", "ΟΔΟΣ"],
    *["Директор", "ДИРЕКТОР по Росту", "Ǆ", "ǅ", "ǆ", "Ꭰ", "ꭰ", "𐐀", "𐐨", "😀", "\U0010ffff"],
    *["true", "TRUE", "false", "null", "[]", "{}", '{"a": 1}', "[1]", "%", "_", "\\", "a%b", "'"],
    *["0", "-0", "10", "10.0", "010", " 10 ", "\t10\r\n", "\xa010", "10\x85", "1e1", "1E+1", "+10"],
    *["10.", ".5", "0.5", "+0.50", ".", "-", "e5", "1e", "--1", "1_0", "1,0", "0x10", "0b1", "٣"],
    *["NaN", "Infinity", "1e999", "1e-999", "1e1000", "1e400000", "1e-400000", "1e+0099", "1e5e5"],
    *["9007199254740993", "9007199254740992", "-1.50", "1E300", "1e-7", "0.0000001"],
    *["1 0", "10\n1", "9" * 100, "9" * 101, "9" * 99 + "e999", "." + "0" * 98 + "1"],
]
WORDS += [
    *["2026-03-10", "2026-03-10T00:00Z", "2026-03-10 00:00", " 2026-03-10T12:30:45.123456+05:30\n"],
    *["2026-03-10T00:30+0100", "2026-03-09T23:59:59.999Z", "2026-03-10T23:59:59.9999995Z"],
    *["2026-02-29", "2028-02-29", "2026-02-30", "2026-13-01", "2026-00-10", "0000-01-01"],
    *["0001-01-01T00:00+14:00", "9999-12-31", "9999-12-31T23:59-14:00", "2026-03-10T24:00Z"],
    *["2026-03-10T12:60Z", "2026-03-10T12:30:60Z", "2026-03-10T12", "2026-03-10T12:30+15:00"],
    *["2026-03-10t12:30z", "2026-3-10", "10/03/2026", "2026-W10-2", "infinity", "now", "epoch"],
]
NUMBERS = [0, -0.0, 1, 10, 10.0, 0.5, -1.5, 1e16, 1e21, 1e300, 5e-324, 0.1 + 0.2, 2**53 + 1]
NUMBERS += [10**400, -(10**20)]
KEYS = ["a", "b", "a.b", "0", "a.0"]

storable = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
texts = (
    st.sampled_from(WORDS)
    | st.text(storable, max_size=8)
    | st.text("aAiİıIkK\N{KELVIN SIGN}sSſσΣςßẞ%_\\10. ", max_size=5)
    | st.text("0123456789+-.eE \t_", max_size=8)
    | st.datetimes().map(datetime.isoformat)
    | st.dates().map(date.isoformat)
)
numbers = (
    st.sampled_from(NUMBERS)
    | st.integers()
    | st.integers(-20, 20)
    | st.floats(allow_nan=False, allow_infinity=False)
)
scalars = texts | numbers | st.booleans()
fields = st.just("a") | st.sampled_from([*KEYS, "b.a", "b.0", "a.b.0", "a."])
cuts = st.builds(slice, st.integers(0, 2), st.none() | st.integers(1, 4))


def documents_of(atoms):
    properties = st.recursive(
        atoms | st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
        max_leaves=4,
    )
    others = dict.fromkeys(KEYS[1:], properties)
    return st.fixed_dictionaries({"a": properties}, optional=others) | st.just({})


def conditions_of(values):
    several = [Operator.IN, Operator.NOT_IN]
    one = [operator for operator in Operator if operator not in several]
    return st.builds(Condition, fields, st.sampled_from(one), values) | st.builds(
        Condition, fields, st.sampled_from(several), st.lists(values, min_size=1, max_size=4)
    )


@st.composite
def questions(draw):
    """Documents and conditions over the same few values and parts of them, so that many meet."""
    few = st.sampled_from(draw(st.lists(scalars, min_size=1, max_size=4)))
    part = st.builds(lambda atom, cut: str(atom).swapcase()[cut], few, cuts)
    documents = st.lists(documents_of(few | part), min_size=10, max_size=30)
    return draw(documents), draw(st.lists(conditions_of(few | part), min_size=5, max_size=10))


@pytest.fixture(scope="module")
def connection(database_url):
    engine = create_engine(database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def ask(connection, documents, condition):
    """Return the SQL's answer for each document, all asked in one statement."""
    array = cast(literal(json.dumps(documents, ensure_ascii=False), Text), JSONB)
    rows = func.jsonb_array_elements(array).table_valued(
        column("document", JSONB), with_ordinality="place"
    )
    rows = rows.render_derived()
    answers = select(condition_sql(rows.c.document, condition)).select_from(rows)
    return list(connection.scalars(answers.order_by(rows.c.place)))


@settings(max_examples=examples(100), deadline=None)
@given(questions())
def test_conditions_mean_the_same_in_python_and_in_sql(connection, question):
    documents, conditions = question
    for condition in conditions:
        in_sql = ask(connection, documents, condition)

        assert in_sql == [holds(condition, document) for document in documents]


@pytest.mark.parametrize(
    "operator",
    ["equals", "contains", "starts_with", "ends_with", "gt", "lte", "before", "after"],
)
def test_every_word_against_every_word_means_the_same(connection, operator):
    """Pairs on the edge, in full: chance meets few of them."""
    documents = [{"a": each} for each in [*WORDS, *NUMBERS, True, False, None, WORDS]]

    for word in WORDS:
        condition = Condition("a", Operator(operator), word)
        in_sql = ask(connection, documents, condition)

        assert in_sql == [holds(condition, document) for document in documents]


def test_every_character_folds_in_sql_as_in_python(connection):
    """All letters with case live in the first two planes; equal texts agree at every place."""
    every = "".join(chr(code) for code in range(1, 0x20000) if not 0xD800 <= code < 0xE000)

    assert ask(connection, [{"a": every}], Condition("a", Operator.EQUALS, fold_case(every))) == [
        True
    ]


def test_only_ascii_spaces_and_digits_make_a_number_in_sql_as_in_python(connection):
    characters = [chr(code) for code in range(1, 0x3100)]
    documents = [{"a": f"{char}1{char}"} for char in characters]
    is_number = Condition("a", Operator.LT, 10**9)

    in_sql = ask(connection, documents, is_number)

    assert in_sql == [holds(is_number, document) for document in documents]
    numeric = {char for char, is_met in zip(characters, in_sql, strict=True) if is_met}
    assert numeric == set(" \t\n\r\f\v0123456789")


def test_stored_json_beyond_what_python_writes_never_fails(connection):
    documents = [
        '{"a": 1e131071}',
        '{"a": 1e-16383}',
        '"a"',
        '["a"]',
        "null",
        "1",
        '{"a": {"a": 1}}',
    ]
    rows = func.unnest(cast(literal(documents, ARRAY(Text)), ARRAY(JSONB))).column_valued(
        "document"
    )
    above = condition_sql(rows, Condition("a", Operator.GT, 10**400))
    digits = condition_sql(rows, Condition("a", Operator.ENDS_WITH, "01"))

    found = connection.execute(select(above, digits)).all()

    assert found == [(True, False), (False, True), *[(False, False)] * 5]


@pytest.mark.parametrize(
    "operator", [Operator.EQUALS, Operator.CONTAINS, Operator.GT, Operator.BEFORE]
)
def test_a_constant_document_is_safe_from_folding_at_plan_time(connection, operator):
    condition = Condition("a", operator, "10")
    documents = [{"a": each} for each in [*WORDS, *NUMBERS[:-1], True, None, ["10", "x"], {"a": 1}]]

    row = connection.execute(
        select(*[condition_sql(literal(each, JSONB), condition) for each in documents])
    ).one()

    assert list(row) == [holds(condition, document) for document in documents]


@pytest.mark.parametrize("operator", Operator)
def test_a_null_column_is_an_empty_document(connection, operator):
    condition = Condition("a.b", operator, "x")

    met = connection.scalar(select(condition_sql(cast(literal(None, Text), JSONB), condition)))

    assert met is holds(condition, {})


def test_what_a_client_wrote_is_bound_and_never_part_of_the_statement(connection):
    nasty = "x'); DROP TABLE leads; --"

    for operator in Operator:
        expression = condition_sql(column("document", JSONB), Condition(nasty, operator, nasty))
        assert "DROP" not in str(select(expression).compile(connection))


clauses = st.builds(
    Clause,
    st.booleans(),
    group=st.integers(0, 3),
    order=st.integers(0, 3),
    joiner=st.sampled_from(Joiner),
)


@settings(max_examples=examples(20), deadline=None)
@given(st.lists(st.lists(clauses, max_size=8), min_size=10, max_size=20))
def test_clauses_combine_in_sql_as_in_python(connection, many):
    in_sql = [clauses_sql(replace(c, term=literal(c.term)) for c in each) for each in many]

    row = connection.execute(select(*in_sql)).one()

    in_python = [fold_clauses(each, both=bool.__and__, either=bool.__or__) for each in many]
    assert list(row) == [bool(is_met) for is_met in in_python]


def test_the_longest_list_of_clauses_still_compiles(connection):
    document = literal({"a.b.c": 10}, JSONB)
    condition = Condition("a.b.c", Operator.IN, "директор, 10")
    longest = [
        Clause(condition_sql(document, condition), order=place, joiner=list(Joiner)[place % 2])
        for place in range(MAX_CLAUSES)
    ]

    assert connection.scalar(select(clauses_sql(longest)))
