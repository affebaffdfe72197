"""The tour of the API calls operations that there are, the way they are called."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from leadvibe.api.routes import OPERATIONS

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
# From one `curl` to the next: what belongs to a command.
COMMANDS = [part for block in BLOCKS for part in re.split(r"(?=\bcurl )", block)[1:]]
ADDRESSES = [
    (method, re.sub(r"\{\w+\}", "[^/]+", path), operation)
    for operation in OPERATIONS
    for method, path in operation.addresses()
]


def called(command):
    """Return method, path and query of a command."""
    [url] = re.findall(r'"\$URL(/[^"]*)"', command)
    path, _, query = url.partition("?")
    method = re.search(r"-X (\w+)", command)
    sends = re.search(r"\s-[dF] ", command)
    return method[1] if method else "POST" if sends else "GET", path, query


def find_operation(method, path):
    """Return what is called; a path without placeholders is itself before it is anybody's id."""
    found = [
        it for known, pattern, it in ADDRESSES if known == method and re.fullmatch(pattern, path)
    ]
    return next((it for it in found if it.path == path), found[0] if found else None)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda it: " ".join(called(it)))
def test_a_command_calls_an_operation_that_there_is(command):
    method, path, query = called(command)

    operation = find_operation(method, path)

    assert operation is not None, f"{method} {path}"
    asked = {pair.partition("=")[0] for pair in query.split("&") if pair}
    model = operation.interface.query
    assert asked <= set(model.model_fields if model else ())
    assert bool(operation.uploads) == ("-F " in command)


@pytest.mark.parametrize(
    "body",
    [body for block in BLOCKS for body in re.findall(r"-d '(\{.*?\})'", block, re.DOTALL)],
    ids=lambda it: it[:30],
)
def test_a_body_is_json(body):
    assert isinstance(json.loads(body), dict)


def test_a_body_fits_the_operation_it_is_sent_to():
    checked = 0
    for command in COMMANDS:
        body = re.search(r"-d '(\{.*?\})'", command, re.DOTALL)
        operation = find_operation(*called(command)[:2])
        if body and operation.interface.body:
            known = json.loads(body[1]).keys() - operation.interface.body.model_fields.keys()
            assert known == set(), command
            checked += 1

    assert checked > 4


def test_the_tour_visits_what_it_promises():
    visited = {" ".join(called(command)[:2]) for command in COMMANDS}

    assert {
        "POST /auth/login", "POST /secrets", "POST /ingest", "POST /ingest/batch", "POST /import",
        "POST /leads/import/preview", "POST /leads/import/start", "GET /leads",
        "GET /lead/$LEAD/score-explain", "POST /api/v1/ou/$UNIT/scoring/rescore-preview",
        "POST /scoring/rescore", "GET /events/export",
    } <= visited  # fmt: skip
