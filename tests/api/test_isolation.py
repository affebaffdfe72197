"""What belongs to one unit is not there for another, whoever asks and however."""

from __future__ import annotations

from io import BytesIO

import pytest

from tests.api.notification_examples import add_delivery

LISTS = [
    "/leads", "/events", "/rules", "/rulesets", "/imports", "/dead-letters", "/secrets",
    "/notification-channels", "/deliveries", "/destinations",
]  # fmt: skip


@pytest.fixture
def furnished(world, call_as):
    """Put something of everything into Acme's unit."""
    rule = world.add_rule("page_view", 5)
    world.happen("page_view", "ld_1", email="ada@acme.test", plan="pro")
    world.fail()
    owner = call_as("owner")
    owner.post("/secrets", {"name": "Website"})
    add_delivery(world)
    file = (BytesIO(b"event_type,email\npage_view,ada@acme.test\n"), "events.csv")
    owner.send("POST", "/import", data={"file": file})
    return rule


@pytest.mark.parametrize("path", LISTS)
def test_a_stranger_sees_none_of_it_in_any_list(call_as, furnished, path):
    seen = {str(item) for item in call_as("owner").get(path).json}
    strange = {str(item) for item in call_as("stranger").get(path).json}

    assert seen
    assert not seen & strange


def test_a_stranger_finds_nothing_by_searching_counting_or_exporting(call_as, furnished):
    stranger = call_as("stranger")

    assert stranger.get("/leads/search", q="ada").json == []
    assert stranger.get("/events", metadata="plan:pro").headers["X-Total-Count"] == "0"
    assert stranger.get("/leads", limit=10).json["total"] == 0
    assert len(stranger.get("/events/export").text.splitlines()) == 1
    assert stranger.post("/scores/batch", {"lead_ids": ["ld_1"]}).json == []


def test_a_stranger_cannot_delete_what_it_names(call_as, furnished):
    [event] = call_as("owner").get("/events").json

    assert call_as("stranger").delete("/events/batch", {"ids": [event["id"]]}).json == {
        "deleted": 0
    }
    assert len(call_as("owner").get("/events").json) == 1


def test_two_units_may_use_the_same_lead_id_and_alias(call_as, world, elsewhere, furnished):
    elsewhere.add_rule("page_view", 70)
    elsewhere.happen("page_view", "ld_1", email="ada@acme.test")

    assert call_as("owner").get("/score/ld_1").json["score"] == 5
    assert call_as("stranger").get("/score/ld_1").json["score"] == 70


def test_a_cookie_for_a_unit_of_others_is_passed_over(app, people, call_as, furnished):
    headers = {**people.stranger.bearer, "Cookie": f"activeOu={people.unit.unit_id}"}

    assert app.test_client().get("/leads", headers=headers).json == []
