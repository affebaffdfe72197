"""Previews over the API: asked for, followed, looked into and cancelled."""

from __future__ import annotations

from uuid import UUID

import pytest

from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.rescoring import previewing
from leadvibe.scoring import drafts, queries, service
from leadvibe.scoring.settings import update_settings
from tests.factories import make_unit

NOTHING = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
def path(people):
    return f"/api/v1/ou/{people.unit.unit_id}/scoring/rescore-preview"


@pytest.fixture
def scored(world):
    """Let three leads have scores, and change what they were for since."""
    rule = world.add_rule("page_view", 30)
    for lead_id, visits in (("ld_1", 1), ("ld_2", 2), ("ld_3", 0)):
        for _ in range(visits):
            world.happen("page_view", lead_id)
        world.happen("unscored", lead_id)
    change(world, rule, weight=10)
    return rule


@pytest.fixture
def patience(monkeypatch):
    """Let no history be little, and nobody wait."""
    monkeypatch.setattr(previewing, "FEW_EVENTS", -1)
    monkeypatch.setattr("leadvibe.api.previews.PATIENCE_SECONDS", 0.0)


def change(world, rule, **changes):
    service.update_rule(world.principal, world.scope, rule.rule_id, changes, now=utc_now())
    commit()


def counts(found):
    names = ("totalLeads", "affectedLeads", "estimatedIncreases", "estimatedDecreases")
    return [found[name] for name in (*names, "estimatedUnchanged", "averageScoreChange")]


def test_little_history_is_previewed_at_once(api, path, scored):
    response = api.post(path)

    found = response.json
    assert response.status_code == 200
    # 30, 60 and 0 become 10, 20 and 0.
    assert counts(found) == [3, 2, 0, 2, 1, -20.0]
    assert (found["status"], found["percent"], found["subject"]) == (
        "finished", 100, "the current configuration",
    )  # fmt: skip
    assert found["executionTimeEstimate"] == "less than a second"
    levels = {it["level"]: (it["before"], it["after"]) for it in found["levels"]}
    assert levels == {
        "Cold": (1, 3), "Warm": (1, 0), "Hot": (1, 0), "Very Hot": (0, 0), "Unclassified": (0, 0),
    }  # fmt: skip
    assert sum(it["before"] for it in found["scores"]) == 3
    assert [(it["name"], it["decreases"]) for it in found["rulesets"]] == [("Engagement", 2)]


def test_the_leads_behind_a_preview_are_listed(api, path, scored):
    preview_id = api.post(path).json["previewId"]

    response = api.get(f"/scoring/previews/{preview_id}/leads", limit=1)

    assert response.headers["X-Total-Count"] == "2"
    assert response.json == [
        {
            "lead_id": "ld_2", "old_score": 60, "new_score": 20, "change": -40,
            "old_level": "Hot", "new_level": "Cold",
        }
    ]  # fmt: skip


def test_a_draft_an_older_version_and_any_configuration_can_be_previewed(api, path, scored, world):
    scope, before = world.scope, queries.current_version(world.scope) - 1
    draft = drafts.create_draft(world.principal, scope, "Bold", now=utc_now())
    change(world, scored, weight=30)
    exported = api.get("/scoring/export").json
    exported["rulesets"][0]["rules"][0]["weight"] = 20

    def asked(**body):
        found = api.post(path, body).json
        return found["subject"], found["averageScoreChange"]

    assert asked() == ("the current configuration", 0.0)
    assert asked(draft_id=str(draft.draft_id)) == ("draft Bold", -20.0)
    assert asked(version=before) == (f"version {before}", 0.0)
    assert asked(version=before + 1) == (f"version {before + 1}", -20.0)
    assert asked(config=exported) == ("a configuration of its own", -10.0)


