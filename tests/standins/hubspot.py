"""HubSpot as its documentation describes it, as far as contacts and their properties go."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest

from tests.standins.web_server import Asked, Told, WebServer, running, told_json

TOKEN = "pat-eu1-the-token"


class HubSpot(WebServer):
    """Keeps contacts by address. Addresses that begin with `bad` are not valid to it."""

    def __init__(self):
        super().__init__()
        self.contacts: dict[str, dict[str, str]] = {}
        self.properties: dict[str, dict[str, str]] = {}
        self.tells_contacts_apart = True
        """Whether one bad contact spares the others (207) or not (400)."""
        self.next: list[Told] = []
        """What to answer first, whatever is asked."""
        self.answer = self._answer

    def batches(self) -> list[list[str]]:
        """Return the addresses of each upsert."""
        return [
            [contact["id"] for contact in asked.json["inputs"]]
            for asked in self.asked
            if asked.path.endswith("/upsert")
        ]

    def _answer(self, asked: Asked) -> Told:
        if self.next:
            return self.next.pop(0)
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return _error(401, "INVALID_AUTHENTICATION", "The access token is not valid")
        match asked.method, asked.path.split("/")[1:]:
            case "GET", ["account-info", "v3", "details"]:
                details = {
                    "portalId": 4711,
                    "accountType": "STANDARD",
                    "uiDomain": "app-eu1.hubspot.com",
                }
                return told_json(200, details)
            case "GET", ["crm", "v3", "properties", "contacts", name]:
                found = self.properties.get(name)
                return (
                    told_json(200, found)
                    if found
                    else _error(404, "OBJECT_NOT_FOUND", "No property")
                )
            case "POST", ["crm", "v3", "properties", "contacts"]:
                return self._create_property(asked.json)
            case "POST", ["crm", "v3", "objects", "contacts", "batch", "upsert"]:
                return self._upsert(asked.json["inputs"])
        return _error(404, "OBJECT_NOT_FOUND", "No such path")

    def _create_property(self, wanted) -> Told:
        if wanted["name"] in self.properties:
            return _error(409, "OBJECT_ALREADY_EXISTS", "It exists")
        self.properties[wanted["name"]] = wanted
        return told_json(201, wanted)

    def _upsert(self, inputs) -> Told:
        assert len(inputs) <= 100, "HubSpot takes 100 contacts at once"
        assert len({each["id"] for each in inputs}) == len(inputs), "HubSpot wants them once each"
        assert {each["idProperty"] for each in inputs} == {"email"}
        unknown = {name for each in inputs for name in each["properties"]} - {
            "email",
            *self.properties,
        }
        if unknown:
            invalid = [{"error": "PROPERTY_DOESNT_EXIST", "name": name} for name in unknown]
            return _error(
                400, "VALIDATION_ERROR", f"Property values were not valid: {json.dumps(invalid)}"
            )
        bad = [each for each in inputs if each["id"].startswith("bad")]
        if bad and not self.tells_contacts_apart:
            return _error(400, "VALIDATION_ERROR", "Email address is invalid")
        good = [each for each in inputs if each not in bad]
        for each in good:
            self.contacts.setdefault(each["id"], {}).update(each["properties"])
        results = [_result(each) for each in reversed(good)]
        content = {"status": "COMPLETE", "results": results}
        if not bad:
            return told_json(200, content)
        errors = [_contact_error(each) for each in bad]
        return told_json(207, content | {"numErrors": len(bad), "errors": errors})


@contextmanager
def running_hubspot():
    with running(HubSpot()) as server:
        yield server


@pytest.fixture(scope="session")
def _hubspot_server():
    with running_hubspot() as server:
        yield server


@pytest.fixture
def hubspot_account(app, _hubspot_server, monkeypatch):
    """Return an account that nobody has used yet; the application finds HubSpot there."""
    server = _hubspot_server
    server.asked, server.contacts, server.properties, server.next = [], {}, {}, []
    monkeypatch.setitem(app.config, "HUBSPOT_API_URL", server.url)
    return server


def _result(contact):
    return {
        "id": str(abs(hash(contact["id"]))),
        "properties": contact["properties"],
        "new": True,
        "objectWriteTraceId": contact["objectWriteTraceId"],
        "createdAt": "2026-11-28T09:00:00Z",
        "padding": "x" * 1_000,
    }


def _contact_error(contact):
    return {
        "status": "error",
        "category": "VALIDATION_ERROR",
        "message": f"Email address {contact['id']} is invalid",
        "context": {"objectWriteTraceId": [contact["objectWriteTraceId"]]},
    }


def _error(status, category, message) -> Told:
    return told_json(status, {"status": "error", "category": category, "message": message})
