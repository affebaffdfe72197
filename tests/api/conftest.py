"""What the tests of the API share: callers in the roles of the cast, over a unit that scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
        self._endless: list[TestResponse] = []
        self.headers = headers

    def send(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        headers = {**self.headers, **kwargs.pop("headers", {})}
        # Read at once, unless it never ends: a file ends with the context of its request.
        is_buffered = kwargs.pop("buffered", True)
        response = self._client.open(
            path, method=method, headers=headers, buffered=is_buffered, **kwargs
        )
        if not is_buffered:
            self._endless.append(response)
        return response

    def close(self) -> None:
        """End what never ends."""
        for response in self._endless:
            response.close()

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.send("GET", path, query_string=query)

    def post(self, path: str, document: Any = None) -> TestResponse:
        return self.send("POST", path, json=document)

    def put(self, path: str, document: Any) -> TestResponse:
        return self.send("PUT", path, json=document)

    def delete(self, path: str, document: Any = None) -> TestResponse:
        return self.send("DELETE", path, json=document)


@pytest.fixture
def call_as(app, people: People, world) -> Iterator[Callable[[str], Caller]]:
    """Return a maker of callers by their name in the cast, `credential` or `anybody`."""
    made: list[Caller] = []

    def headers_of(name: str) -> dict[str, str]:
        if name == ANYBODY:
            return {}
        return basic(people.credential) if name == CREDENTIAL else people[name].bearer

    def make(name: str) -> Caller:
        made.append(Caller(app.test_client(), headers_of(name)))
        return made[-1]

    yield make
    for caller in made:
        caller.close()


@pytest.fixture
def api(call_as) -> Caller:
    """Return a program with the unit's API credential."""
    return call_as(CREDENTIAL)
