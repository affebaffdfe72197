"""Versions of the configuration: every change makes one, and each can be gone back to."""

from __future__ import annotations

import pytest

DECAY = {"inactive_for": 30, "unit": "days", "decrease": 25}


@pytest.fixture
def owner(call_as, world):
    return call_as("owner")


def latest(caller):
    return caller.get("/scoring/versions", limit=1).json[0]


def test_versions_tell_what_changed_and_who_did_it_newest_first(call_as, owner, people, world):
    world.add_rule("demo", 50)
    owner.post("/decays", DECAY)

    response = call_as("viewer").get("/scoring/versions", limit=2)

    assert response.headers["X-Total-Count"] == "3"
    assert [(it["version"], it["summary"]) for it in response.json] == [
        (3, "Added decay: 25 points less after 30 days without activity"),
        (2, "Engagement: demo is worth +50"),
    ]
    assert response.json[0]["created_by"] == people.owner.email
    assert [it["version"] for it in owner.get("/scoring/versions", limit=2, page=2).json] == [1]


def test_a_version_holds_its_whole_configuration(owner, world):
    world.add_rule("demo", 50)
    world.add_rule("page_view", 1)

    version = owner.get("/scoring/versions/2").json

    assert version["summary"] == "Engagement: demo is worth +50"
    [rule] = version["config"]["rulesets"][0]["rules"]
    assert (rule["event_type"], rule["weight"]) == ("demo", 50)
    assert version["config"]["version"] == 2


def test_the_difference_between_two_versions_is_told_in_words(owner, world):
    rule = world.add_rule("demo", 50)
    owner.put(f"/rules/{rule.rule_id}", {"weight": 80})

    assert owner.get("/scoring/versions/2/diff/3").json == [
        {
            "kind": "rule",
            "name": "demo in Engagement",
            "before": "+50 points",
            "after": "+80 points",
            "sentence": "Rule demo in Engagement: +80 points instead of +50 points",
        }
    ]
    [removed] = owner.get("/scoring/versions/3/diff/1").json
    assert removed["sentence"] == "Removed rule demo in Engagement (+80 points)"
    assert owner.get("/scoring/versions/3/diff/3").json == []


def test_going_back_makes_a_new_version(call_as, owner, world):
    rule = world.add_rule("demo", 50)
    owner.delete(f"/rules/{rule.rule_id}")

    response = call_as("operator").post("/scoring/versions/2/restore")

    assert response.status_code == 200
    assert response.json == {
        "version": 4,
        "changes": ["Added rule demo in Engagement: +50 points"],
    }
    assert latest(owner)["summary"] == "Went back to version 2"
    assert [it["rule_id"] for it in owner.get("/rules").json] == [str(rule.rule_id)]
    assert owner.get("/scoring/versions/2/diff/4").json == []


def test_going_back_to_where_one_is_changes_nothing(owner):
    assert owner.post("/scoring/versions/1/restore").json == {"version": 1, "changes": []}
    assert latest(owner)["version"] == 1


def test_going_back_does_not_rewrite_history(owner, world):
    world.add_rule("demo", 50)
    world.happen("demo", "ld_1")
    owner.post("/scoring/versions/1/restore")

    assert owner.get("/score/ld_1").json["score"] == 50
    world.happen("demo", "ld_1")
    assert owner.get("/score/ld_1").json["score"] == 50


@pytest.mark.parametrize("number", ["0", "99", "-1", "first", "9" * 30, "2147483648"])
def test_a_version_that_is_not_there_is_not_found(owner, number):
    for response in (
        owner.get(f"/scoring/versions/{number}"),
        owner.get(f"/scoring/versions/1/diff/{number}"),
        owner.get(f"/scoring/versions/{number}/diff/1"),
        owner.post(f"/scoring/versions/{number}/restore"),
    ):
        assert response.status_code == 404
        assert response.json["code"] == "version_not_found"


def test_a_viewer_may_look_and_not_go_back(call_as, owner):
    viewer = call_as("viewer")

    assert viewer.get("/scoring/export").status_code == 200
    assert viewer.post("/scoring/versions/1/restore").status_code == 403
    assert viewer.post("/scoring/import", viewer.get("/scoring/export").json).status_code == 403


def test_what_is_exported_can_be_imported_again(owner, world):
    world.add_rule("demo", 50)
    owner.post("/decays", DECAY)
    kept = owner.get("/scoring/export").json
    owner.delete(f"/rulesets/{world.primary.ruleset_id}")
    owner.delete(f"/decays/{owner.get('/decays').json[0]['decay_id']}")

    response = owner.post("/scoring/import", kept)

    assert response.status_code == 200
    assert len(response.json["changes"]) == 3
    now = owner.get("/scoring/export").json
    assert now | {"version": 0} == kept | {"version": 0}


def test_a_configuration_is_carried_to_another_unit(call_as, owner, world):
    rule = world.add_rule("demo", 50)
    kept = owner.get("/scoring/export").json
    stranger = call_as("stranger")

    assert stranger.post("/scoring/import", kept).status_code == 200

    assert [it["rule_id"] for it in stranger.get("/rules").json] == [str(rule.rule_id)]
    assert len(owner.get("/rules").json) == 1
    assert latest(stranger)["summary"] == "Imported a configuration"


def test_an_import_names_every_bad_field_and_changes_nothing(owner):
    document = owner.get("/scoring/export").json
    document["rulesets"][0]["rules"] = [{"event_type": "x"}, {"weight": "5", "event_type": "y"}]
    document["levels"][0]["min_score"] = None
    document["ruleset"] = []

    response = owner.post("/scoring/import", document)

    assert response.status_code == 400
    assert response.json["fields"] == {
        "rulesets.0.rules.0.weight": "is missing: it is required",
        "rulesets.0.rules.1.weight": "must be a whole number",
        "levels.0.min_score": "must be a whole number",
        "ruleset": "is not known here: remove it",
    }
    assert latest(owner)["version"] == 1


def test_an_import_names_every_field_that_does_not_fit_the_rest(owner):
    document = owner.get("/scoring/export").json
    document["levels"][1]["min_score"] = 0
    document["rulesets"] *= 2

    response = owner.post("/scoring/import", document)

    assert response.status_code == 400
    assert response.json["code"] == "bad_config"
    assert set(response.json["fields"]) == {
        "rulesets.1.ruleset_id",
        "rulesets.1.name",
        "rulesets.1.is_primary",
        "levels.1.min_score",
    }
    assert latest(owner)["version"] == 1


def test_an_import_leaves_alone_what_is_the_organisations(call_as, owner):
    document = owner.get("/scoring/export").json
    document["allow_negative_scores"] = document["policies"]["abm_enabled"] = True

    assert call_as("admin").post("/scoring/import", document).json["changes"] == []
    assert owner.get("/settings/scoring").json["allow_negative_scores"] is False
