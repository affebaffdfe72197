"""Organisation units: who sees which, and in which one a caller works."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from sqlalchemy import text

from leadvibe.identity import service
from leadvibe.identity.types import UnitRole
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, session
from leadvibe.pipeline import setup
from leadvibe.scoring import queries as scoring
from tests.api.conftest import CREDENTIAL

NOBODYS = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def sales(people):
    unit = setup.create_unit(
        people.organization.org_id, name="Sälés & Co", by="setup", now=utc_now()
    )
    commit()
    return unit


def join(unit, person, role=UnitRole.VIEWER):
    service.set_membership(unit.scope, person.member.org_member_id, role=role, now=utc_now())
    commit()


def test_a_member_sees_their_units_and_an_admin_all(call_as, people, sales):
    seen = call_as("viewer").get("/org-units").json

    [unit] = seen["units"]
    assert (unit["unit_id"], unit["is_default"]) == (str(people.unit.unit_id), True)
    assert (unit["slug"], unit["role"], unit["external_ref"]) == ("default", "Viewer", None)
    assert seen["organization"]["name"] == "Acme"
    assert {it["name"] for it in call_as("admin").get("/org-units").json["units"]} == {
        "Default",
        "Sälés & Co",
    }


def test_a_new_unit_is_ready_to_score(call_as, people):
    response = call_as("admin").post("/org-units", {"name": "Sales"})

    assert (response.json["name"], response.json["slug"]) == ("Sales", "sales")
    [unit] = [
        it for it in call_as("admin").get("/org-units").json["units"] if it["name"] == "Sales"
    ]
    activated = call_as("admin").post("/org-units/active", {"ouId": unit["unit_id"]})
    assert activated.headers["X-OU-Name"] == "Sales"


def test_a_new_unit_has_a_primary_ruleset(sales):
    assert scoring.find_primary(sales.scope) is not None


@pytest.mark.parametrize("name", ["", "   ", "n" * 101, "a\nb", None, 7])
def test_a_bad_name_is_refused(call_as, name):
    for method, path in (("POST", "/org-units"), ("PUT", "/org-units/{}")):
        caller = call_as("admin")
        unit_id = caller.get("/org-units").json["units"][0]["unit_id"]
        response = caller.send(method, path.format(unit_id), json={"name": name})
        assert response.status_code == 400
        assert list(response.json["fields"]) == ["name"]


def test_a_renamed_unit_gets_a_slug_to_match(call_as, people):
    response = call_as("admin").put(f"/org-units/{people.unit.unit_id}", {"name": "Field Sales"})

    assert (response.json["name"], response.json["slug"]) == ("Field Sales", "field-sales")


@pytest.mark.parametrize("unit_id", ["unit_default", NOBODYS])
def test_a_unit_that_is_not_there_is_not_found(call_as, unit_id):
    admin = call_as("admin")

    assert admin.put(f"/org-units/{unit_id}", {"name": "x"}).json["code"] == "unit_not_found"
    assert admin.post("/org-units/active", {"ouId": unit_id}).json["code"] == "unit_not_found"


def test_the_active_unit_is_kept_in_a_cookie_and_named_in_headers(call_as, people, sales):
    join(sales, people.viewer)

    response = call_as("viewer").post("/org-units/active", {"ouId": str(sales.unit_id)})

    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith(f"activeOu={sales.unit_id}")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert response.headers["X-OU-Id"] == str(sales.unit_id)
    assert unquote(response.headers["X-OU-Name"]) == "Sälés & Co"
    assert response.headers["X-OU-Role"] == "Viewer"


def test_what_follows_happens_in_the_active_unit(call_as, people, world, sales):
    world.happen("page_view", "ld_1")
    join(sales, people.operator, UnitRole.OPERATOR)
    operator = call_as("operator")
    assert len(operator.get("/leads").json) == 1

    operator.post("/org-units/active", {"ouId": str(sales.unit_id)})

    assert operator.get("/leads").json == []
    assert operator.post("/leads", {"id": "ld_1"}).json["unit_id"] == str(sales.unit_id)


def test_the_role_is_that_of_the_active_unit(call_as, people, sales):
    join(sales, people.operator, UnitRole.VIEWER)
    operator = call_as("operator")
    assert operator.post("/leads", {"id": "ld_1"}).status_code == 201

    operator.post("/org-units/active", {"ouId": str(sales.unit_id)})

    assert operator.post("/leads", {"id": "ld_2"}).status_code == 403


def test_a_unit_one_does_not_belong_to_cannot_be_entered(call_as, sales):
    response = call_as("viewer").post("/org-units/active", {"ouId": str(sales.unit_id)})

    assert response.status_code == 403
    assert response.json["code"] == "not_in_unit"
    assert "Set-Cookie" not in response.headers


def test_a_credential_may_only_name_its_own_unit(call_as, people, sales):
    credential = call_as(CREDENTIAL)

    own = credential.post("/org-units/active", {"ouId": str(people.unit.unit_id)})
    other = credential.post("/org-units/active", {"ouId": str(sales.unit_id)})

    assert (own.status_code, other.status_code) == (200, 403)


def test_without_an_active_unit_the_answer_says_how_to_choose_one(call_as, people, sales):
    join(sales, people.viewer)
    session().execute(text("UPDATE units SET is_default = false"))  # none to fall back on
    commit()

    response = call_as("viewer").get("/leads")

    assert response.status_code == 400
    assert response.json["error"] == "active OU not set"
    assert "POST /org-units/active" in response.json["fields"]["activeOu"]
