"""One thing done to many leads through the API."""

from __future__ import annotations

import pytest

LEADS = ["ld_ada", "ld_bo"]
UNKNOWN = "0193647b-8a3e-7c52-a5ad-0d2f8e2f6c11"


@pytest.fixture
def owned(api, stage, world, people):
    """Two leads, given to the owner."""
    world.happen("page_view", "ld_bo")
    owner_id = str(people.owner.member.org_member_id)
    body = {"action": "assign_owner", "lead_ids": LEADS, "owner_id": owner_id}
    return api.post("/leads/bulk", body).json


def owner(api, lead_id):
    return api.get(f"/lead/{lead_id}").json["owner_name"]


def test_leads_are_given_to_a_member_and_taken_back(api, owned, people):
    assert (owned["status"], owned["leads_changed"]) == ("finished", 2)
    assert owner(api, "ld_bo") == people.owner.member.name

    undone = api.post(f"/leads/bulk/{owned['action_id']}/undo").json

    assert (undone["undoes"], undone["leads_changed"]) == (owned["action_id"], 2)
    assert owner(api, "ld_bo") is None
    assert api.post(f"/leads/bulk/{owned['action_id']}/undo").status_code == 409


def test_criteria_say_which_leads(api, owned):
    done = api.post(
        "/leads/bulk",
        {
            "action": "assign_owner",
            "criteria": {"event_type": "unscored", "owner_id": owned["owner_id"]},
        },
    ).json

    assert (done["leads_total"], done["leads_changed"]) == (1, 1)
    assert [owner(api, it) for it in LEADS] == [None, owned["owner_name"]]
    rest = api.post("/leads/bulk", {"action": "assign_owner", "criteria": {"unowned": True}}).json
    assert rest["leads_changed"] == 0


@pytest.mark.parametrize("time", ["first", "second"])  # the stage is made once, then put back
@pytest.mark.parametrize("text", ["ada", "ad", "ld_ada"])
def test_leads_are_found_by_a_text_and_given_to_a_member(api, owned, people, text, time):
    other = str(people.admin.member.org_member_id)
    body = {
        "action": "assign_owner",
        "criteria": {"search": text, "owner_id": owned["owner_id"]},
        "owner_id": other,
    }

    done = api.post("/leads/bulk", body)

    assert done.status_code == 202, done.json
    assert (done.json["leads_total"], done.json["leads_changed"]) == (1, 1)
    assert [owner(api, it) for it in LEADS] == [people.admin.member.name, owned["owner_name"]]


@pytest.mark.parametrize(
    "body",
    [
        {"action": "delete"},
        {"action": "delete", "lead_ids": ["a"], "criteria": {}},
        {"action": "delete", "lead_ids": []},
        {"action": "delete", "lead_ids": ["nobody"]},
        {"action": "paint", "lead_ids": LEADS},
        {"action": "delete", "criteria": {"profile_level": "Superb"}},
        {"action": "watch", "lead_ids": LEADS},  # a credential watches nothing
        {"action": "assign_owner", "lead_ids": LEADS, "owner_id": UNKNOWN},
    ],
)
def test_what_makes_no_sense_is_refused(api, stage, body):
    assert api.post("/leads/bulk", body).status_code == 400


def test_a_segment_of_others_is_not_there(api, stage):
    criteria = {"segment_id": UNKNOWN}

    refused = api.post("/leads/bulk", {"action": "delete", "criteria": criteria})

    assert (refused.status_code, refused.json["code"]) == (404, "segment_not_found")
