"""What the tests of the API share: callers in the roles of the cast, over a unit that scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from leadvibe.api import openapi
from leadvibe.api.routes import OPERATIONS
from tests.api.examples import Stage, set_stage
from tests.people import People, basic
from tests.scenes import Scenes
from tests.standins.hubspot import HubSpot
from tests.standins.slack import SlackWorld
from tests.world import World

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
        assert_foreseen(self._client.application, method, path, response)
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


def assert_foreseen(app: Flask, method: str, path: str, response: TestResponse) -> None:
    """Check that the published document knows of a refusal: every test of the API helps with it."""
    status = response.status_code
    if not 400 <= status < 500:
        return
    try:
        endpoint, _ = app.url_map.bind("").match(urlsplit(path).path, method)
    except HTTPException:
        return  # no address of ours
    method, _, template = endpoint.removeprefix("api.").partition(" ")
    published = published_document()["paths"][template][method.lower()]["responses"]
    assert str(status) in published, (
        f"{method} {template} answered {status}: add it to its refusals in api/routes.py"
    )


@cache
def published_document() -> dict[str, Any]:
    return openapi.build(OPERATIONS, version="", url="")


@pytest.fixture
def outside(slack: SlackWorld, hubspot_account: HubSpot) -> None:
    """Let the application find the services that examples speak to on this machine."""


@pytest.fixture
def stage(app: Flask, scenes: Scenes, people: People, world: World, outside: None) -> Stage:
    """Return what the examples are about."""
    broker = app.extensions["leadvibe.redis"]
    return scenes.set("stage", lambda: set_stage(people, world, broker))


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
