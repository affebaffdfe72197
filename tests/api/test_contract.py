"""The surface as a whole: the table agrees with the contract, and each operation with the table."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate

from leadvibe.api.operations import Auth
from leadvibe.api.routes import OPERATIONS
from leadvibe.identity.permissions import Permission
from tests.api.conftest import ANYBODY, CREDENTIAL
from tests.api.examples import example_of

CONTRACT = Path(__file__).with_name("operations.csv")
ADDRESSES = [
    pytest.param(operation, method, path, id=f"{method} {path}")
    for operation in OPERATIONS
    for method, path in operation.addresses()
]
OPERATIONS_BY_NAME = [
    pytest.param(operation, id=f"{operation.method} {operation.path}") for operation in OPERATIONS
]
WRITES = set(Permission) - {Permission.SIGNED_IN, Permission.READ}


@pytest.fixture(scope="module")
def document(shared_app):
    return shared_app.test_client().get("/openapi.json").json


def in_the_contract():
    with CONTRACT.open(newline="") as file:
        return {row["number"]: row for row in csv.DictReader(file)}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda it: f"{it.method} {it.path}")
def test_the_table_agrees_with_the_contract(operation):
    if not operation.number:
        ours = {(row["method"], row["path"]) for row in in_the_contract().values()}
        assert (operation.method, operation.path) not in ours
        return
    row = in_the_contract()[operation.number]

    assert (operation.method, operation.path) == (row["method"], row["path"])
    assert operation.auth == row["auth"]
    assert operation.success == int(row["success"])
    assert list(operation.aliases) == [alias for alias in row["aliases"].split("|") if alias]


def test_no_address_stands_in_the_table_twice():
    addresses = [address for operation in OPERATIONS for address in operation.addresses()]

    assert len(addresses) == len(set(addresses))


def test_every_operation_that_is_not_open_says_who_may_do_it():
    silent = [it.title for it in OPERATIONS if (it.auth is Auth.NONE) != (it.permission is None)]

    assert silent == []


@pytest.mark.parametrize(("operation", "method", "path"), ADDRESSES)
def test_an_operation_answers_as_it_is_published(
    call_as, stage, document, *, operation, method, path
):
    example = example_of(operation, stage)

    response = call_as("admin").send(method, path.format(**example.path), **example.sent)

    assert response.status_code == operation.success, response.text
    assert_published(response, document, method, path)


@pytest.mark.parametrize("operation", OPERATIONS_BY_NAME)
def test_an_operation_refuses_who_may_not(call_as, stage, operation):
    def try_as(name):
        example = example_of(operation, stage)
        path = operation.path.format(**example.path)
        return call_as(name).send(operation.method, path, **example.sent).status_code

    if operation.auth is Auth.NONE:
        assert try_as(ANYBODY) == operation.success
        return
    assert try_as(ANYBODY) == 401
    is_refused_credential = operation.auth is Auth.MEMBER
    assert try_as(CREDENTIAL) == (403 if is_refused_credential else operation.success)


@pytest.mark.parametrize("operation", OPERATIONS_BY_NAME)
def test_a_viewer_reads_and_does_not_write(call_as, stage, operation):
    example = example_of(operation, replace(stage, caller="viewer"))
    path = operation.path.format(**example.path)

    response = call_as("viewer").send(operation.method, path, **example.sent)

    assert response.status_code == (403 if operation.permission in WRITES else operation.success)


@pytest.mark.parametrize(
    "operation",
    [it for it in OPERATIONS if it.path_names and it.auth is not Auth.NONE],
    ids=lambda it: f"{it.method} {it.path}",
)
def test_what_belongs_to_others_is_not_there_for_a_stranger(call_as, stage, operation):
    example = example_of(operation, stage)
    path = operation.path.format(**example.path)

    response = call_as("stranger").send(operation.method, path, **example.sent)

    assert response.status_code == 404
    assert response.json["code"].endswith("_not_found")


def test_the_document_is_valid_openapi(document):
    validate(document)

    assert document["openapi"].startswith("3.1")


def test_every_schema_has_a_name_of_its_own(document):
    """Two classes of one name are published under their modules', which generators trip over."""
    assert [name for name in document["components"]["schemas"] if "__" in name] == []


def test_the_document_holds_every_address(document):
    published = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }

    assert published == {address for it in OPERATIONS for address in it.addresses()}


def test_every_operation_says_what_it_does(document):
    silent = [
        operation["operationId"]
        for methods in document["paths"].values()
        for operation in methods.values()
        if not operation["description"]
    ]

    assert silent == []


def assert_published(response, document, method, path):
    published = document["paths"][path][method.lower()]["responses"]
    content = published[str(response.status_code)].get("content")
    if content is None:
        assert response.data == b""
        assert "Content-Type" not in response.headers
        return
    [(media_type, media)] = content.items()
    assert response.mimetype == media_type
    if media_type == "application/json":
        schema = {**media["schema"], "components": document["components"]}
        validator = Draft202012Validator(schema, format_checker=FormatChecker())
        assert [error.message for error in validator.iter_errors(response.json)] == []
