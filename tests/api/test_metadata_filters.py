"""Metadata filters: what an event's metadata says against it."""

from __future__ import annotations

import pytest

NOBODYS = "00000000-0000-0000-0000-000000000000"
BOT = {"key": "agent", "operator": "contains", "value": "bot"}
FILTER = {"name": "Bots", "event_type": "page_view", "conditions": [BOT], "enabled": True}


@pytest.fixture
def owner(call_as):
    return call_as("owner")


@pytest.fixture
def bots(owner):
    return owner.post("/metadata-filters", FILTER).json


def test_a_filter_says_what_it_describes_and_who_made_it(call_as, people):
    response = call_as("operator").post("/metadata-filters", FILTER)

    assert response.status_code == 201
    made = response.json
    assert {field: made[field] for field in FILTER} == FILTER
    assert made["suppressed_count"] == 0
    assert made["id"] == made["filter_id"]
    assert made["created_by"] == people.operator.email
    assert call_as("viewer").get("/metadata-filters").json == [made]


def test_a_filter_is_on_and_for_any_event_unless_said_otherwise(owner):
    made = owner.post("/metadata-filters", {"name": "Bots", "conditions": [BOT]}).json

    assert (made["event_type"], made["enabled"]) == ("", True)


def test_an_operator_is_kept_in_one_spelling_and_needs_a_value_only_if_it_compares(owner):
    conditions = [
        {"key": "size", "operator": "Greater than", "value": 5},
        {"key": "utm.source", "operator": "is empty"},
        {"key": "plan", "operator": "in", "value": ["pro", "team"]},
    ]

    made = owner.post("/metadata-filters", FILTER | {"conditions": conditions}).json

    assert [(it["operator"], it["value"]) for it in made["conditions"]] == [
        ("gt", 5),
        ("not_exists", None),
        ("in", ["pro", "team"]),
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"event_type": "a\nb"}, "event_type"),
        ({"event_type": None}, "event_type"),
        ({"enabled": 1}, "enabled"),
        ({"conditions": []}, "conditions"),
        ({"conditions": [BOT] * 51}, "conditions"),
        ({"conditions": ["bot"]}, "conditions.0"),
        ({"conditions": [BOT, BOT | {"operator": "resembles"}]}, "conditions.1.operator"),
        ({"conditions": [BOT | {"operator": None}]}, "conditions.0.operator"),
        ({"conditions": [{"operator": "exists"}]}, "conditions.0.key"),
        ({"conditions": [BOT | {"key": " "}]}, "conditions.0.key"),
        ({"conditions": [BOT | {"value": None}]}, "conditions.0.value"),
        ({"conditions": [BOT | {"value": {"a": 1}}]}, "conditions.0.value"),
        ({"conditions": [BOT | {"value": "x" * 4000}]}, "conditions.0.value"),
        ({"conditions": [BOT | {"operator": "in", "value": []}]}, "conditions.0.value"),
    ],
)
def test_a_bad_filter_is_refused_by_field(owner, bots, change, field):
    made = owner.post("/metadata-filters", FILTER | {"name": "Other"} | change)
    changed = owner.put(f"/metadata-filters/{bots['id']}", change)

    for response in (made, changed):
        assert response.status_code == 400, response.text
        assert list(response.json["fields"]) == [field]
    assert owner.get("/metadata-filters").json == [bots]


def test_an_unknown_operator_is_told_which_there_are(owner):
    condition = BOT | {"operator": "resembles"}

    response = owner.post("/metadata-filters", FILTER | {"conditions": [condition]})

    assert "use one of equals, not_equals, contains" in response.json["error"]


def test_a_name_is_given_once(owner, bots):
    other = owner.post("/metadata-filters", FILTER | {"name": "Other"}).json

    again = owner.post("/metadata-filters", FILTER)
    renamed = owner.put(f"/metadata-filters/{other['id']}", {"name": "Bots"})
    unchanged = owner.put(f"/metadata-filters/{bots['id']}", {"name": "Bots"})

    assert (again.status_code, renamed.status_code, unchanged.status_code) == (409, 409, 200)
    assert "name" in again.json["fields"]


def test_a_filter_counts_what_it_took_out(owner, world, bots):
    world.add_rule("page_view", 5)
    world.happen("page_view", "ld_1", agent="Mozilla")
    world.happen("page_view", "ld_1", agent="Googlebot")
    world.happen("page_view", "ld_1", agent="bingbot")
    world.happen("demo", "ld_1", agent="Googlebot")

    [counted] = owner.get("/metadata-filters").json

    assert counted["suppressed_count"] == 2
    assert owner.get("/score/ld_1").json["score"] == 5


def test_each_filter_counts_what_it_describes(owner, world, bots):
    other = FILTER | {"name": "Google", "conditions": [BOT | {"value": "google"}]}
    owner.post("/metadata-filters", other)
    world.happen("page_view", "ld_1", agent="Googlebot")
    world.happen("page_view", "ld_1", agent="bingbot")

    counts = {it["name"]: it["suppressed_count"] for it in owner.get("/metadata-filters").json}

    assert counts == {"Bots": 2, "Google": 1}


def test_a_list_of_filters_takes_the_same_statements_however_many(owner, bots, statements):
    owner.get("/metadata-filters")
    few = len(statements)
    for number in range(5):
        owner.post("/metadata-filters", FILTER | {"name": f"Filter {number}"})
    statements.clear()

    owner.get("/metadata-filters")

    assert len(statements) == few


def test_a_filter_that_is_off_takes_nothing_out(owner, world, bots):
    world.add_rule("page_view", 5)
    owner.put(f"/metadata-filters/{bots['id']}", {"enabled": False})

    world.happen("page_view", "ld_1", agent="Googlebot")

    assert owner.get("/score/ld_1").json["score"] == 5
    assert owner.get("/metadata-filters").json[0]["suppressed_count"] == 0


def test_a_filter_can_be_deleted_once(owner, bots):
    path = f"/metadata-filters/{bots['id']}"

    assert owner.delete(path).status_code == 204
    assert owner.get("/metadata-filters").json == []
    assert owner.delete(path).status_code == 404


@pytest.mark.parametrize("filter_id", ["fl_1", NOBODYS])
def test_a_filter_that_is_not_there_is_not_found(owner, filter_id):
    path = f"/metadata-filters/{filter_id}"

    for response in (owner.put(path, {"name": "x"}), owner.delete(path)):
        assert response.status_code == 404
        assert response.json["code"] == "metadata_filter_not_found"


def test_a_stranger_finds_none_of_it(call_as, bots):
    stranger = call_as("stranger")

    assert stranger.get("/metadata-filters").json == []
    assert stranger.delete(f"/metadata-filters/{bots['id']}").status_code == 404
