"""Backfills by the API: done within the request, or followed."""

from __future__ import annotations

from uuid import UUID

import pytest

from leadvibe.api import backfills as api_backfills
from leadvibe.imports import backfills
from leadvibe.lib.db import driver
from tests.api.test_profile import Names, catch_up, enable_accounts, make_rule, make_set

NOBODYS = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def told(world):
    world.happen("visit", "ada", email="ada@acme.test", plan="pro")
    world.happen("visit", "bob", email="bob@gmail.com", plan="free")
    world.happen("visit", "eve")


def test_mappings_are_applied_to_all_events_there_are(api, told):
    api.post("/profile-mappings", {"source_field": "plan", "profile_property": "tier"})

    response = api.post("/profile-mappings/apply")

    assert response.status_code == 200
    assert (response.json["leads_processed"], response.json["leads_updated"]) == (3, 2)
    assert response.json["status"] == "finished"
    assert api.get("/leads/ada").json["lead"]["metadata"] == {"tier": "pro"}
    assert api.post("/admin/backfill/profile-mappings").json["leads_updated"] == 0


def test_accounts_are_found_and_profiles_scored(call_as, api, world, told):
    profile = Names("profile")
    make_rule(api, profile, make_set(api, profile), profile_property="tier", comparison_value="pro")
    api.post("/profile-mappings", {"source_field": "plan", "profile_property": "tier"})
    catch_up(world)
    # As it is when the walk that follows the switch has not come by yet.
    enable_accounts(world)

    done = call_as("operator").post("/admin/backfill/accounts").json

    assert (done["leads_processed"], done["accounts_linked"], done["accounts_created"]) == (3, 1, 1)
    assert done["profile_scores_updated"] == 3
    assert list(api.get("/score/ada").json["profile_scores"].values()) == [20]
    assert api.get("/accounts").json["accounts"][0]["leads_count"] == 1


def test_leads_that_were_unlinked_are_linked_again(call_as, api, world, told):
    enable_accounts(world)
    catch_up(world)
    api.delete("/accounts/batch", {"ids": ["acme.test"]})

    call_as("operator").post("/admin/backfill/accounts")

    assert api.get("/leads/ada").json["lead"]["account_id"] == "acme.test"


def test_events_are_told_their_account(call_as, api, world, told):
    enable_accounts(world)
    catch_up(world)
    world.happen("visit", "ada", accountId="acme.test")
    operator = call_as("operator")

    done = operator.post("/admin/backfill/event-accounts").json

    assert (done["events_scanned"], done["events_updated"]) == (4, 1)
    assert done["leads_without_account"] == 2
    assert {it["metadata"].get("accountId") for it in api.get("/events/ada").json} == {"acme.test"}
    assert operator.post("/admin/backfill/event-accounts").json["events_updated"] == 0


def test_what_takes_longer_is_left_to_a_worker_and_followed(api, world, told, monkeypatch):
    monkeypatch.setattr(api_backfills, "PATIENCE_SECONDS", 0.0)

    response = api.post("/admin/backfill/profile-mappings")

    job_id = response.json["job_id"]
    assert response.status_code == 202
    assert response.headers["Location"] == f"/admin/backfill/{job_id}"
    assert (response.json["status"], response.json["percent"]) == ("running", 0)
    again = api.post("/admin/backfill/profile-mappings")
    assert again.json["job_id"] == job_id

    backfills.advance_backfill(world.scope, UUID(job_id), is_stopping=lambda: False)

    followed = api.get(f"/admin/backfill/{job_id}").json
    assert (followed["status"], followed["percent"]) == ("finished", 100)
    assert followed["leads_processed"] == 3
    [waiting] = driver().execute("SELECT count(*) FROM backfills").fetchone()
    assert waiting == 1


def test_one_that_is_not_over_can_be_cancelled(call_as, api, world, told, monkeypatch):
    monkeypatch.setattr(api_backfills, "PATIENCE_SECONDS", 0.0)
    path = api.post("/admin/backfill/profile-mappings").headers["Location"]

    assert call_as("viewer").delete(path).status_code == 403
    assert api.delete(path).status_code == 204

    backfills.advance_backfill(
        world.scope, UUID(path.rpartition("/")[2]), is_stopping=lambda: False
    )
    cancelled = api.get(path).json
    assert (cancelled["status"], cancelled["leads_processed"]) == ("cancelled", 0)
    assert api.delete(path).status_code == 204
    assert call_as("stranger").get(path).status_code == 404
    assert api.get(f"/admin/backfill/{NOBODYS}").json["code"] == "backfill_not_found"
