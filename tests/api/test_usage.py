"""How many events an organisation uses a month."""

from __future__ import annotations

import pytest

from leadvibe.events import usage
from leadvibe.lib.clock import utc_now


def this_month():
    return usage.month_of(utc_now()).isoformat()[:7]


def test_the_events_of_this_month_are_told_with_the_organisation(call_as, people, world):
    world.happen("page_view", "ld_1")
    world.happen("page_view", "ld_2")

    told = call_as("viewer").get("/usage").json

    assert (told["org_id"], told["org_name"]) == (str(people.organization.org_id), "Acme")
    assert (told["month"], told["monthly_events"]) == (this_month(), 2)
    assert (told["monthly_limit"], told["overage"]) == (None, 0)
    assert told["ou_monthly_events"] == 2
    assert told["history"][-1] == {"month": this_month(), "events": 2, "overage": 0}


@pytest.mark.parametrize(("limit", "overage"), [(5, 0), (2, 0), (1, 1), (0, 2)])
def test_overage_is_what_lies_beyond_the_limit(app, call_as, world, monkeypatch, *, limit, overage):
    monkeypatch.setitem(app.config, "MONTHLY_EVENT_LIMIT", limit)
    for lead_id in ("ld_1", "ld_2"):
        world.happen("page_view", lead_id)

    told = call_as("viewer").get("/usage").json

    assert (told["monthly_limit"], told["overage"]) == (limit, overage)


def test_deleting_events_gives_nothing_back(call_as, world):
    world.happen("page_view", "ld_1")
    owner = call_as("owner")
    [event] = owner.get("/events").json

    owner.delete("/events/batch", {"ids": [event["id"]]})

    assert owner.get("/usage").json["monthly_events"] == 1


def test_another_organisation_uses_what_it_uses(call_as, world, elsewhere):
    world.happen("page_view", "ld_1")

    told = call_as("stranger").get("/usage").json

    assert (told["org_name"], told["monthly_events"]) == ("Elsewhere", 0)


def test_the_answer_does_not_read_events(call_as, world, statements):
    world.happen("page_view", "ld_1")
    viewer = call_as("viewer")
    statements.clear()

    viewer.get("/usage")

    assert not [it for it in statements if "FROM events" in it]
