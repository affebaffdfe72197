"""The fields that the contract's own samples show are there, of the types that they show.

golden.json holds the samples by operation, those of operations that are still to come included.
More fields than a sample shows are welcome; ids and values are ours.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from leadvibe.api.recorded import name_of
from leadvibe.api.routes import OPERATIONS
from tests.api.examples import example_of
from tests.api.shapes import differences

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text())
SHOWN = [pytest.param(it, id=name_of(it)) for it in OPERATIONS if name_of(it) in GOLDEN]


@pytest.mark.parametrize("operation", SHOWN)
def test_an_answer_has_the_fields_of_the_sample(call_as, stage, operation):
    example = example_of(operation, stage)
    path = operation.path.format(**example.path)

    answer = call_as("admin").send(operation.method, path, **example.sent).json

    assert list(differences(GOLDEN[name_of(operation)], answer, extra=True)) == []


def test_leads_without_a_page_are_a_bare_list_of_the_same(call_as, stage):
    [expected] = GOLDEN["GET /leads"]["leads"]

    [lead] = call_as("admin").get("/leads").json

    assert list(differences(expected, lead, extra=True)) == []


@pytest.mark.parametrize(
    ("expected", "found", "said"),
    [
        ({"a": 1}, {"a": 1.5}, []),
        ({"a": 1}, {"a": "1"}, ["$.a is text, not number"]),
        ({"a": True}, {"a": 1}, ["$.a is number, not boolean"]),
        ({"a": None}, {"a": []}, []),
        ({"a": 1}, {}, ["$.a is missing"]),
        ({}, {"a": 1}, ["$.a is new"]),
        ({"a": [{"b": 1}]}, {"a": []}, []),
        ({"a": [{"b": 1}]}, {"a": [{"c": 1}]}, ["$.a[0].b is missing", "$.a[0].c is new"]),
        ({"0" * 8 + "-0000-0000-0000-" + "0" * 12: 1}, {}, []),
    ],
)
def test_differences_are_told_by_their_place(expected, found, said):
    assert list(differences(expected, found)) == said
