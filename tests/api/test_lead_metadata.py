"""What is known about a lead, read and changed over the API."""

from __future__ import annotations

import pytest

from leadvibe.lib.ids import new_id
from tests.world import World


@pytest.fixture
def lead(world: World) -> World:
    world.happen("page_view", "ana", email="ana@x.test")
    return world


@pytest.mark.parametrize("path", ["/leads/ana", "/leads/ana/metadata", "/lead/ana/metadata"])
def test_a_patch_merges_and_null_removes(api, lead, path):
    api.send("PATCH", path, json={"plan": "pro", "size": 5})

    response = api.send("PATCH", path, json={"plan": None, "tags": ["a"]})

    assert response.json == {
        "id": "ana",
        "org_id": str(lead.scope.org_id),
        "unit_id": str(lead.scope.unit_id),
        "metadata": {"size": 5, "tags": ["a"]},
    }
    assert api.get("/leads/ana/profile").json == {"size": 5, "tags": ["a"]}


def test_a_lead_is_called_by_what_is_known_of_it(api, lead):
    api.send("PATCH", "/leads/ana", json={"first_name": "Ana", "company": "Acme"})

    assert [it["id"] for it in api.get("/leads/search", q="acme").json] == ["ana"]


@pytest.mark.parametrize("document", [[], "text", 5])
def test_metadata_is_an_object(api, lead, document):
    assert api.send("PATCH", "/leads/ana", json=document).status_code == 400


def test_metadata_stays_within_its_size_altogether(api, lead):
    half = "x" * 60_000
    assert api.send("PATCH", "/leads/ana", json={"a": half}).status_code == 200

    response = api.send("PATCH", "/leads/ana", json={"b": half})

    assert response.status_code == 413
    assert list(api.get("/leads/ana/profile").json) == ["a"]


def test_an_update_replaces_metadata_and_leaves_out_what_is_left_out(api, lead):
    api.put("/lead/ana", {"metadata": {"plan": "pro"}, "account_id": "acme"})

    updated = api.put("/lead/ana", {"metadata": {"size": 5}}).json

    assert updated["metadata"] == {"size": 5}
    assert updated["lead"]["account_id"] == "acme"
    assert api.get("/leads/ana/account").json == {
        "account_id": "acme", "name": "acme", "domain": None, "metadata": {},
    }  # fmt: skip


def test_a_lead_can_be_taken_out_of_its_account(api, lead):
    api.put("/lead/ana", {"account_id": "acme"})

    api.put("/lead/ana", {"account_id": None})

    assert api.get("/leads/ana").json["lead"]["account_id"] is None
    assert api.get("/leads/ana/account").json is None


def test_a_lead_gets_an_owner_and_loses_it(api, people, lead):
    owner = people.operator.member

    updated = api.put("/lead/ana", {"owner_id": str(owner.org_member_id)}).json
    assert updated["owner_name"] == owner.name
    assert api.get("/leads").json[0]["owner_name"] == owner.name

    assert api.put("/lead/ana", {"owner_id": None}).json["owner_name"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"metadata": None}, "metadata"),
        ({"metadata": []}, "metadata"),
        ({"account_id": ""}, "account_id"),
        ({"owner_id": "me"}, "owner_id"),
        ({"owner_id": str(new_id())}, "owner_id"),
    ],
)
def test_an_update_that_makes_no_sense_is_refused(api, lead, body, field):
    response = api.put("/lead/ana", body)

    assert response.status_code == 400
    assert list(response.json["fields"]) == [field]


def test_only_a_member_of_the_organisation_can_own_a_lead(api, people, lead):
    stranger = people.stranger.member

    response = api.put("/lead/ana", {"owner_id": str(stranger.org_member_id)})

    assert response.status_code == 400


def test_a_merged_lead_is_changed_as_the_one_it_became(api, lead):
    lead.happen("page_view", "bo")
    api.post("/leads/merge", {"targetLeadId": "ana", "sourceLeadIds": ["bo"]})

    api.send("PATCH", "/leads/bo", json={"plan": "pro"})

    assert api.get("/leads/ana/profile").json == {"plan": "pro"}


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("value", "much", "a number"),
        ("value", True, "a number"),
        ("value", [5], "a number"),
        ("next_call_at", "tomorrow", "a day or a time"),
        ("next_call_at", 5, "a day or a time"),
        ("expires_at", "2026-02-30", "a day or a time"),
        ("ad_storage", "perhaps", "true or false"),
    ],
)
def test_what_is_recorded_as_another_kind_is_refused_by_its_name(api, lead, name, value, wanted):
    patched = api.send("PATCH", "/leads/ana", json={"plan": "pro", name: value})
    replaced = api.put("/lead/ana", {"metadata": {name: value}})

    for refused in (patched, replaced):
        assert refused.status_code == 400
        assert refused.json["fields"][name].startswith(f"must be {wanted}")
        assert refused.json["error"].startswith(f"{name} must be {wanted}")
    assert api.get("/leads/ana/profile").json == {}


def test_what_is_of_its_kind_or_nothing_is_taken(api, lead):
    given = {"value": "12.5", "next_call_at": "2026-05-02", "ad_storage": "granted", "notes": 5}
    assert api.send("PATCH", "/leads/ana", json=given).status_code == 200

    assert api.send("PATCH", "/leads/ana", json=dict.fromkeys(given)).status_code == 200


def test_what_an_event_brought_is_kept_and_may_stay(api, lead):
    created = api.post("/leads", {"id": "bo", "metadata": {"value": "much", "plan": "pro"}})
    assert created.status_code == 201

    kept = api.put("/lead/bo", {"metadata": {"value": "much", "plan": "free"}})
    changed = api.put("/lead/bo", {"metadata": {"value": "more", "plan": "free"}})

    assert (kept.status_code, changed.status_code) == (200, 400)
    assert api.get("/leads/bo/profile").json == {"value": "much", "plan": "free"}
