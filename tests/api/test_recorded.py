"""The examples in the published document are answers that the API gives.

To record them anew, after an operation was added or its answer changed:
    RECORD_EXAMPLES=1 python -m pytest -n 0 tests/api/test_recorded.py
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from leadvibe.api import recorded
from leadvibe.api.operations import Operation
from leadvibe.api.recorded import find_recorded, name_of
from leadvibe.api.routes import OPERATIONS
from tests.api.examples import Example, example_of
from tests.api.shapes import differences

IS_RECORDING = bool(os.environ.get("RECORD_EXAMPLES"))
UNRECORDED = {"GET /openapi.json", "GET /stream"}
"""The document cannot hold itself, and a stream never ends."""

SECRETS = {"token", "refresh_token", "client_secret", "secret", "api_key"}
KEPT_OF_A_SECRET = 12
KEPT_OF_A_LIST = 2
KEPT_OF_A_TEXT = 1_500
BY_NAME = [pytest.param(it, id=name_of(it)) for it in OPERATIONS if name_of(it) not in UNRECORDED]


@pytest.fixture(scope="module")
def document(shared_app):
    return shared_app.test_client().get("/openapi.json").json


@pytest.mark.parametrize("operation", BY_NAME)
def test_an_example_is_what_the_api_answers(call_as, stage, operation):
    example = example_of(operation, stage)
    sent = as_sent(example)
    path = operation.path.format(**example.path)

    response = call_as("admin").send(operation.method, path, **example.sent)

    assert response.status_code == operation.success, response.text
    answer = shortened(response.json if response.is_json else response.text)
    live = {name: value for name, value in sent.items() if value}
    live |= {"answer": answer} if response.data else {}
    if IS_RECORDING:
        record(operation, live)
        return
    stored = find_recorded(operation)
    assert stored is not None, f"{name_of(operation)} has no example: see the head of this file"
    kept = {name: getattr(stored, name) for name in live}
    assert list(differences(kept, live)) == [], "record it anew: see the head of this file"


def test_nothing_is_recorded_that_there_is_not():
    named = {name_of(operation) for operation in OPERATIONS} - UNRECORDED

    assert set(json.loads(recorded.FILE.read_text())) == named


def test_every_example_is_as_the_document_says(document):
    wrong = []
    for address, schema, example in published_examples(document):
        validator = Draft202012Validator(
            {**schema, "components": document["components"]}, format_checker=FormatChecker()
        )
        wrong += [(address, error.message) for error in validator.iter_errors(example)]

    assert wrong == []


def test_no_example_gives_a_secret_away():
    stored = recorded.FILE.read_text()

    assert "lv_cs_" in stored
    assert all(len(secret) == KEPT_OF_A_SECRET + 1 for secret in secrets_in(json.loads(stored)))


def published_examples(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts = [*operation["responses"].values(), operation.get("requestBody", {})]
            for part in parts:
                for media in part.get("content", {}).values():
                    if "example" in media:
                        yield f"{method} {path}", media["schema"], media["example"]
    for name, response in document["components"]["responses"].items():
        [media] = response["content"].values()
        yield name, media["schema"], media["example"]


def as_sent(example: Example) -> dict[str, Any]:
    """Return what of a request is worth showing."""
    files = example.sent.get("data", {}).values()
    return {
        "path": {name: str(value) for name, value in example.path.items()},
        "query": example.sent.get("query_string", {}),
        "body": shortened(example.sent.get("json")),
        "file": "".join(file[0].getvalue().decode() for file in files),
    }


def shortened(value: Any, name: str = "") -> Any:
    """Return an answer with little of its lists and nothing that opens a door."""
    if isinstance(value, dict):
        return {key: shortened(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [shortened(each) for each in value[:KEPT_OF_A_LIST]]
    if isinstance(value, str) and name in SECRETS:
        return f"{value[:KEPT_OF_A_SECRET]}…"
    if isinstance(value, str) and len(value) > KEPT_OF_A_TEXT:
        return value[: value.rindex("\n", 0, KEPT_OF_A_TEXT) + 1]
    return value


def record(operation: Operation, live: dict[str, Any]) -> None:
    """Write the example into the file, in the order of the table."""
    found = json.loads(recorded.FILE.read_text()) if recorded.FILE.exists() else {}
    found[name_of(operation)] = live
    ordered = {name_of(it): found[name_of(it)] for it in OPERATIONS if name_of(it) in found}
    recorded.FILE.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n")


def secrets_in(value: Any, name: str = "") -> list[str]:
    if isinstance(value, dict):
        return [found for key, each in value.items() for found in secrets_in(each, key)]
    if isinstance(value, list):
        return [found for each in value for found in secrets_in(each)]
    return [value] if isinstance(value, str) and name in SECRETS else []
