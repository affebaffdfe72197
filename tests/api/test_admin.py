"""Sample data through the API. What it is made of: tests/imports."""

from __future__ import annotations

import pytest

from leadvibe.imports import sampling
from leadvibe.pipeline import process


@pytest.fixture
def sampled(world, call_as, small_sample):
    """Load the sample into the unit, beside an event of nobody's."""
    call_as("owner").post("/admin/seed")
    sampling.advance_sample(world.scope, ring=lambda: None)
    process.drain(world.scope)
    world.happen("page_view", "ld_real")
    return world


def test_what_is_asked_for_is_loaded_by_a_worker_and_watched(call_as, world, small_sample):
    owner = call_as("owner")

    nothing = owner.get("/admin/seed")
    asked = owner.post("/admin/seed")
    sampling.advance_sample(world.scope, ring=lambda: None)
    loaded = owner.get("/admin/seed")
    process.drain(world.scope)
    scored = owner.get("/admin/seed")

    answers = [nothing, asked, loaded, scored]
    assert [it.status_code for it in answers] == [200] * 4
    assert [it.json["status"] for it in answers] == [None, "queued", "scoring", "finished"]
    assert asked.json["message"] == "sample data is being loaded"
    assert scored.json["output"].startswith("20 leads, 200 events, ")
    assert scored.json["output"].endswith(" rules; 100 % scored")
    assert (scored.json["leads"], scored.json["scored"]) == (20, 200)


def test_a_unit_that_has_sample_data_gets_no_more(call_as, sampled):
    before = len(call_as("owner").get("/leads").json)

    response = call_as("owner").post("/admin/seed")
    sampling.advance_sample(sampled.scope, ring=lambda: None)

    assert response.status_code == 200
    assert response.json["message"] == "the unit has sample data"
    assert process.drain(sampled.scope) == 0
    assert len(call_as("owner").get("/leads").json) == before == 21


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/admin/seed/wipe"), ("DELETE", "/admin/seed")]
)
def test_wiping_takes_the_sample_and_nothing_else(call_as, sampled, method, path):
    response = call_as("owner").send(method, path)

    assert response.status_code == 200
    assert (response.json["events"], response.json["leads"]) == (200, 20)
    assert [it["lead_id"] for it in call_as("owner").get("/leads").json] == ["ld_real"]
    assert call_as("owner").get("/admin/seed").json["status"] is None


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/admin/seed"), ("GET", "/admin/seed"), ("POST", "/admin/seed/wipe")],
)
@pytest.mark.parametrize(
    ("name", "status"), [("anybody", 401), ("credential", 403), ("operator", 403), ("viewer", 403)]
)
def test_only_an_owner_may(call_as, world, *, name, status, method, path):
    assert call_as(name).send(method, path).status_code == status
    assert call_as("owner").get("/admin/seed").json["status"] is None
