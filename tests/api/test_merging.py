"""Merging leads over the API."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.world import World


@pytest.fixture
def leads(world: World) -> World:
    """Let two leads be in the unit that an event has named together: ten points and five."""
    world.add_rule("page_view", 5)
    world.happen("page_view", "ana", email="ana@x.test", ago=timedelta(hours=3))
    world.happen("page_view", "ana", ago=timedelta(hours=2))
    world.happen("page_view", "bo", email="bo@x.test", ago=timedelta(days=2))
    world.happen("chat", "ana", email="bo@x.test", ago=timedelta(hours=1))
    return world


PLAN = {"targetLeadId": "ana", "sourceLeadIds": ["bo"]}


def test_a_preview_says_what_a_merge_would_move(api, leads):
    assert api.post("/leads/merge/preview", PLAN).json == {
        "target_lead_id": "ana",
        "source_lead_ids": ["bo"],
        "target_events": 3,
        "total_events": 1,
        "total_aliases": 1,
        "total_sessions": 1,
        "duplicate_aliases": 1,
        "target_score": 10,
        "source_scores": {"bo": 5},
        "account_conflict": False,
        "accounts": [],
    }
    assert len(api.get("/leads").json) == 2


def test_a_preview_warns_of_two_accounts(api, leads):
    api.put("/lead/ana", {"account_id": "acme"})
    api.put("/lead/bo", {"account_id": "globex"})

    seen = api.post("/leads/merge/preview", PLAN).json

    assert (seen["account_conflict"], seen["accounts"]) == (True, ["acme", "globex"])


def test_a_merge_says_what_it_did(api, leads):
    done = api.post("/leads/merge", PLAN).json

    assert done["target"]["id"] == "ana"
    assert (done["mergedSources"], done["movedEvents"], done["truncatedEvents"]) == (["bo"], 1, 0)
    ruleset = str(leads.primary.ruleset_id)
    assert done["rescore"] == {ruleset: {"before": 10, "after": 15}, "rulesets_updated": 1}
    assert [it["lead_id"] for it in api.get("/leads").json] == ["ana"]
    assert api.get("/score/bo").json["score"] == 15


def test_moved_events_say_whose_they_were(api, leads):
    api.post("/leads/merge", PLAN)

    events = api.get("/events/ana").json

    assert [event["original_lead_id"] for event in events] == [None, None, None, None, "bo"]
    assert events[0]["event_type"] == "lead_merged"
    assert events[0]["metadata"]["source_lead_ids"] == ["bo"]
    assert events[0]["channel"] == "system"


@pytest.mark.parametrize(
    ("truncate", "moved"),
    [
        ({"policy": "none"}, 1),
        (None, 1),
        ({}, 1),
        ({"policy": "limit", "keep": 0}, 0),
        ({"policy": "before", "before": "2020-01-01"}, 1),
        ({"policy": "before", "before": "2030-01-01T00:00:00Z"}, 0),
    ],
)
def test_a_merge_leaves_out_what_it_is_told_to(api, leads, truncate, moved):
    done = api.post("/leads/merge", {**PLAN, "truncate": truncate}).json

    assert (done["movedEvents"], done["truncatedEvents"]) == (moved, 1 - moved)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sourceLeadIds": []}, "sourceLeadIds"),
        ({"sourceLeadIds": ["ana"]}, "sourceLeadIds"),
        ({"sourceLeadIds": None}, "sourceLeadIds"),
        ({"sourceLeadIds": "bo"}, "sourceLeadIds"),
        ({"targetLeadId": ""}, "targetLeadId"),
        ({"truncate": {"policy": "some"}}, "truncate.policy"),
        ({"truncate": {"policy": "before"}}, "truncate.before"),
        ({"truncate": {"policy": "limit"}}, "truncate.keep"),
        ({"truncate": {"policy": "limit", "keep": -1}}, "truncate.keep"),
        ({"truncate": 5}, "truncate"),
    ],
)
def test_a_merge_that_makes_no_sense_is_refused(api, leads, change, field):
    response = api.post("/leads/merge", {**PLAN, **change})

    assert response.status_code == 400
    assert list(response.json["fields"]) == [field]
    assert len(api.get("/leads").json) == 2


@pytest.mark.parametrize("path", ["/leads/merge", "/leads/merge/preview"])
def test_a_lead_of_somebody_else_is_not_there(api, leads, elsewhere, path):
    elsewhere.happen("page_view", "zoe")

    for plan in ({"sourceLeadIds": ["zoe"]}, {"targetLeadId": "zoe"}):
        response = api.post(path, {**PLAN, **plan})
        assert (response.status_code, response.json["code"]) == (404, "lead_not_found")


def test_a_merged_lead_cannot_be_merged_again(api, leads):
    api.post("/leads/merge", PLAN)

    response = api.post("/leads/merge", {"targetLeadId": "bo", "sourceLeadIds": ["ana"]})

    assert (response.status_code, response.json["code"]) == (409, "already_merged")
    assert "'bo' was merged into 'ana'" in response.json["error"]


def test_unmerging_gives_the_leads_back(api, leads):
    api.post("/leads/merge", PLAN)

    done = api.post("/leads/ana/unmerge").json

    assert [lead["id"] for lead in done["restored"]] == ["bo"]
    assert (done["moved_events"], done["lost_events"]) == (1, {})
    assert done["rescore"]["rulesets_updated"] == 1
    assert {it["lead_id"]: it["score"] for it in api.get("/leads").json} == {"ana": 10, "bo": 5}
    assert [it["raw_value"] for it in api.get("/lead/bo/aliases").json] == ["bo@x.test"]


def test_unmerging_says_what_cannot_come_back(api, leads):
    api.post("/leads/merge", {**PLAN, "truncate": {"policy": "limit", "keep": 0}})

    done = api.post("/leads/ana/unmerge", {"sourceLeadIds": ["bo"]}).json

    assert done["lost_events"] == {"bo": 1}
    assert "do not come back" in done["message"]
    assert api.get("/score/bo").json["score"] == 0


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/leads/ana/unmerge", {}, 409, "not_merged"),
        ("/leads/ana/unmerge", {"sourceLeadIds": ["zoe"]}, 409, "not_merged"),
        ("/leads/ana/unmerge", {"sourceLeadIds": []}, 400, "invalid"),
        ("/leads/zoe/unmerge", {}, 404, "lead_not_found"),
    ],
)
def test_what_is_not_merged_cannot_be_taken_apart(api, leads, *, path, body, status, code):
    response = api.post(path, body)

    assert (response.status_code, response.json["code"]) == (status, code)


def test_suggestions_name_both_leads_and_what_they_share(api, leads):
    response = api.get("/leads/merge-suggestions")

    [suggestion] = response.json
    assert (suggestion["lead_id"], suggestion["other_lead_id"]) == ("ana", "bo")
    assert suggestion["aliases"] == [{"alias_kind": "email", "value": "bo@x.test"}]
    assert response.headers["X-Total-Count"] == "1"
    assert api.get("/leads/merge-suggestions", page=2, limit=1).json == []


def test_a_suggestion_can_be_dismissed_once(api, leads):
    pair = {"lead_id": "bo", "other_lead_id": "ana"}

    assert api.post("/leads/merge-suggestions/dismiss", pair).status_code == 204

    assert api.get("/leads/merge-suggestions").json == []
    again = api.post("/leads/merge-suggestions/dismiss", pair)
    assert (again.status_code, again.json["code"]) == (404, "merge_suggestion_not_found")


def test_a_stranger_is_suggested_nothing(call_as, leads):
    assert call_as("stranger").get("/leads/merge-suggestions").json == []
