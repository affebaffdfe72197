"""Levels: names for ranges of three kinds of score."""

from __future__ import annotations

import pytest

from leadvibe.engine.rules import LevelKind
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.scoring import levels, queries
from leadvibe.scoring.settings import update_settings

NOBODYS = "00000000-0000-0000-0000-000000000000"
KINDS = {
    "engagement-levels": ("stage_id", ["Cold", "Warm", "Hot", "Very Hot"]),
    "stages": ("stage_id", ["Cold", "Warm", "Hot", "Very Hot"]),
    "profile-levels": ("level_id", ["Poor Fit", "Okay Fit", "Strong Fit", "Perfect Fit"]),
    "account-levels": ("level_id", ["Low", "Medium", "High"]),
}
FREEZING = {"name": "Freezing", "min_score": -100, "max_score": -1}


@pytest.fixture
def with_accounts(world):
    update_settings(world.principal, world.scope, {"abm_enabled": True}, now=utc_now())
    commit()


@pytest.fixture(params=KINDS)
def noun(request, with_accounts):
    return request.param


def names(api, noun):
    return [level["name"] for level in api.get(f"/{noun}").json]


def test_a_new_unit_has_levels_of_every_kind(call_as, noun):
    response = call_as("viewer").get(f"/{noun}")

    id_name, expected = KINDS[noun]
    assert [level["name"] for level in response.json] == expected
    assert all(id_name in level for level in response.json)
    assert [level["order"] for level in response.json] == list(range(len(expected)))
    assert (response.json[0]["min_score"], response.json[-1]["max_score"]) == (0, None)


def test_a_level_is_made_changed_and_deleted(call_as, people, noun):
    operator = call_as("operator")
    made = operator.post(f"/{noun}", FREEZING)
    assert made.status_code == 201
    assert {name: made.json[name] for name in FREEZING} == FREEZING
    assert made.json["color"] == "#64748b"
    assert made.json["order"] == len(KINDS[noun][1])
    assert made.json["created_by"] == people.operator.email
    assert names(operator, noun) == ["Freezing", *KINDS[noun][1]]

    path = f"/{noun}/{made.json[KINDS[noun][0]]}"
    changed = call_as("owner").put(path, {"max_score": -50, "color": "#ABCDEF"})
    assert changed.status_code == 200
    assert (changed.json["min_score"], changed.json["max_score"]) == (-100, -50)
    assert changed.json["color"] == "#abcdef"
    assert changed.json["updated_by"] == people.owner.email
    assert changed.json["created_by"] == people.operator.email

    assert operator.delete(path).status_code == 204
    assert names(operator, noun) == KINDS[noun][1]
    assert operator.delete(path).status_code == 404


def test_kinds_do_not_mix(api, noun):
    other = next(it for it in KINDS if KINDS[it][1] != KINDS[noun][1])
    foreign = api.get(f"/{other}").json[0][KINDS[other][0]]

    assert api.delete(f"/{noun}/{foreign}").json["code"] == "level_not_found"
    assert api.put(f"/{noun}/{foreign}", {"name": "x"}).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"min_score": "0"}, "min_score"),
        ({"min_score": None}, "min_score"),
        ({"min_score": 2**31}, "min_score"),
        ({"max_score": 1.5}, "max_score"),
        ({"max_score": -101}, "max_score"),
        ({"color": "red"}, "color"),
        ({"color": "#12345"}, "color"),
        ({"order": -1}, "order"),
    ],
)
def test_a_bad_level_is_refused_by_field(api, world, change, field):
    level = api.post("/profile-levels", FREEZING).json

    made = api.post("/profile-levels", FREEZING | {"name": "Other"} | change)
    changed = api.put(f"/profile-levels/{level['level_id']}", change)

    for response in (made, changed):
        assert response.status_code == 400, response.text
        assert list(response.json["fields"]) == [field]
    assert names(api, "profile-levels")[0] == "Freezing"


@pytest.mark.parametrize("field", FREEZING)
def test_no_bound_and_no_name_may_be_missing(api, world, field):
    response = api.post("/stages", {name: FREEZING[name] for name in FREEZING if name != field})

    assert response.json["fields"] == {field: "is missing: it is required"}


