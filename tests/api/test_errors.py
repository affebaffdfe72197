"""Errors have one shape wherever they come from, and say nothing internal."""

from __future__ import annotations

import re
from io import BytesIO

import pytest

from leadvibe.api import rules
from leadvibe.api.routes import OPERATIONS
from leadvibe.events import queries
from tests.api.conftest import ANYBODY


def assert_shape(response, status, code=None):
    assert response.status_code == status
    assert response.mimetype == "application/json"
    assert {"error", "code", "request_id"} <= set(response.json)
    assert set(response.json) <= {"error", "code", "fields", "request_id"}
    assert response.json["error"]
    assert response.json["request_id"] == response.headers["X-Request-Id"]
    assert response.json["code"] == (code or response.json["code"])


@pytest.mark.parametrize("path", ["/nowhere", "/leads/", "/v2/leads", "/.env", "/appendix"])
def test_an_unknown_path_is_not_found(client, path):
    assert_shape(client.get(path), 404, "not_found")


def test_a_method_that_is_not_offered_names_those_that_are(client):
    response = client.put("/leads", json={})

    assert_shape(response, 405, "method_not_allowed")
    assert "POST" in response.headers["Allow"]


def test_an_address_that_is_not_there_says_where_to_look(client):
    assert "/openapi.json" in client.get("/nowhere").json["error"]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", "application/json"),
        (b'{"name": }', "application/json"),
        (b'{"name": "caf\xe9"}', "application/json"),
        (b'{"name": "\xed\xa0\x80"}', "application/json"),
        (b'{"name": "\\ud800"}', "application/json"),
        (b'{"name": "a\x00b"}', "application/json"),
        (b'{"weight": NaN}', "application/json"),
        (b'{"weight": 1e999}', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"\xff\xfe{\x00}\x00", "application/json; charset=utf-16"),
        (b'"text"', "application/json"),
        (b"[]", "application/json"),
        (b"7", "application/json"),
        (b"null", "application/json"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(api, body, content_type):
    response = api.send("POST", "/rulesets", data=body, headers={"Content-Type": content_type})

    assert_shape(response, 400, "invalid")
    assert response.json["fields"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "", "json", "\xff/\xfe"])
def test_a_body_of_another_type_is_refused(api, content_type):
    headers = {"Content-Type": content_type}

    response = api.send("POST", "/rulesets", data=b'{"name": "New"}', headers=headers)

    assert_shape(response, 415, "unsupported_type")
    assert "application/json" in response.json["error"]


@pytest.mark.parametrize("path", ["/rulesets", "/ingest", "/scoring/import"])
def test_a_body_that_is_too_large_is_refused(api, path):
    headers = {"Content-Type": "application/json"}

    response = api.send("POST", path, data=b" " * (5 * 1024 * 1024), headers=headers)

    assert_shape(response, 413, "too_large")


def test_a_form_that_is_too_large_is_refused(app, api, monkeypatch):
    monkeypatch.setitem(app.config, "MAX_UPLOAD_MB", 0)

    response = api.send("POST", "/import", data={"file": (BytesIO(b"x" * 200_000), "events.csv")})

    assert_shape(response, 413)


@pytest.mark.parametrize(
    "path",
    [
        "/leads/%FF%FE", "/leads/%00", f"/leads/{'a' * 10_000}", "/leads/%2e%2e%2f%2e%2e", "/%FF",
        "/rules/%F0%9F%92%A9", f"/lead/{'%F0%9F%92%A9' * 1000}/aliases",
    ],
)  # fmt: skip
def test_an_address_that_makes_no_sense_is_not_found(api, path):
    method = "DELETE" if path.startswith("/rules") else "GET"

    assert_shape(api.send(method, path), 404)


@pytest.mark.parametrize(
    "query",
    [
        "page=%FF", "page=1e3", "page=-1", f"page={'9' * 5000}", "min_score=%00", "range=%F0%9F",
        f"event_type={'a' * 5000}", "event_type=a%00b",
    ],
)  # fmt: skip
def test_a_query_that_makes_no_sense_is_refused(api, query):
    assert_shape(api.send("GET", f"/leads?{query}"), 400, "invalid")


@pytest.mark.parametrize("value", ["Basic", "Basic \xff", "Bearer", "Digest a=b", "x" * 10_000])
def test_a_header_that_makes_no_sense_proves_nothing(client, value):
    assert_shape(client.get("/leads", headers={"Authorization": value}), 401)


def test_every_operation_refuses_methods_that_it_does_not_have(client):
    offered: dict[str, set[str]] = {}
    for operation in OPERATIONS:
        for method, path in operation.addresses():
            offered.setdefault(re.sub(r"{\w+}", "x", path), set()).add(method)

    for path in offered:
        response = client.open(path, method="PROPFIND")

        assert_shape(response, 405, "method_not_allowed")
        assert response.headers["Allow"]


def test_nobody_is_told_how_to_prove_who_they_are(client):
    response = client.get("/leads")

    assert_shape(response, 401, "unauthenticated")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="leadvibe"'


def test_a_role_that_is_too_low_is_told_whom_to_ask(call_as):
    response = call_as("viewer").post("/leads", {"id": "ld_1"})

    assert_shape(response, 403, "forbidden")
    assert "Owner" in response.json["error"]


def test_what_we_did_not_foresee_is_logged_and_says_nothing(app, api, monkeypatch, caplog):
    def fail(*_args, **_kwargs):
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(queries, "search_events", fail)

    response = api.send("GET", "/events", headers={"X-Request-Id": "req-7"})

    assert_shape(response, 500, "internal")
    assert response.json["request_id"] == "req-7"
    assert "secret" not in response.text
    assert "a secret of the inside" in caplog.text


def test_pages_show_their_own_errors(client):
    response = client.get("/app/nowhere")

    assert response.mimetype == "text/html"


def test_an_error_undoes_what_was_begun(api, monkeypatch):
    def fail(*_args):
        raise RuntimeError

    monkeypatch.setattr(rules, "_item", fail)
    assert api.post("/rules", {"event_type": "page_view", "weight": 5}).status_code == 500
    monkeypatch.undo()

    assert api.get("/rules").json == []


def test_several_problems_are_all_named(api):
    response = api.post("/rules", {"weight": "many", "active": 7})

    assert_shape(response, 400, "invalid")
    assert set(response.json["fields"]) == {"event_type", "weight", "active"}
    assert "2 more" in response.json["error"]


def test_answers_carry_headers_that_protect(call_as):
    response = call_as(ANYBODY).get("/healthz")

    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "private, no-cache"
