"""Decay rules: what fades, and after how long."""

from __future__ import annotations

import pytest

from leadvibe.scoring import queries

NOBODYS = "00000000-0000-0000-0000-000000000000"
DECAY = {"inactive_for": 30, "unit": "days", "decrease": 25}


@pytest.fixture
def decay(api):
    return api.post("/decays", DECAY).json


def test_a_decay_rule_says_what_it_takes_and_who_made_it(call_as, people):
    response = call_as("operator").post("/decays", DECAY)

    assert response.status_code == 201
    made = response.json
    assert {field: made[field] for field in DECAY} == DECAY
    assert made["unit_id"] == str(people.unit.unit_id)
    assert made["created_by"] == made["updated_by"] == people.operator.email
    assert call_as("viewer").get("/decays").json == [made]


def test_a_loss_written_as_one_means_the_same(api, decay):
    assert api.post("/decays", DECAY | {"decrease": -25}).json["decrease"] == 25
    assert api.put(f"/decays/{decay['decay_id']}", {"decrease": -10}).json["decrease"] == 10


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"inactive_for": 0}, "inactive_for"),
        ({"inactive_for": 100_001}, "inactive_for"),
        ({"inactive_for": "30"}, "inactive_for"),
        ({"inactive_for": 1.5}, "inactive_for"),
        ({"unit": "months"}, "unit"),
        ({"decrease": 0}, "decrease"),
        ({"decrease": 10_001}, "decrease"),
        ({"decrease": None}, "decrease"),
    ],
)
def test_a_bad_decay_rule_is_refused_by_field(api, decay, change, field):
    made = api.post("/decays", DECAY | change)
    changed = api.put(f"/decays/{decay['decay_id']}", change)

    for response in (made, changed):
        assert response.status_code == 400
        assert list(response.json["fields"]) == [field]
    assert api.get("/decays").json == [decay]


@pytest.mark.parametrize("field", DECAY)
def test_no_field_may_be_missing(api, field):
    response = api.post("/decays", {name: DECAY[name] for name in DECAY if name != field})

    assert response.json["fields"] == {field: "is missing: it is required"}


def test_a_change_leaves_the_rest_as_it_is_and_makes_a_version(api, decay, world):
    path = f"/decays/{decay['decay_id']}"
    before = queries.current_version(world.scope)

    changed = api.put(path, {"inactive_for": 1, "unit": "weeks"}).json

    assert (changed["inactive_for"], changed["unit"], changed["decrease"]) == (1, "weeks", 25)
    assert changed["created_at"] == decay["created_at"]
    version = queries.get_config_version(world.scope, before + 1)
    assert version.summary == (
        "Changed decay: 25 points less after 1 week without activity"
        " instead of 25 points less after 30 days without activity"
    )
    api.put(path, {})
    api.put(path, {"decrease": 25})
    assert queries.current_version(world.scope) == before + 1


def test_a_decay_rule_can_be_deleted_once(api, decay):
    path = f"/decays/{decay['decay_id']}"

    assert api.delete(path).status_code == 204
    assert api.get("/decays").json == []
    assert api.delete(path).status_code == 404


@pytest.mark.parametrize("decay_id", ["dc_inactive30d", NOBODYS])
def test_a_decay_rule_that_is_not_there_is_not_found(api, decay_id):
    path = f"/decays/{decay_id}"

    for response in (api.put(path, {"decrease": 1}), api.delete(path)):
        assert response.status_code == 404
        assert response.json["code"] == "decay_not_found"
        assert response.json["error"] == f"There is no decay '{decay_id}' in this unit."


def test_a_stranger_finds_none_of_it(call_as, decay):
    stranger = call_as("stranger")

    assert stranger.get("/decays").json == []
    assert stranger.delete(f"/decays/{decay['decay_id']}").status_code == 404
    assert call_as("owner").get("/decays").json == [decay]