@pytest.mark.parametrize(
    ("bounds", "field", "other"),
    [
        ((24, 24), "min_score", "Cold (0 to 24)"),
        ((-10, 0), "max_score", "Cold (0 to 24)"),
        ((-10, 1000), "max_score", "Cold (0 to 24)"),
        ((-10, None), "max_score", "Cold (0 to 24)"),
        ((1000, None), "min_score", "Very Hot (75 and more)"),
    ],
)
def test_levels_that_overlap_are_refused(api, world, bounds, field, other):
    low, high = bounds

    response = api.post("/engagement-levels", {"name": "X", "min_score": low, "max_score": high})

    assert response.status_code == 400
    assert response.json["code"] == "level_overlap"
    assert response.json["fields"] == {field: f"overlaps with {other}"}


def test_a_change_must_not_overlap_either_but_may_touch_itself(api, world):
    cold = api.get("/engagement-levels").json[0]
    path = f"/engagement-levels/{cold['stage_id']}"

    assert api.put(path, {"max_score": 25}).json["code"] == "level_overlap"
    assert api.put(path, {"max_score": 20}).status_code == 200


def test_levels_of_different_kinds_may_overlap_and_share_a_name(api, world):
    assert api.post("/profile-levels", FREEZING).status_code == 201
    assert api.post("/engagement-levels", FREEZING).status_code == 201


def test_a_name_is_given_once_within_a_kind(api, world):
    response = api.post("/engagement-levels", FREEZING | {"name": "Hot"})

    assert response.status_code == 409
    assert "name" in response.json["fields"]


def test_the_last_level_cannot_be_deleted(api, noun):
    first, *rest = api.get(f"/{noun}").json
    id_name = KINDS[noun][0]
    for level in rest:
        api.delete(f"/{noun}/{level[id_name]}")

    response = api.delete(f"/{noun}/{first[id_name]}")

    assert response.status_code == 400
    assert response.json["code"] == "last_level"
    assert names(api, noun) == [first["name"]]


def test_a_lead_shows_a_changed_level_at_once(api, world):
    world.score_leads(ld_1=30)
    warm = api.get("/engagement-levels").json[1]

    api.put(f"/engagement-levels/{warm['stage_id']}", {"name": "Lukewarm"})
    assert api.get("/leads/search", q="ld_1").json[0]["engagement_level"] == "Lukewarm"

    api.delete(f"/engagement-levels/{warm['stage_id']}")
    assert api.get("/leads/search", q="ld_1").json[0]["engagement_level"] == "Unclassified"


def test_every_change_of_a_level_makes_a_version(api, world):
    made = api.post("/engagement-levels", FREEZING).json
    path = f"/engagement-levels/{made['stage_id']}"
    api.put(path, {"min_score": -200})
    api.put(path, {"min_score": -200})
    api.put(path, {})
    api.delete(path)

    current = queries.current_version(world.scope)
    summaries = [queries.get_config_version(world.scope, current - n).summary for n in (2, 1, 0)]
    assert summaries == [
        "Added engagement level Freezing: -100 to -1",
        "Changed engagement level Freezing: -200 to -1",
        "Deleted engagement level Freezing",
    ]


@pytest.mark.parametrize("level_id", ["st_hot", NOBODYS])
def test_a_level_that_is_not_there_is_not_found(api, noun, level_id):
    path = f"/{noun}/{level_id}"

    for response in (api.put(path, {"name": "x"}), api.delete(path)):
        assert response.status_code == 404
        assert response.json["code"] == "level_not_found"


def test_account_levels_are_there_only_where_accounts_are_scored(api, world):
    level = levels.list_stored_levels(world.scope, LevelKind.ACCOUNT)[0].level
    path = f"/account-levels/{level.level_id}"

    for response in (
        api.get("/account-levels"),
        api.post("/account-levels", FREEZING),
        api.put(path, {"name": "x"}),
        api.delete(path),
    ):
        assert response.status_code == 403
        assert response.json["code"] == "abm_disabled"


def test_a_stranger_finds_only_their_own(call_as, world):
    level = call_as("owner").post("/stages", FREEZING).json

    stranger = call_as("stranger")

    assert names(stranger, "stages") == KINDS["stages"][1]
    assert stranger.delete(f"/stages/{level['stage_id']}").status_code == 404
