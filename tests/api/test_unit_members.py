"""Who belongs to a unit: Owners and Operators decide, and Owners decide about Owners."""

from __future__ import annotations

import pytest

from leadvibe.identity import service
from leadvibe.identity.types import UnitRole
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from tests.factories import make_member, make_unit

NOBODYS = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def newcomer(people, security):
    """Return a member of the organisation who belongs to no unit."""
    member = make_member(people.organization, "new@acme.test", security=security)
    commit()
    return member


@pytest.fixture
def path(people):
    return f"/org-units/{people.unit.unit_id}/members"


def of(path, person):
    return f"{path}/{person.member.org_member_id}"


def roles(caller, path):
    return {it["email"].partition("@")[0]: it["role"] for it in caller.get(path).json}


def test_those_who_were_let_in_are_listed_with_their_roles(call_as, path):
    listed = call_as("viewer").get(path).json

    assert set(listed[0]) == {"org_member_id", "first_name", "last_name", "email", "role"}
    assert roles(call_as("viewer"), path) == {
        "operator": "Operator",
        "owner": "Owner",
        "viewer": "Viewer",
    }


@pytest.mark.parametrize("name", ["owner", "operator", "admin"])
def test_those_who_manage_it_let_members_in(call_as, path, newcomer, name):
    caller = call_as(name)
    someone = {"org_member_id": str(newcomer.org_member_id)}

    response = caller.post(path, someone)

    assert (response.status_code, response.json["role"]) == (201, "Viewer")
    assert roles(caller, path)["new"] == "Viewer"


def test_assigning_again_changes_nothing_and_another_role_changes_that(call_as, path, newcomer):
    owner = call_as("owner")
    operator = {"org_member_id": str(newcomer.org_member_id), "role": "Operator"}

    answers = [owner.post(path, operator), owner.post(path, operator)]

    assert answers[0].json == answers[1].json
    assert owner.post(path, {**operator, "role": "Viewer"}).json["role"] == "Viewer"


def test_assigning_without_a_role_takes_none_away(call_as, path, people):
    someone = {"org_member_id": str(people.operator.member.org_member_id)}

    assert call_as("owner").post(path, someone).json["role"] == "Operator"


def test_a_role_holds_from_the_next_request_on(call_as, people, path):
    viewer = call_as("viewer")
    assert viewer.post("/leads", {"id": "ld_1"}).status_code == 403

    response = call_as("operator").put(of(path, people.viewer), {"role": "Operator"})

    assert (response.status_code, response.json["role"]) == (200, "Operator")
    assert viewer.post("/leads", {"id": "ld_1"}).status_code == 201


def test_who_is_taken_out_is_out_at_once(call_as, people, path):
    viewer = call_as("viewer")

    assert call_as("operator").delete(of(path, people.viewer)).status_code == 204

    assert viewer.get("/leads").status_code == 400
    assert viewer.get(path).status_code == 403
    again = call_as("operator").delete(of(path, people.viewer))
    assert (again.status_code, again.json["code"]) == (404, "membership_not_found")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_viewer_manages_nothing(call_as, people, path, method):
    target = path if method == "POST" else of(path, people.viewer)
    body = {"org_member_id": str(people.viewer.member.org_member_id), "role": "Operator"}

    assert call_as("viewer").send(method, target, json=body).status_code == 403


