"""A client of the Nexus ERP lead API, and leads for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from leadvibe.identity.api_keys import KeyKind

LEADS = "/api/v1/leads"


class Nexus:
    """A client with a key."""

    def __init__(self, client: FlaskClient, key: str) -> None:
        self._client = client
        self.headers = {"Authorization": f"Bearer {key}"}

    def send(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        headers = {**self.headers, **kwargs.pop("headers", {})}
        return self._client.open(path, method=method, headers=headers, **kwargs)

    def list(self, **query: Any) -> TestResponse:
        return self.send("GET", LEADS, query_string=query)

    def names(self, **query: Any) -> list[str]:
        return [lead["name"] for lead in self.list(**query).json["data"]]

    def get(self, lead_id: str) -> TestResponse:
        return self.send("GET", f"{LEADS}/{lead_id}")

    def create(self, **fields: Any) -> TestResponse:
        return self.send("POST", LEADS, json=fields)

    def make(self, name: str, **fields: Any) -> str:
        """Create a lead and return its id."""
        given = {"email": f"{name.lower()}@acme.com", **fields}
        response = self.create(name=name, **given)
        assert response.status_code == 201, response.text
        return response.json["id"]

    def change(self, lead_id: str, **fields: Any) -> TestResponse:
        return self.send("PATCH", f"{LEADS}/{lead_id}", json=fields)

    def delete(self, lead_id: str) -> TestResponse:
        return self.send("DELETE", f"{LEADS}/{lead_id}")

    def claim(self, lead_id: str, member_id: object) -> TestResponse:
        return self.send("POST", f"{LEADS}/{lead_id}/claim", json={"memberId": str(member_id)})


@pytest.fixture
def client(app) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def nexus(client, world, make_key) -> Nexus:
    return Nexus(client, make_key(KeyKind.NEXUS).text)


@pytest.fixture
def nexus_with(client, make_key) -> Callable[..., Nexus]:
    """Return a maker of clients with keys of their own."""
    return lambda scope, *scopes: Nexus(client, make_key(KeyKind.NEXUS, scope, scopes=scopes).text)
