"""What the tests of both dialects share: programs that come with a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from leadvibe.identity.api_keys import KeyKind, NewApiKey, create_api_key
from leadvibe.identity.types import Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit


class Program:
    """Somebody's client, with the headers that it always sends."""

    def __init__(self, client: FlaskClient, headers: dict[str, str]) -> None:
        self._client = client
        self.headers = headers

    def send(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        headers = {**self.headers, **kwargs.pop("headers", {})}
        return self._client.open(path, method=method, headers=headers, **kwargs)

    def get(self, path: str, query: str = "") -> TestResponse:
        return self.send("GET", path, query_string=query)

    def post(self, path: str, body: Any = None) -> TestResponse:
        return self.send("POST", path, json=body)

    def patch(self, path: str, body: Any) -> TestResponse:
        return self.send("PATCH", path, json=body)


@pytest.fixture
def program(app) -> Callable[..., Program]:
    """Return a maker of programs."""
    return lambda **headers: Program(
        app.test_client(), {name.replace("_", "-"): text for name, text in headers.items()}
    )


@pytest.fixture
def make_key(world) -> Callable[..., NewApiKey]:
    """Return a maker of keys, for Acme's unit unless said otherwise."""

    def make(kind: KeyKind, scope: Scope | None = None, **options: Any) -> NewApiKey:
        made = create_api_key(
            scope or world.scope, kind, name="test", created_by=None, now=utc_now(), **options
        )
        commit()
        return made

    return make
