"""Errors have one shape wherever they come from, and say nothing internal."""

from __future__ import annotations

import pytest

from leadvibe.api import rules
from leadvibe.events import queries
from tests.api.conftest import ANYBODY


def assert_shape(response, status, code=None):
    assert response.status_code == status
    assert response.mimetype == "application/json"
    assert set(response.json) <= {"error", "code", "fields", "request_id"}
    assert response.json["error"]
    assert response.json["code"] == (code or response.json["code"])


@pytest.mark.parametrize("path", ["/nowhere", "/leads/", "/api/v2/leads", "/.env", "/appendix"])
def test_an_unknown_path_is_not_found(client, path):
    assert_shape(client.get(path), 404, "not_found")


def test_a_method_that_is_not_offered_names_those_that_are(client):
    response = client.put("/leads", json={})

    assert_shape(response, 405, "method_not_allowed")
    assert "POST" in response.headers["Allow"]


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
    assert response.json["request_id"] == response.headers["X-Request-Id"] == "req-7"
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
