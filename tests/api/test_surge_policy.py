"""The surge policy: how a session of many events multiplies what each is worth."""

from __future__ import annotations

import pytest

from leadvibe.scoring import queries

PATH = "/settings/ou/surge-policy"
STANDARD = {
    "mode": "standard",
    "bands": [
        {"min_events": 1, "multiplier": 1.0},
        {"min_events": 3, "multiplier": 1.25},
        {"min_events": 5, "multiplier": 1.5},
        {"min_events": 10, "multiplier": 2.0},
    ],
    "idle_reset_seconds": 1800,
    "multiplier_cap": 2.0,
}
CUSTOM = {
    "mode": "custom",
    "bands": [{"min_events": 2, "multiplier": 1.1}, {"min_events": 4, "multiplier": 3}],
    "idle_reset_seconds": 60,
    "multiplier_cap": 2.5,
}


@pytest.fixture
def owner(call_as, world):
    return call_as("owner")


def policy(response):
    assert response.status_code == 200, response.text
    return {name: response.json[name] for name in STANDARD}


def test_nobody_having_chosen_it_is_the_standard_one(call_as, people, world):
    response = call_as("viewer").get(PATH)

    assert policy(response) == STANDARD
    assert response.json["unit_id"] == str(people.unit.unit_id)
    assert response.json["org_id"] == str(people.organization.org_id)


def test_a_custom_policy_is_kept_as_it_is_given(owner):
    assert policy(owner.put(PATH, CUSTOM)) == CUSTOM
    assert policy(owner.get(PATH)) == CUSTOM


@pytest.mark.parametrize(
    ("mode", "bands", "cap"),
    [("standard", (1, 3, 5, 10), 2.0), ("gentle", (1, 5, 10, 20), 1.5), ("off", (), 1.0)],
)
def test_a_preset_replaces_bands_idle_reset_and_cap(owner, mode, bands, cap):
    owner.put(PATH, CUSTOM)

    chosen = policy(owner.put(PATH, CUSTOM | {"mode": mode}))

    assert tuple(band["min_events"] for band in chosen["bands"]) == bands
    assert (chosen["idle_reset_seconds"], chosen["multiplier_cap"]) == (1800, cap)


def test_custom_has_the_usual_idle_reset_and_the_widest_cap(owner):
    chosen = policy(owner.put(PATH, {"mode": "custom", "bands": CUSTOM["bands"]}))

    assert (chosen["idle_reset_seconds"], chosen["multiplier_cap"]) == (1800, 3.0)


@pytest.mark.parametrize("number", [1, 1.01, 1.1, 1.15, 1.29, 2.55, 2.99])
def test_every_multiplier_of_two_decimals_is_exact(owner, number):
    bands = [{"min_events": 1, "multiplier": number}]

    chosen = policy(owner.put(PATH, CUSTOM | {"bands": bands, "multiplier_cap": number}))

    assert chosen["bands"][0]["multiplier"] == chosen["multiplier_cap"] == number


def band(place=1, multiplier=1.5):
    return {"min_events": place, "multiplier": multiplier}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"mode": "wild"}, "mode"),
        ({"mode": None}, "mode"),
        ({"bands": []}, "bands"),
        ({"bands": None}, "bands"),
        ({"bands": [band(place) for place in range(1, 52)]}, "bands"),
        ({"bands": [band(0)]}, "bands.0.min_events"),
        ({"bands": [band(10_001)]}, "bands.0.min_events"),
        ({"bands": [band(1.5)]}, "bands.0.min_events"),
        ({"bands": [band(3), band(3)]}, "bands.1.min_events"),
        ({"bands": [band(3), band(2)]}, "bands.1.min_events"),
        ({"bands": [band(1, 1.5), band(2, 1.25)]}, "bands.1.multiplier"),
        ({"bands": [band(1, 0.99)]}, "bands.0.multiplier"),
        ({"bands": [band(1, 1.125)]}, "bands.0.multiplier"),
        ({"bands": [band(1, "1.5")]}, "bands.0.multiplier"),
        ({"bands": [band(1, True)]}, "bands.0.multiplier"),
        ({"idle_reset_seconds": 0}, "idle_reset_seconds"),
        ({"idle_reset_seconds": 0.5}, "idle_reset_seconds"),
        ({"multiplier_cap": 0.9}, "multiplier_cap"),
        ({"multiplier_cap": 3.01}, "multiplier_cap"),
        ({"multiplier_cap": 1.005}, "multiplier_cap"),
    ],
)
def test_a_bad_policy_is_refused_by_field(owner, change, field):
    response = owner.put(PATH, CUSTOM | change)

    assert response.status_code == 400
    assert list(response.json["fields"]) == [field]
    assert policy(owner.get(PATH)) == STANDARD


def test_a_change_makes_a_version_and_choosing_the_same_none(owner, world):
    before = queries.current_version(world.scope)

    owner.put(PATH, {"mode": "standard"})
    assert queries.current_version(world.scope) == before

    owner.put(PATH, {"mode": "gentle"})
    owner.put(PATH, {"mode": "gentle"})
    assert queries.current_version(world.scope) == before + 1
    summary = queries.get_config_version(world.scope, before + 1).summary
    assert summary == "Session surge is gentle now"


def test_the_policy_multiplies_events_that_come_from_then_on(owner, world):
    world.add_rule("page_view", 10)
    owner.put(PATH, {"mode": "custom", "bands": [band(2, 1.5)]})

    world.happen("page_view", "ld_1")
    world.happen("page_view", "ld_1")

    assert owner.get("/score/ld_1").json["score"] == 25


def test_the_policy_of_another_unit_stays(call_as, owner):
    owner.put(PATH, CUSTOM)

    assert policy(call_as("stranger").get(PATH)) == STANDARD
    assert policy(call_as("admin").get(PATH)) == CUSTOM
