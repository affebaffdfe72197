"""Event types: which there are, what they carry, and how far they reach."""

from __future__ import annotations

from urllib.parse import quote

import pytest

PATH = "/settings/ou/event-types"


@pytest.fixture
def owner(call_as, world):
    world.happen("page_view", "ld_1", url="/a", plan="pro")
    world.happen("page_view", "ld_1", url="/b", seats=5)
    world.happen("demo", "ld_2")
    return call_as("owner")


def types(caller):
    return {it["name"]: it for it in map(without_tag, caller.get(PATH).json)}


def without_tag(item):
    return {name: value for name, value in item.items() if name != "etag"}


def decide(caller, name, **choice):
    return caller.put(f"{PATH}/{quote(name, safe='')}", choice)


def test_types_are_listed_the_most_frequent_first(call_as, owner):
    assert owner.get("/event-types").json == ["page_view", "demo"]
    assert [it["name"] for it in call_as("viewer").get(PATH).json] == ["page_view", "demo"]


def test_a_type_tells_what_was_decided_and_how_often_it_came(owner, world):
    world.add_rule("demo", 50)

    assert types(owner) == {
        "page_view": {
            "name": "page_view",
            "hidden": False,
            "ou_event_count": 2,
            "protected": False,
            "deletable": True,
            "max_processing_scope": "activate",
        },
        "demo": {
            "name": "demo",
            "hidden": False,
            "ou_event_count": 1,
            "protected": True,
            "deletable": False,
            "max_processing_scope": "activate",
        },
    }


def test_naming_a_type_in_a_rule_makes_it(owner, world):
    world.add_rule("planned", 5)

    assert owner.get("/event-types").json == ["page_view", "demo", "planned"]
    assert types(owner)["planned"]["ou_event_count"] == 0


def test_a_hidden_type_is_left_out_and_its_rules_do_not_fire(call_as, owner, world):
    world.add_rule("page_view", 5)

    response = decide(call_as("operator"), "page_view", hidden=True)
    world.happen("page_view", "ld_1")

    assert (response.status_code, response.data) == (204, b"")
    assert owner.get("/event-types").json == ["demo"]
    assert types(owner)["page_view"]["hidden"] is True
    assert owner.get("/score/ld_1").json["score"] == 0

    decide(owner, "page_view", hidden=False)
    world.happen("page_view", "ld_3")
    assert owner.get("/score/ld_3").json["score"] == 5


def test_what_is_left_out_of_a_decision_stays(owner):
    decide(owner, "demo", hidden=True)
    decide(owner, "demo", max_processing_scope="decide")
    decide(owner, "demo")

    demo = types(owner)["demo"]
    assert (demo["hidden"], demo["max_processing_scope"]) == (True, "decide")


@pytest.mark.parametrize(
    ("choice", "field"),
    [
        ({"hidden": "yes"}, "hidden"),
        ({"hidden": None}, "hidden"),
        ({"max_processing_scope": "everything"}, "max_processing_scope"),
        ({"max_processing_scope": None}, "max_processing_scope"),
    ],
)
def test_a_bad_decision_is_refused_by_field(owner, choice, field):
    response = decide(owner, "demo", **choice)

    assert response.status_code == 400
    assert list(response.json["fields"]) == [field]


def test_our_own_type_is_protected(call_as, owner, world):
    world.happen("DECAY", "ld_1")

    response = decide(owner, "DECAY", hidden=True)

    assert response.status_code == 409
    assert response.json["code"] == "event_type_protected"
    assert types(owner)["DECAY"]["protected"] is True


def test_a_type_lists_what_its_events_carry(call_as, owner):
    assert call_as("credential").get("/event-types/page_view/properties").json == {
        "event_type": "page_view",
        "properties": ["plan", "seats", "url"],
    }
    assert owner.get("/event-types/demo/properties").json["properties"] == []


def test_a_type_may_be_called_anything(owner, world):
    name = "Größe: a/b? 100%"
    world.happen(name, "ld_1", colour="red")

    assert decide(owner, name, hidden=True).status_code == 204
    assert types(owner)[name]["hidden"] is True
    path = f"/event-types/{quote(name, safe='')}/properties"
    assert owner.get(path).json == {"event_type": name, "properties": ["colour"]}


def test_a_type_that_is_not_there_is_not_found(owner):
    for response in (owner.get("/event-types/nope/properties"), decide(owner, "nope", hidden=True)):
        assert response.status_code == 404
        assert response.json["code"] == "event_type_not_found"


def test_a_stranger_knows_none_of_them(call_as, owner):
    stranger = call_as("stranger")

    assert stranger.get("/event-types").json == stranger.get(PATH).json == []
    assert stranger.get("/event-types/page_view/properties").status_code == 404
