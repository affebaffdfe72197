"""Asking what a trigger would have done, of one that is there and of one that is not yet."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leadvibe.engine.triggers import TriggerKind
from tests.api.trigger_examples import DAY, add_trigger

HOUR = timedelta(hours=1)
PATHS = {
    TriggerKind.MILESTONE: "/triggers",
    TriggerKind.SEQUENCE: "/sequences",
    TriggerKind.PATTERN: "/pattern-triggers",
    TriggerKind.SURGE: "/surge-triggers",
}
EACH_KIND = pytest.mark.parametrize("kind", TriggerKind)
DRAFTS = {
    "milestone": {"score_threshold": 5},
    "sequence": {"event_types": ["page_view"], "window_seconds": DAY},
    "pattern": {"conditions": [{"event_type": "page_view"}], "window_seconds": DAY},
    "surge": {"threshold_count": 1, "window_seconds": DAY},
}


@pytest.fixture
def owner(call_as, world):
    """Return the owner of a unit in which Ada has looked at a page, two hours ago."""
    world.add_rule("page_view", 5)
    world.happen("page_view", "ada", ago=2 * HOUR)
    return call_as("owner")


@EACH_KIND
def test_it_says_for_whom_it_would_have_fired(owner, world, kind):
    trigger = add_trigger(world, kind)

    answer = owner.post(f"{PATHS[kind]}/{trigger.trigger_id}/simulate")

    found = answer.json
    assert (found["would_fire"], found["total_matches"]) == (True, 1)
    [lead] = found["matched_leads"]
    assert (lead["lead_id"], lead["event_type"], lead["count"]) == ("ada", "page_view", 1)
    assert lead["score"] == (5 if kind is TriggerKind.MILESTONE else None)
    assert found["message"] == "It would have fired for 1 lead in the last 30 days."


@EACH_KIND
def test_it_says_when_it_would_have_done_nothing(owner, world, kind):
    trigger = add_trigger(world, kind)
    world.happen("unscored", "bo", ago=timedelta(days=3))

    body = {"lead_id": "bo", "days": 1}
    found = owner.post(f"{PATHS[kind]}/{trigger.trigger_id}/simulate", body).json

    assert found == {
        "would_fire": False,
        "matched_leads": [],
        "total_matches": 0,
        "message": "It would not have fired for bo in the last day.",
    }


def test_it_says_whom_filters_leave_out(owner, world):
    trigger = add_trigger(world, TriggerKind.MILESTONE)
    address = f"/triggers/{trigger.trigger_id}"
    only = [{"field": "plan", "operator": "equals", "value": "pro"}]
    assert owner.put(address, {"lead_attribute_filters": only}).status_code == 200

    message = owner.post(f"{address}/simulate").json["message"]

    assert message == (
        "It would not have fired for anybody in the last 30 days. Its filters leave out 1 lead."
    )


def test_a_lead_that_there_is_not_is_not_found(owner, world):
    trigger = add_trigger(world, TriggerKind.SURGE)

    answer = owner.post(f"/surge-triggers/{trigger.trigger_id}/simulate", {"lead_id": "nobody"})

    assert (answer.status_code, answer.json["code"]) == (404, "lead_not_found")


def test_a_merged_lead_stands_for_the_one_it_is_part_of(owner, world):
    trigger = add_trigger(world, TriggerKind.SURGE)
    world.happen("page_view", "old")
    owner.post("/leads/merge", {"targetLeadId": "ada", "sourceLeadIds": ["old"]})

    body = {"lead_id": "old"}
    found = owner.post(f"/surge-triggers/{trigger.trigger_id}/simulate", body).json

    assert [it["lead_id"] for it in found["matched_leads"]] == ["ada"]


@pytest.mark.parametrize("days", [0, 366, "many"])
def test_it_looks_back_at_most_a_year(owner, world, days):
    trigger = add_trigger(world, TriggerKind.MILESTONE)

    answer = owner.post(f"/triggers/{trigger.trigger_id}/simulate", {"days": days})

    assert (answer.status_code, list(answer.json["fields"])) == (400, ["days"])


def test_a_preview_of_a_surge_says_how_often(owner, world):
    trigger = add_trigger(world, TriggerKind.SURGE)
    world.happen("page_view", "ada", ago=HOUR)
    world.happen("page_view", "bo", ago=3 * HOUR)

    found = owner.post(f"/surge-triggers/{trigger.trigger_id}/preview", {"days": 7}).json

    assert (found["would_have_fired"], found["leads"], found["days"]) == (3, 2, 7)
    assert [it["lead_id"] for it in found["sample_leads"]] == ["ada", "bo"]


class TestDrafts:
    @pytest.mark.parametrize(("kind", "draft"), DRAFTS.items(), ids=DRAFTS)
    def test_what_is_not_made_yet_can_be_tried_wherever_it_is_to_be_sent(self, owner, kind, draft):
        found = owner.post("/trigger-simulations", {kind: draft}).json

        assert [it["lead_id"] for it in found["matched_leads"]] == ["ada"]
        assert all(owner.get(path).json == [] for path in PATHS.values())

    def test_exactly_one_is_tried(self, owner):
        for body in ({}, {it: DRAFTS[it] for it in ("surge", "milestone")}):
            assert owner.post("/trigger-simulations", body).status_code == 400

    def test_what_is_wrong_with_it_is_named(self, owner):
        test = {"field": "n", "operator": "equals"}
        draft = {"score_threshold": 1, "profile_filters": [test], "profile_levels": ["Lukewarm"]}

        answer = owner.post("/trigger-simulations", {"milestone": draft})

        assert answer.status_code == 400
        assert "milestone.profile_filters.0.value" in answer.json["fields"]
        del draft["profile_filters"]
        answer = owner.post("/trigger-simulations", {"milestone": draft})
        assert "milestone.profile_levels.0" in answer.json["fields"]

    def test_a_stranger_tries_among_their_own(self, owner, call_as):
        body = {"surge": DRAFTS["surge"]}

        assert call_as("stranger").post("/trigger-simulations", body).json["total_matches"] == 0
