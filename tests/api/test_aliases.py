"""Aliases over the API: what somebody adds to a lead by hand, and takes away again."""

from __future__ import annotations

import pytest


@pytest.fixture
def ann(world):
    world.happen("page_view", "ann", email="ann@acme.test")
    world.happen("page_view", "bo", email="bo@acme.test")
    return world


def test_an_alias_is_added_and_taken_away(call_as, ann):
    operator = call_as("operator")
    body = {"alias_kind": "email", "raw_value": "Ann@Home.test"}

    added = operator.post("/leads/ann/aliases", body)

    assert added.status_code == 201
    assert added.json["raw_value"] == "Ann@Home.test"
    assert added.json["value"] == "ann@home.test"
    known = [it["id"] for it in operator.get("/leads/ann/aliases").json]
    assert added.json["id"] in known
    gone = operator.delete(f"/leads/ann/aliases/{added.json['id']}")
    assert gone.status_code == 204
    assert len(operator.get("/leads/ann/aliases").json) == len(known) - 1
    again = operator.delete(f"/leads/ann/aliases/{added.json['id']}")
    assert again.status_code == 404


def test_an_alias_of_somebody_else_is_refused(call_as, ann):
    body = {"alias_kind": "email", "raw_value": "bo@acme.test"}

    answer = call_as("operator").post("/leads/ann/aliases", body)

    assert answer.status_code == 409
    assert "merge the two" in answer.text


def test_an_alias_of_another_lead_is_not_taken_away(call_as, ann):
    [alias] = call_as("operator").get("/leads/bo/aliases").json

    answer = call_as("operator").delete(f"/leads/ann/aliases/{alias['id']}")

    assert answer.status_code == 404
