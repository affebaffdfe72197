"""Rules while they are built: moved about, and judged without being stored."""

from __future__ import annotations

from dataclasses import replace

import pytest

from leadvibe.engine.conditions import MAX_CLAUSES, Joiner
from leadvibe.scoring.condition_words import spell
from leadvibe.web.segment_rules import RuleInput, read_rules, rearranged


def rules(text):
    """Read "a b| c" as two groups: a lower-case rule is joined by AND, an upper-case one by OR."""
    return [
        RuleInput(field=name.lower(), group=number, logic_op=Joiner.OR if name.isupper() else "AND")
        for number, group in enumerate(text.split("|"))
        for name in group.split()
    ]


def written(found):
    groups = {}
    for rule in found:
        name = rule.field or "_"
        word = name.upper() if rule.logic_op is Joiner.OR else name
        groups.setdefault(rule.group, []).append(word)
    assert list(groups) == list(range(len(groups)))
    return " | ".join(" ".join(words) for words in groups.values())


@pytest.mark.parametrize(
    ("before", "action", "after"),
    [
        ("a b | c", "add:0", "a b _ | c"),
        ("a b | c", "group", "a b | c | _"),
        ("a b | c", "remove:1", "a | c"),
        ("a b | c", "remove:2", "a b"),
        ("a | B c", "remove:1", "a | C"),
        ("a B c", "up:2", "a C b"),
        ("a B", "up:1", "b A"),
        ("a | B c", "up:1", "a b | C"),
        ("a b | C", "down:1", "a | B c"),
        ("a | B | C", "down:1", "a | B c"),
        ("a b", "up:0", "a b"),
        ("a b", "down:1", "a b"),
        ("a b", "remove:7", "a b"),
        ("a b", "remove:x", "a b"),
        ("a b", "explode:1", "a b"),
        ("a b", "", "a b"),
        ("", "group", "_"),
    ],
)
def test_what_joins_rules_stays_where_it_stands(before, action, after):
    assert written(rearranged(rules(before), action)) == after


def test_a_rule_is_paused_and_resumed():
    [paused] = rearranged(rules("a"), "toggle:0")
    [resumed] = rearranged([paused], "toggle:0")

    assert (paused.active, resumed.active) == (False, True)


def test_no_more_rules_are_added_than_a_segment_can_have():
    full = [replace(rule, group=0) for rule in rules("a ") * MAX_CLAUSES]

    assert len(rearranged(full, "add:0")) == MAX_CLAUSES
    assert len(rearranged(full, "group")) == MAX_CLAUSES


def test_a_form_that_was_tampered_with_is_read_as_far_as_it_makes_sense():
    form = {
        "rules-0-rule_type": "astrology", "rules-0-group": "minus one", "rules-0-field": " plan ",
        "rules-0-operator": "resembles", "rules-0-rule_id": "7", "rules-0-logic_op": "XOR",
        "rules-99-rule_type": "lead_metadata",
    }  # fmt: skip

    assert read_rules(form) == [RuleInput(field="plan")]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("pro", "pro"),
        (5, "5"),
        (True, "true"),
        (None, ""),
        (["a", 2, False], "a, 2, false"),
        (["a, b", "c"], '["a, b", "c"]'),
        (["", "c"], '["", "c"]'),
    ],
)
def test_values_are_written_as_they_are_read(value, text):
    assert spell(value) == text
