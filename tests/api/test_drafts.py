"""Drafts: a configuration is worked on without effect, and published when ready."""

from __future__ import annotations

import pytest

NOBODYS = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def owner(call_as, world):
    return call_as("owner")


@pytest.fixture
def draft(owner):
    return owner.post("/scoring/drafts", {"name": "Next year"}).json


def without_rulesets(draft):
    return {"config": draft["config"] | {"rulesets": []}}


def test_a_draft_is_a_copy_of_the_current_configuration(call_as, owner, people):
    response = call_as("operator").post("/scoring/drafts", {"name": " Next year "})

    assert response.status_code == 201
    draft = response.json
    assert (draft["name"], draft["base_version"], draft["is_outdated"]) == ("Next year", 1, False)
    assert draft["config"] == owner.get("/scoring/export").json
    assert draft["created_by"] == people.operator.email
    [listed] = call_as("viewer").get("/scoring/drafts").json
    assert listed == {name: value for name, value in draft.items() if name != "config"}
    assert call_as("viewer").get(f"/scoring/drafts/{draft['draft_id']}").json == draft


def test_a_draft_has_no_effect_until_it_is_published(call_as, owner, world, draft):
    world.add_rule("demo", 50)
    path = f"/scoring/drafts/{draft['draft_id']}"
    before = owner.get("/scoring/export").json

    owner.put(path, without_rulesets(draft))
    world.happen("demo", "ld_1")

    assert owner.get("/scoring/export").json == before
    assert owner.get("/score/ld_1").json["score"] == 50


def test_the_difference_to_the_current_configuration_is_told_in_words(owner, draft):
    path = f"/scoring/drafts/{draft['draft_id']}"
    assert owner.get(f"{path}/diff").json == []

    owner.put(path, without_rulesets(draft))

    [change] = owner.get(f"{path}/diff").json
    assert change["sentence"] == "Removed ruleset Engagement (primary)"


def test_publishing_makes_a_version_and_ends_the_draft(call_as, owner, draft):
    path = f"/scoring/drafts/{draft['draft_id']}"
    owner.put(path, without_rulesets(draft))

    response = call_as("operator").post(f"{path}/publish")

    assert response.status_code == 200
    assert response.json == {"version": 2, "changes": ["Removed ruleset Engagement (primary)"]}
    assert owner.get("/rulesets").json == []
    assert owner.get("/scoring/versions").json[0]["summary"] == "Published draft Next year"
    assert owner.get(path).status_code == 404


def test_publishing_over_the_changes_of_others_takes_force(owner, world, draft):
    world.add_rule("demo", 50)
    path = f"/scoring/drafts/{draft['draft_id']}"
    assert owner.get(path).json["is_outdated"] is True

    refused = owner.post(f"{path}/publish", {"force": False})
    assert refused.status_code == 409
    assert refused.json["code"] == "draft_outdated"
    assert "copy of version 1, and version 2 is in force" in refused.json["error"]
    assert len(owner.get("/rules").json) == 1

    forced = owner.post(f"{path}/publish", {"force": True})
    assert forced.json["changes"] == ["Removed rule demo in Engagement (+50 points)"]
    assert owner.get("/rules").json == []


def test_a_draft_can_be_renamed_and_thrown_away(owner, draft):
    path = f"/scoring/drafts/{draft['draft_id']}"

    renamed = owner.put(path, {"name": "This year"}).json
    assert (renamed["name"], renamed["config"]) == ("This year", draft["config"])

    assert owner.delete(path).status_code == 204
    assert owner.get("/scoring/drafts").json == []
    assert owner.delete(path).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"config": None}, "config"),
        ({"config": {"levels": [], "policies": {}}}, "config.rulesets"),
        (
            {"config": {"rulesets": [{"name": "A"}] * 2, "levels": [], "policies": {}}},
            "config.rulesets.1.name",
        ),
        (
            {"config": {"rulesets": [], "levels": [], "policies": {"surge": {"mode": "custom"}}}},
            "config.policies.surge.bands",
        ),
    ],
)
def test_a_bad_draft_is_refused_by_field(owner, draft, change, field):
    path = f"/scoring/drafts/{draft['draft_id']}"

    response = owner.put(path, change)

    assert response.status_code == 400
    assert list(response.json["fields"]) == [field]
    assert owner.get(path).json == draft


def test_a_name_is_given_once(owner, draft):
    response = owner.post("/scoring/drafts", {"name": "Next year"})

    assert response.status_code == 409
    assert "name" in response.json["fields"]


def test_a_unit_has_ten_drafts_at_most(owner):
    for number in range(10):
        assert owner.post("/scoring/drafts", {"name": f"Draft {number}"}).status_code == 201

    response = owner.post("/scoring/drafts", {"name": "One more"})

    assert response.status_code == 409
    assert response.json["code"] == "too_many_drafts"


def test_a_viewer_may_look_and_not_touch(call_as, draft):
    viewer, path = call_as("viewer"), f"/scoring/drafts/{draft['draft_id']}"

    assert viewer.get(path).status_code == viewer.get(f"{path}/diff").status_code == 200
    for response in (
        viewer.post("/scoring/drafts", {"name": "x"}),
        viewer.put(path, {"name": "x"}),
        viewer.post(f"{path}/publish"),
        viewer.delete(path),
    ):
        assert response.status_code == 403


@pytest.mark.parametrize("draft_id", ["first", NOBODYS])
def test_a_draft_that_is_not_there_is_not_found(owner, draft_id):
    path = f"/scoring/drafts/{draft_id}"

    for response in (
        owner.get(path),
        owner.put(path, {"name": "x"}),
        owner.get(f"{path}/diff"),
        owner.post(f"{path}/publish"),
        owner.delete(path),
    ):
        assert response.status_code == 404
        assert response.json["code"] == "draft_not_found"


def test_a_stranger_finds_none_of_it(call_as, draft):
    stranger, path = call_as("stranger"), f"/scoring/drafts/{draft['draft_id']}"

    assert stranger.get("/scoring/drafts").json == []
    assert stranger.get(path).status_code == stranger.post(f"{path}/publish").status_code == 404


def test_a_list_of_drafts_takes_the_same_statements_however_many(owner, draft, statements):
    owner.get("/scoring/drafts")
    few = len(statements)
    for number in range(5):
        owner.post("/scoring/drafts", {"name": f"Draft {number}"})
    statements.clear()

    owner.get("/scoring/drafts")

    assert len(statements) == few
