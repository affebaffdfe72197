"""Deleting leads and event types over the API."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leadvibe.api import deletion
from leadvibe.jobs import deletions
from leadvibe.lib.queue import open_queue
from tests.world import World


@pytest.fixture
def lead(world: World) -> World:
    world.add_rule("page_view", 5)
    world.happen("page_view", "ana", email="ana@x.test", ago=timedelta(hours=3))
    world.happen("chat", "ana", email="ana@x.test")
    return world


@pytest.fixture
def work(app):
    """Do what a worker would: return the names of the jobs that were sent, after doing them."""
    queue = open_queue(app.extensions["leadvibe.redis"])
    queue.connection.flushdb()

    def work() -> list[str]:
        jobs = queue.jobs
        for job in jobs:
            getattr(deletions, job.func_name.rpartition(".")[2])(*job.args)
        queue.empty()
        return [job.func_name for job in jobs]

    return work


def test_a_lead_is_deleted_in_the_background(api, lead, work):
    response = api.delete("/lead/ana")

    assert response.json == {"message": "Lead deletion initiated", "lead_id": "ana"}
    assert api.get("/lead/ana/deletion-status").json["status"] == "pending"
    assert api.get("/leads").json == []
    assert api.get("/leads/ana").status_code == 404
    assert api.get("/leads/search", q="ana").json == []
    assert work() == ["leadvibe.jobs.deletions.delete_lead"]

    status = api.get("/lead/ana/deletion-status").json
    assert (status["lead_id"], status["status"], status["events_deleted"]) == (
        "ana", "completed", 2,
    )  # fmt: skip
    assert api.get("/events").json == []
    assert api.delete("/lead/ana").status_code == 404


def test_a_later_event_of_the_same_alias_makes_a_new_lead(api, lead, work):
    api.delete("/lead/ana")
    lead.happen("page_view", email="ana@x.test")
    work()

    [found] = api.get("/leads").json

    assert (found["lead_id"] == "ana", found["score"]) == (False, 5)


def test_what_names_the_id_meanwhile_is_kept_for_a_new_lead(api, lead, work):
    api.delete("/lead/ana")
    lead.happen("page_view", "ana")
    assert api.get("/leads/ana").status_code == 404

    work()

    assert api.get("/score/ana").json["score"] == 5
    assert api.get("/lead/ana/aliases").json == []


@pytest.mark.parametrize("method", ["DELETE /lead/zoe", "GET /lead/ana/deletion-status"])
def test_what_is_not_there_is_not_found(api, lead, method):
    assert api.send(*method.split()).status_code == 404


def test_a_part_of_another_lead_is_not_deleted_by_itself(api, lead):
    lead.happen("page_view", "bo")
    api.post("/leads/merge", {"targetLeadId": "ana", "sourceLeadIds": ["bo"]})

    response = api.delete("/lead/bo")

    assert (response.status_code, response.json["code"]) == (409, "already_merged")


def test_a_dry_run_counts_and_deletes_nothing(api, lead):
    path = "/settings/ou/event-types/page_view"

    counted = api.get(f"{path}/events/dry-run").json

    assert counted == {"events_count": 1, "event_scores_count": 1}
    assert api.post(f"{path}/delete/dry-run").json == counted
    assert len(api.get("/events").json) == 2


def test_a_type_is_deleted_at_once_when_that_is_quick(api, lead, work):
    done = api.delete("/settings/ou/event-types/chat/events").json

    assert (done["events_deleted"], done["event_scores_deleted"]) == (1, 0)
    assert done["status"] == "completed"
    assert [event["event_type"] for event in api.get("/events").json] == ["page_view"]
    assert work() == []


def test_a_type_is_deleted_by_a_worker_when_it_takes_longer(api, lead, work, monkeypatch):
    monkeypatch.setattr(deletion, "PATIENCE_SECONDS", 0)
    path = "/settings/ou/event-types/chat/events"

    assert api.delete(path).json["status"] == "in_progress"
    assert work() == ["leadvibe.jobs.deletions.delete_event_type"]

    status = api.get(f"{path}/deletion-status").json
    assert (status["status"], status["events_deleted"]) == ("completed", 1)


def test_a_type_that_a_rule_scores_is_protected(api, lead):
    response = api.delete("/settings/ou/event-types/page_view/events")

    assert (response.status_code, response.json["code"]) == (409, "event_type_protected")
    assert "rule" in response.json["error"]


@pytest.mark.parametrize(
    "method",
    [
        "GET /settings/ou/event-types/never/events/dry-run",
        "DELETE /settings/ou/event-types/never/events",
        "GET /settings/ou/event-types/chat/events/deletion-status",
    ],
)
def test_a_type_that_is_not_there_is_not_found(api, lead, method):
    assert api.send(*method.split()).status_code == 404


def test_a_type_whose_name_holds_a_slash_can_be_deleted(api, lead):
    lead.happen("a/b", "ana")

    done = api.delete("/settings/ou/event-types/a/b/events").json

    assert done["events_deleted"] == 1
