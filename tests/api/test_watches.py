"""The watch list of a member: what they expected of leads, and how these have moved since."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.lib.queue import JobQueue
from leadvibe.pipeline import deletion


@pytest.fixture
def viewer(call_as):
    return call_as("viewer")


@pytest.fixture
def leads(world):
    world.add_rule("page_view", 5)
    world.happen("page_view", "ana", email="ana@x.test", ago=timedelta(hours=2))
    world.happen("page_view", "bo", email="bo@x.test", ago=timedelta(hours=1))
    return world


def watched(caller):
    return caller.get("/watched-leads").json["watched_leads"]


def test_a_watched_lead_shows_its_score_then_and_now(viewer, leads):
    body = {"prediction": "will_convert", "prediction_notes": "Asked for a quote."}
    made = viewer.post("/leads/ana/watch", body)
    leads.happen("page_view", "ana")
    leads.happen("page_view", "ana")

    [entry] = watched(viewer)

    assert made.status_code == 201
    assert made.json == {
        "watch_id": entry["watch_id"], "lead_id": "ana", "message": "lead watched",
    }  # fmt: skip
    assert entry["lead_name"] == "ana@x.test"
    assert (entry["prediction"], entry["prediction_notes"]) == (
        "will_convert", "Asked for a quote.",
    )  # fmt: skip
    scores = (entry["score_at_watch"], entry["current_score"], entry["score_change"])
    assert scores == (5, 15, 10)
    assert (entry["outcome"], entry["outcome_at"]) == ("pending", None)


def test_an_order_after_watching_is_the_outcome(viewer, api, leads):
    order = {"lead_id": "ana", "amount": 10, "currency": "EUR"}
    long_ago = (utc_now() - timedelta(days=1)).isoformat()
    api.post("/orders", {**order, "order_id": "old", "ordered_at": long_ago})
    viewer.post("/leads/ana/watch", {})
    viewer.post("/leads/bo/watch", {})
    assert [it["outcome"] for it in watched(viewer)] == ["pending", "pending"]
    api.post("/orders", {**order, "order_id": "new"})

    outcomes = {it["lead_id"]: (it["outcome"], it["outcome_at"]) for it in watched(viewer)}

    assert outcomes["ana"][0] == "converted"
    assert outcomes["ana"][1] is not None
    assert outcomes["bo"] == ("pending", None)


def test_watching_again_changes_the_prediction_and_nothing_else(viewer, leads):
    viewer.post("/leads/ana/watch", {"prediction": "will_convert"})
    [before] = watched(viewer)
    leads.happen("page_view", "ana")

    viewer.post("/leads/ana/watch", {"prediction": "will_not"})

    [after] = watched(viewer)
    assert after["prediction"] == "will_not"
    kept = ("watch_id", "watched_at", "score_at_watch")
    assert [after[name] for name in kept] == [before[name] for name in kept]


def test_everybody_has_a_list_of_their_own(viewer, call_as, leads):
    viewer.post("/leads/ana/watch", {})

    assert watched(call_as("owner")) == []
    assert call_as("owner").delete("/leads/ana/watch").status_code == 404
    assert call_as("stranger").post("/leads/ana/watch", {}).status_code == 404


def test_the_latest_is_first(viewer, leads):
    viewer.post("/leads/ana/watch", {})
    viewer.post("/leads/bo/watch", {})

    assert [it["lead_id"] for it in watched(viewer)] == ["bo", "ana"]


def test_who_stops_watching_watches_no_more(viewer, leads):
    viewer.post("/leads/ana/watch", {})

    assert viewer.delete("/leads/ana/watch").status_code == 204
    assert watched(viewer) == []
    assert viewer.delete("/leads/ana/watch").json["code"] == "watch_not_found"


def test_a_watch_follows_a_merge_and_comes_back_when_it_is_undone(viewer, api, leads):
    viewer.post("/leads/bo/watch", {"prediction": "b"})

    api.post("/leads/merge", {"targetLeadId": "ana", "sourceLeadIds": ["bo"]})
    merged = [(it["lead_id"], it["prediction"], it["current_score"]) for it in watched(viewer)]
    api.post("/leads/ana/unmerge", {})

    assert merged == [("ana", "b", 10)]
    assert [(it["lead_id"], it["prediction"]) for it in watched(viewer)] == [("bo", "b")]


def test_two_watches_that_have_become_one_lead_show_once(viewer, api, leads):
    viewer.post("/leads/ana/watch", {"prediction": "a"})
    viewer.post("/leads/bo/watch", {"prediction": "b"})

    api.post("/leads/merge", {"targetLeadId": "ana", "sourceLeadIds": ["bo"]})

    assert [(it["lead_id"], it["prediction"]) for it in watched(viewer)] == [("ana", "a")]
    viewer.delete("/leads/bo/watch")
    assert watched(viewer) == []


def test_a_watch_goes_with_its_lead(app, viewer, people, leads):
    viewer.post("/leads/ana/watch", {})

    deletion.request_deletion(
        leads.principal, people.scope, "ana",
        queue=JobQueue(app.extensions["leadvibe.redis"]), now=utc_now(),
    )  # fmt: skip
    commit()

    assert watched(viewer) == []
    assert driver().execute("SELECT count(*) FROM lead_watches").fetchone() == (0,)
    assert viewer.post("/leads/ana/watch", {}).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"prediction": "x" * 101}, "prediction"),
        ({"prediction": ""}, "prediction"),
        ({"prediction_notes": "a\x00b"}, "prediction_notes"),
    ],
)
def test_what_cannot_be_kept_is_refused(viewer, leads, body, field):
    response = viewer.post("/leads/ana/watch", body)

    assert response.status_code == 400
    assert list(response.json["fields"]) == [field]


def test_the_list_costs_the_same_for_many_leads(viewer, leads, statements):
    for name in ("ana", "bo"):
        viewer.post(f"/leads/{name}/watch", {})
    statements.clear()
    watched(viewer)
    few = len(statements)
    for number in range(5):
        leads.happen("page_view", f"lead{number}")
        viewer.post(f"/leads/lead{number}/watch", {})
    statements.clear()

    assert len(watched(viewer)) == 7
    assert len(statements) == few