def test_milestones_are_counted_when_thresholds_are_given(api, path, scored):
    found = api.post(path, {"thresholds": [50, 15]}).json

    assert found["milestones"] == [
        {"threshold": 15, "times": 1, "leads": 1, "entering": 0, "leaving": 1},
        {"threshold": 50, "times": 0, "leads": 0, "entering": 0, "leaving": 1},
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"version": 1, "draft_id": NOTHING}, "version"),
        ({"version": 0}, "version"),
        ({"config": {"rulesets": 5}}, "config.rulesets"),
        ({"thresholds": ["high"]}, "thresholds.0"),
        ({"thresholds": list(range(21))}, "thresholds"),
    ],
)
def test_a_bad_request_is_refused_by_field(api, path, body, field):
    response = api.post(path, body)

    assert response.status_code == 400
    assert field in response.json["fields"]


@pytest.mark.parametrize("body", [{"draft_id": NOTHING}, {"version": 999}])
def test_what_is_not_there_cannot_be_previewed(api, path, body):
    assert api.post(path, body).status_code == 404


def test_much_history_is_left_to_a_worker_and_followed(api, path, scored, patience, world):
    response = api.post(path)

    started = response.json
    location = response.headers["Location"]
    assert (response.status_code, started["status"], started["percent"]) == (202, "queued", 0)
    assert location == f"/scoring/previews/{started['previewId']}"
    assert api.get(location).json == started
    previewing.advance_preview(world.scope, UUID(started["previewId"]))
    assert counts(api.get(location).json) == [3, 2, 0, 2, 1, -20.0]


def test_a_preview_under_way_can_be_cancelled(api, path, scored, patience, world):
    location = api.post(path).headers["Location"]

    assert api.delete(location).json["status"] == "cancelled"

    previewing.advance_preview(world.scope, UUID(location.rpartition("/")[2]))
    assert api.get(location).json["status"] == "cancelled"


def test_previews_are_listed_the_latest_first(api, path, scored):
    made = [api.post(path).json["previewId"] for _ in range(3)]

    response = api.get("/scoring/previews", limit=2)

    assert [it["previewId"] for it in response.json] == [made[2], made[1]]
    assert response.headers["X-Total-Count"] == "3"


def test_profiles_are_previewed_by_themselves(api, people, scored):
    found = api.post(f"/api/v1/ou/{people.unit.unit_id}/profile-scoring/rescore-preview").json

    assert (found["kind"], counts(found)) == ("profile", [3, 0, 0, 0, 3, 0.0])
    assert found["levels"][0] == {"level": "Poor Fit", "before": 3, "after": 3}


def test_accounts_are_previewed_by_themselves_where_they_are_scored(api, people, world):
    path = f"/api/v1/ou/{people.unit.unit_id}/account-scoring/rescore-preview"
    refused = api.post(path)
    assert (refused.status_code, refused.json["code"]) == (403, "abm_disabled")

    update_settings(world.principal, world.scope, {"abm_enabled": True}, now=utc_now())
    world.happen("page_view", email="ann@acme.test")
    found = api.post(path).json

    assert (found["kind"], counts(found)) == ("account", [1, 0, 0, 0, 1, 0.0])


def test_the_unit_in_the_address_counts_whichever_is_active(call_as, people, path, scored):
    other = make_unit(people.organization, "Elsewhere in Acme")
    commit()
    admin = call_as("admin")

    def preview_in(unit_id):
        return admin.post(f"/api/v1/ou/{unit_id}/scoring/rescore-preview")

    assert preview_in(people.unit.unit_id).json["totalLeads"] == 3
    assert preview_in(other.unit_id).json["totalLeads"] == 0
    assert (
        call_as("owner").post(f"/api/v1/ou/{other.unit_id}/scoring/rescore-preview").json["code"]
        == "not_in_unit"
    )
    assert preview_in("nowhere").status_code == 404
    assert call_as("anybody").post(path).status_code == 401
    assert (
        call_as("credential")
        .post(f"/api/v1/ou/{other.unit_id}/scoring/rescore-preview")
        .status_code
        == 403
    )


def test_it_is_published_that_a_preview_may_take_longer(api, world):
    document = api.get("/openapi.json").json
    responses = document["paths"]["/api/v1/ou/{ouId}/scoring/rescore-preview"]["post"]["responses"]

    assert {"200", "202"} <= responses.keys()
    assert responses["202"]["content"] == responses["200"]["content"]
    assert "Location" in responses["202"]["headers"]
