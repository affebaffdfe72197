"""Views of the lead list: whose they are, and who may change what the unit shares."""

from __future__ import annotations

import pytest

from tests.api.lead_view_examples import add_view

HOT = {"name": "Hot", "query": {"level": "Hot"}, "columns": ["score", "owner"]}


def names(caller) -> list[str]:
    return [it["name"] for it in caller.get("/lead-views").json]


def test_a_view_is_its_makers_alone(call_as, stage):
    made = call_as("viewer").post("/lead-views", HOT)

    assert (made.status_code, made.json["columns"]) == (201, ["score", "owner"])
    assert names(call_as("viewer")) == ["Hot"]
    assert names(call_as("owner")) == []
    assert call_as("owner").get(f"/lead-views/{made.json['view_id']}").status_code == 404


def test_what_the_unit_shares_everybody_sees_and_viewers_do_not_change(call_as, stage):
    made = call_as("operator").post("/lead-views", {**HOT, "shared": True}).json
    path = f"/lead-views/{made['view_id']}"

    assert names(call_as("viewer")) == ["Hot"]
    assert call_as("viewer").put(path, {"name": "Mine"}).status_code == 403
    assert call_as("viewer").delete(path).status_code == 403
    assert call_as("viewer").post("/lead-views", {**HOT, "shared": True}).status_code == 403
    assert call_as("owner").put(path, {"name": "Ours"}).json["name"] == "Ours"


def test_a_name_is_given_once_to_each_member_and_once_to_the_unit(call_as, stage):
    owner = call_as("owner")
    for shared in (False, True):
        assert owner.post("/lead-views", {**HOT, "shared": shared}).status_code == 201
        assert owner.post("/lead-views", {**HOT, "shared": shared}).status_code == 409
    assert call_as("operator").post("/lead-views", HOT).status_code == 201


def test_sharing_a_view_and_taking_it_back(call_as, stage):
    owner = call_as("owner")
    path = f"/lead-views/{owner.post('/lead-views', HOT).json['view_id']}"

    assert owner.put(path, {"shared": True}).json["shared"] is True
    assert names(call_as("viewer")) == ["Hot"]
    assert owner.put(path, {"shared": False}).json["shared"] is False
    assert names(call_as("viewer")) == []


@pytest.mark.parametrize(
    "query", [{"page": "2"}, {"colour": "red"}, {"q": "x" * 201}, {"q": "a\nb"}]
)
def test_only_what_the_list_knows_is_kept(call_as, stage, query):
    assert call_as("owner").post("/lead-views", {**HOT, "query": query}).status_code == 400


def test_a_view_that_somebody_else_has_changed_is_not_overwritten(call_as, world, stage):
    path = f"/lead-views/{add_view(world)}"
    seen = call_as("owner").get(path).json["etag"]
    call_as("operator").put(path, {"name": "Quicker"})

    refused = call_as("owner").send(
        "PUT", path, json={"name": "Slower"}, headers={"If-Match": f'"{seen}"'}
    )

    assert refused.status_code == 412
