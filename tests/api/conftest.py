"""What the tests of the API share: callers in the roles of the cast, over a unit that scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.people import People, basic

ANYBODY = "anybody"
CREDENTIAL = "credential"


class Caller:
    """Somebody who calls the API."""

    def __init__(self, client: FlaskClient, headers: dict[str, str]) -> None:
        self._client = client
        self.headers = headers

    def send(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        headers = {**self.headers, **kwargs.pop("headers", {})}
        # Read at once: a stream ends with the context of its request.
        return self._client.open(path, method=method, headers=headers, buffered=True, **kwargs)

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.send("GET", path, query_string=query)

    def post(self, path: str, document: Any = None) -> TestResponse:
        return self.send("POST", path, json=document)

    def put(self, path: str, document: Any) -> TestResponse:
        return self.send("PUT", path, json=document)

    def delete(self, path: str, document: Any = None) -> TestResponse:
        return self.send("DELETE", path, json=document)


@pytest.fixture
def call_as(app, people: People, world) -> Callable[[str], Caller]:
    """Return a maker of callers by their name in the cast, `credential` or `anybody`."""

    def make(name: str) -> Caller:
        if name == ANYBODY:
            return Caller(app.test_client(), {})
        if name == CREDENTIAL:
            return Caller(app.test_client(), basic(people.credential))
        return Caller(app.test_client(), people[name].bearer)

    return make


@pytest.fixture
def api(call_as) -> Caller:
    """Return a program with the unit's API credential."""
    return call_as(CREDENTIAL)
