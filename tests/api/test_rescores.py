"""Rescores over the API."""

from __future__ import annotations

from uuid import UUID

from leadvibe.rescoring.rewriting import advance_rescore


def test_a_rescore_is_started_and_followed(api, world):
    world.happen("page_view", "ld_1")
    world.add_rule("page_view", 5)

    response = api.post("/scoring/rescore")

    started, location = response.json, response.headers["Location"]
    assert response.status_code == 202
    assert (started["status"], started["leads_total"], started["leads_done"]) == ("queued", 1, 0)
    assert location == f"/scoring/rescores/{started['rescore_id']}"
    assert api.get(location).json == started
    assert api.get("/score/ld_1").json["score"] == 0
    advance_rescore(world.scope, UUID(started["rescore_id"]), ring=lambda: None)
    done = api.get(location).json
    assert (done["status"], done["percent"], done["leads_done"]) == ("finished", 100, 1)
    assert api.get("/score/ld_1").json["score"] == 5


def test_a_second_rescore_waits_its_turn(api, world):
    first = api.post("/scoring/rescore").json["rescore_id"]

    response = api.post("/scoring/rescore")

    assert (response.status_code, response.json["code"]) == (409, "rescore_running")
    assert first in response.json["error"]


def test_rescores_are_listed_the_latest_first(api, world):
    made = []
    for _ in range(3):
        made.append(api.post("/scoring/rescore").json["rescore_id"])
        advance_rescore(world.scope, UUID(made[-1]), ring=lambda: None)

    response = api.get("/scoring/rescores", limit=2)

    assert [it["rescore_id"] for it in response.json] == [made[2], made[1]]
    assert response.headers["X-Total-Count"] == "3"