class TestOwners:
    def test_an_operator_makes_no_owner(self, call_as, people, path, newcomer):
        operator = call_as("operator")
        as_owner = {"org_member_id": str(newcomer.org_member_id), "role": "Owner"}

        refused = [
            operator.post(path, as_owner),
            operator.put(of(path, people.viewer), {"role": "Owner"}),
            operator.put(of(path, people.operator), {"role": "Owner"}),
        ]

        assert {(it.status_code, it.json["code"]) for it in refused} == {(403, "owners_only")}

    def test_an_operator_unmakes_no_owner(self, call_as, people, path):
        operator = call_as("operator")
        less = {"org_member_id": str(people.owner.member.org_member_id), "role": "Viewer"}

        refused = [
            operator.post(path, less),
            operator.put(of(path, people.owner), {"role": "Operator"}),
            operator.delete(of(path, people.owner)),
        ]

        assert {(it.status_code, it.json["code"]) for it in refused} == {(403, "owners_only")}
        assert roles(operator, path)["owner"] == "Owner"

    def test_an_operator_may_say_that_an_owner_is_one(self, call_as, people, path):
        response = call_as("operator").put(of(path, people.owner), {"role": "Owner"})

        assert response.status_code == 200

    @pytest.mark.parametrize("name", ["owner", "admin"])
    def test_the_last_owner_stays(self, call_as, people, path, name):
        caller = call_as(name)
        less = {"org_member_id": str(people.owner.member.org_member_id), "role": "Viewer"}

        refused = [
            caller.post(path, less),
            caller.put(of(path, people.owner), {"role": "Operator"}),
            caller.delete(of(path, people.owner)),
        ]

        assert {(it.status_code, it.json["code"]) for it in refused} == {(409, "last_owner")}
        assert "make another member Owner first" in refused[0].json["error"]
        assert roles(caller, path)["owner"] == "Owner"

    def test_an_owner_may_go_once_there_is_another(self, call_as, people, path):
        owner = call_as("owner")
        owner.put(of(path, people.operator), {"role": "Owner"})

        assert owner.delete(of(path, people.owner)).status_code == 204
        assert roles(call_as("operator"), path) == {"operator": "Owner", "viewer": "Viewer"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "org_member_id"),
        ({"org_member_id": "om_1"}, "org_member_id"),
        ({"org_member_id": NOBODYS, "role": "owner"}, "role"),
        ({"org_member_id": NOBODYS, "role": None}, "role"),
    ],
)
def test_what_is_wrong_is_said_by_field(call_as, path, body, field):
    response = call_as("owner").post(path, body)

    assert response.status_code == 400
    assert list(response.json["fields"]) == [field]


def test_a_change_needs_a_role(call_as, people, path):
    response = call_as("owner").put(of(path, people.viewer), {})

    assert (response.status_code, list(response.json["fields"])) == (400, ["role"])


def test_members_of_another_organisation_cannot_be_let_in(call_as, people, path):
    owner = call_as("owner")
    member_id = str(people.stranger.member.org_member_id)

    for unknown in (member_id, NOBODYS):
        response = owner.post(path, {"org_member_id": unknown})
        assert (response.status_code, response.json["code"]) == (404, "member_not_found")
    assert owner.put(of(path, people.stranger), {"role": "Viewer"}).status_code == 404
    assert owner.delete(of(path, people.stranger)).status_code == 404


class TestOtherUnits:
    """A unit that the caller does not work in, or does not belong to."""

    @pytest.fixture
    def sales(self, people):
        unit = make_unit(people.organization, "Sales")
        commit()
        return f"/org-units/{unit.unit_id}/members"

    def test_one_that_the_caller_does_not_belong_to_is_refused(self, call_as, people, sales):
        owner = call_as("owner")
        someone = {"org_member_id": str(people.owner.member.org_member_id)}

        for response in (owner.get(sales), owner.post(sales, someone)):
            assert (response.status_code, response.json["code"]) == (403, "not_in_unit")

    def test_the_role_is_the_one_in_that_unit(self, call_as, people, sales):
        someone = {"org_member_id": str(people.viewer.member.org_member_id), "role": "Operator"}
        assert call_as("admin").post(sales, someone).status_code == 201
        also = {"org_member_id": str(people.owner.member.org_member_id)}

        viewer = call_as("viewer")

        assert viewer.post(sales, also).status_code == 201
        assert call_as("owner").post(sales, someone).status_code == 403
        assert roles(viewer, sales) == {"owner": "Viewer", "viewer": "Operator"}

    @pytest.mark.parametrize("name", ["admin", "viewer"])
    def test_one_of_another_organisation_is_not_there(self, call_as, people, name):
        caller, unit_id = call_as(name), people.stranger.unit.unit_id

        for unknown in (unit_id, NOBODYS, "unit_1"):
            response = caller.get(f"/org-units/{unknown}/members")
            assert (response.status_code, response.json["code"]) == (404, "unit_not_found")


def test_the_other_spelling_means_the_same(call_as, people, path, newcomer):
    owner, other = call_as("owner"), path.replace("members", "memberships")
    owner.post(other, {"org_member_id": str(newcomer.org_member_id)})
    owner.put(f"{other}/{newcomer.org_member_id}", {"role": "Operator"})

    assert roles(owner, other) == roles(owner, path)
    assert roles(owner, other)["new"] == "Operator"
    assert owner.delete(f"{other}/{newcomer.org_member_id}").status_code == 204


def test_an_admin_without_a_membership_is_not_listed_and_may_do_everything(call_as, people, path):
    member_id = people.admin.member.org_member_id
    admin = call_as("admin")
    assert "admin" not in roles(admin, path)

    service.set_membership(people.scope, member_id, role=UnitRole.VIEWER, now=utc_now())
    commit()

    assert roles(admin, path)["admin"] == "Viewer"
    assert admin.put(of(path, people.viewer), {"role": "Owner"}).status_code == 200
