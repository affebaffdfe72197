"""Sample data through the API. What it is made of: tests/imports."""

from __future__ import annotations

import pytest

from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.pipeline import intake, process
from leadvibe.pipeline.intake import IncomingEvent


@pytest.fixture
def sampled(world):
    """Put an event of the sample's into the unit, and one of nobody's."""
    event = IncomingEvent(event_type="page_view", lead_id="ld_sample")
    intake.accept(world.scope, [event], source="seed", now=utc_now())
    commit()
    process.drain(world.scope)
    world.happen("page_view", "ld_real")
    return world


def test_a_unit_that_has_sample_data_gets_no_more(call_as, sampled):
    response = call_as("owner").post("/admin/seed")

    assert response.status_code == 200
    assert response.json["message"] == "the unit has sample data already"
    assert response.json["events"] == 0
    assert len(call_as("owner").get("/events").json) == 2


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/admin/seed/wipe"), ("DELETE", "/admin/seed")]
)
def test_wiping_takes_the_sample_and_nothing_else(call_as, sampled, method, path):
    response = call_as("owner").send(method, path)

    assert response.status_code == 200
    assert (response.json["events"], response.json["leads"]) == (1, 1)
    assert [it["lead_id"] for it in call_as("owner").get("/leads").json] == ["ld_real"]


@pytest.mark.parametrize("path", ["/admin/seed", "/admin/seed/wipe"])
@pytest.mark.parametrize(
    ("name", "status"), [("anybody", 401), ("credential", 403), ("operator", 403), ("viewer", 403)]
)
def test_only_an_owner_may(call_as, sampled, name, status, path):
    assert call_as(name).post(path).status_code == status
    assert len(call_as("owner").get("/events").json) == 2
