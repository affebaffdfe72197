"""Rulesets: each keeps its own score per lead, and one of them stands for it."""

from __future__ import annotations

import pytest

NOBODYS = "00000000-0000-0000-0000-000000000000"


def test_a_new_ruleset_is_active_and_not_primary(api, world):
    response = api.post("/rulesets", {"name": " Marketing "})

    assert response.status_code == 201
    assert response.json["name"] == "Marketing"
    assert response.json["score_column"] == "total_score"
    assert (response.json["is_primary"], response.json["active"]) == (False, True)
    assert [it["name"] for it in api.get("/rulesets").json] == ["Engagement", "Marketing"]


def test_a_new_primary_takes_the_place_of_the_old(api):
    api.post("/rulesets", {"name": "Marketing", "is_primary": True})

    assert [(it["name"], it["is_primary"]) for it in api.get("/rulesets").json] == [
        ("Marketing", True),
        ("Engagement", False),
    ]


def test_a_name_is_given_once(api, world):
    assert api.post("/rulesets", {"name": "Engagement"}).status_code == 409

    second = world.add_ruleset("Marketing")
    response = api.put(f"/rulesets/{second.ruleset_id}", {"name": "Engagement"})

    assert response.status_code == 409
    assert "name" in response.json["fields"]


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": "n" * 101}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "a", "is_primary": 1}, "is_primary"),
        ({"name": "a", "active": "on"}, "active"),
        ({"name": "a", "score_column": ""}, "score_column"),
        ({"name": "a", "start_at": "2026-02-01T00:00:00Z", "end_at": "2026-01-01"}, "end_at"),
    ],
)
def test_a_bad_ruleset_is_refused_by_field(api, document, field):
    response = api.post("/rulesets", document)

    assert response.status_code == 400
    assert list(response.json["fields"]) == [field]


def test_a_paused_ruleset_scores_nothing(api, world):
    second = world.add_ruleset("Marketing")
    world.add_rule("page_view", 5, second)

    changed = api.put(f"/rulesets/{second.ruleset_id}", {"active": False}).json
    world.happen("page_view", "ld_1")

    assert (changed["active"], changed["name"]) == (False, "Marketing")
    assert api.get("/score/ld_1").json["engagement_scores"] == {}


def test_deleting_a_ruleset_takes_its_rules_and_scores_from_view(api, world):
    second = world.add_ruleset("Marketing")
    world.add_rule("page_view", 5, second)
    world.happen("page_view", "ld_1")

    assert api.delete(f"/rulesets/{second.ruleset_id}").status_code == 204

    assert api.get("/rules").json == []
    assert api.get("/score/ld_1").json["score"] == 0
    assert api.get("/leads").json[0]["ruleset_names"] == {}
    assert api.delete(f"/rulesets/{second.ruleset_id}").status_code == 404


def test_an_empty_change_changes_nothing(api, world):
    path = f"/rulesets/{world.primary.ruleset_id}"

    assert api.put(path, {}).json == api.get("/rulesets").json[0]


@pytest.mark.parametrize("field", ["name", "score_column", "is_primary", "active"])
def test_what_a_ruleset_cannot_be_without_cannot_be_null(api, world, field):
    response = api.put(f"/rulesets/{world.primary.ruleset_id}", {field: None})

    assert response.status_code == 400
    assert list(response.json["fields"]) == [field]


@pytest.mark.parametrize("ruleset_id", ["rs_default", NOBODYS])
def test_a_ruleset_that_is_not_there_is_not_found(api, ruleset_id):
    response = api.put(f"/rulesets/{ruleset_id}", {"name": "x"})

    assert response.status_code == 404
    assert response.json["code"] == "ruleset_not_found"
