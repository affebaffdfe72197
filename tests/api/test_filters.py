"""Velocity filters: what is too quick for people."""

from __future__ import annotations

import pytest

from leadvibe.scoring import queries

NOBODYS = "00000000-0000-0000-0000-000000000000"
FILTER = {
    "event_type": "email_open",
    "count_threshold": 2,
    "time_window_ms": 60_000,
    "group_events": True,
}


@pytest.fixture
def velocity(api):
    return api.post("/filters", FILTER).json


def test_a_filter_says_what_it_lets_through_and_who_made_it(call_as, people):
    response = call_as("operator").post("/filters", FILTER)

    assert response.status_code == 201
    assert {field: response.json[field] for field in FILTER} == FILTER
    assert response.json["org_id"] == str(people.organization.org_id)
    assert response.json["created_by"] == people.operator.email
    assert call_as("viewer").get("/filters").json == [response.json]


def test_all_up_to_the_limit_count_unless_said_otherwise(api):
    plain = {name: value for name, value in FILTER.items() if name != "group_events"}

    assert api.post("/filters", plain).json["group_events"] is False


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"event_type": " "}, "event_type"),
        ({"event_type": "x" * 201}, "event_type"),
        ({"count_threshold": -1}, "count_threshold"),
        ({"count_threshold": True}, "count_threshold"),
        ({"time_window_ms": 0}, "time_window_ms"),
        ({"time_window_ms": 604_800_001}, "time_window_ms"),
        ({"time_window_ms": None}, "time_window_ms"),
        ({"group_events": "yes"}, "group_events"),
    ],
)
def test_a_bad_filter_is_refused_by_field(api, velocity, change, field):
    made = api.post("/filters", FILTER | change)
    changed = api.put(f"/filters/{velocity['filter_id']}", change)

    for response in (made, changed):
        assert response.status_code == 400
        assert list(response.json["fields"]) == [field]
    assert api.get("/filters").json == [velocity]


def test_a_change_leaves_the_rest_as_it_is_and_makes_a_version(api, velocity, world):
    path = f"/filters/{velocity['filter_id']}"
    before = queries.current_version(world.scope)

    changed = api.put(path, {"count_threshold": 5}).json

    assert changed["time_window_ms"] == FILTER["time_window_ms"]
    version = queries.get_config_version(world.scope, before + 1)
    assert version.summary == (
        "Changed velocity filter: email_open, at most 5 within 60 s"
        " instead of email_open, at most 2 within 60 s"
    )
    assert api.put(path, {}).json == changed
    assert queries.current_version(world.scope) == before + 1


def test_a_filter_judges_events_that_come_from_then_on(api, world, velocity):
    world.add_rule("email_open", 10)
    for number in range(3):
        world.happen("email_open", "ld_1", number=number)

    assert api.get("/score/ld_1").json["score"] == 10


def test_a_filter_can_be_deleted_once(api, velocity):
    path = f"/filters/{velocity['filter_id']}"

    assert api.delete(path).status_code == 204
    assert api.get("/filters").json == []
    assert api.delete(path).status_code == 404


@pytest.mark.parametrize("filter_id", ["fl_1", NOBODYS])
def test_a_filter_that_is_not_there_is_not_found(api, filter_id):
    path = f"/filters/{filter_id}"

    for response in (api.put(path, {"count_threshold": 1}), api.delete(path)):
        assert response.status_code == 404
        assert response.json["code"] == "velocity_filter_not_found"


def test_a_metadata_filter_is_none_of_these(call_as):
    conditions = [{"key": "agent", "operator": "exists"}]
    made = call_as("owner").post("/metadata-filters", {"name": "x", "conditions": conditions}).json

    assert call_as("owner").get("/filters").json == []
    assert call_as("owner").delete(f"/filters/{made['id']}").status_code == 404


def test_a_stranger_finds_none_of_it(call_as, velocity):
    stranger = call_as("stranger")

    assert stranger.get("/filters").json == []
    assert stranger.put(f"/filters/{velocity['filter_id']}", {}).status_code == 404
