"""Who is asking, and what they may do."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta

import pytest
from sqlalchemy import text

from leadvibe.http.principal import ACTIVE_UNIT_COOKIE
from leadvibe.identity import member_links, service, signing_in
from leadvibe.identity.types import UnitRole
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, session
from tests.conftest import Browser
from tests.factories import make_unit
from tests.people import basic

ROLES = ["admin", "owner", "operator", "viewer"]


def _who(client, headers=None):
    answer = client.get("/probe/who", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_nobody_is_nobody(probe):
    assert _who(probe) == {"label": None}


def test_an_access_token_names_its_member(probe, people):
    who = _who(probe, people.viewer.bearer)

    assert who == {"label": people.viewer.email, "via": "bearer", "unit": str(people.unit.unit_id)}


def test_credentials_name_their_client_id_and_unit(probe, people):
    who = _who(probe, basic(people.credential))

    assert who["via"] == "credential"
    assert who["label"] == people.credential.credential.client_id
    assert who["unit"] == str(people.unit.unit_id)


def test_a_browser_session_names_its_member(probe, people):
    browser = Browser(probe, people.owner)

    assert browser.get("/probe/who").json["label"] == people.owner.email
    assert browser.get("/probe/who").json["via"] == "session"


def test_a_header_comes_before_the_cookie(probe, people):
    browser = Browser(probe, people.owner)

    assert _who(browser, people.viewer.bearer)["label"] == people.viewer.email


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer not.a.token",
        "Basic",
        "Basic !!!",
        "Basic " + b64encode(b"lv_ci_unknown:lv_cs_unknown").decode(),
        "Basic " + b64encode(b"only-an-id").decode(),
        "Basic " + b64encode(b"\xff\x00:\xff").decode(),
        "Digest username=a",
        "nonsense",
    ],
)
def test_a_wrong_header_is_refused_even_beside_a_good_cookie(probe, people, header):
    answer = Browser(probe, people.owner).get("/probe/who", headers={"Authorization": header})

    assert answer.status_code == 401
    assert answer.json["error"]
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_an_expired_token_is_refused(probe, people, security):
    tokens = signing_in.issue_tokens(
        people.viewer.member, security=security, now=utc_now() - timedelta(minutes=15)
    )
    commit()

    answer = probe.get("/probe/who", headers={"Authorization": f"Bearer {tokens.access_token}"})

    assert (answer.status_code, answer.json["code"]) == (401, "token_refused")


def test_a_session_older_than_a_password_change_is_nobody(probe, people, security):
    browser, bearer = Browser(probe, people.viewer), people.viewer.bearer
    link = member_links.create_reset_link(people.viewer.member, now=utc_now())
    member_links.reset_password(
        link.token, password="another password", security=security, now=utc_now()
    )

    assert _who(browser) == {"label": None}
    assert probe.get("/probe/who", headers=bearer).status_code == 401


@pytest.mark.parametrize("cookie", ["", "nonsense", "01234567-89ab-7def-8123-456789abcdef"])
def test_a_cookie_of_no_unit_is_passed_over(probe, people, cookie):
    probe.set_cookie(ACTIVE_UNIT_COOKIE, cookie)

    assert _who(probe, people.viewer.bearer)["unit"] == str(people.unit.unit_id)


def test_the_cookie_chooses_among_ones_own_units(probe, people):
    mine, hidden = (make_unit(people.organization, name) for name in ("Mine", "Hidden"))
    service.set_membership(
        mine.scope, people.viewer.member.org_member_id, role=UnitRole.VIEWER, now=utc_now()
    )

    def unit_with_cookie(unit, headers):
        probe.set_cookie(ACTIVE_UNIT_COOKIE, str(unit.unit_id))
        return _who(probe, headers)["unit"]

    assert unit_with_cookie(mine, people.viewer.bearer) == str(mine.unit_id)
    assert unit_with_cookie(hidden, people.viewer.bearer) == str(people.unit.unit_id)
    assert unit_with_cookie(hidden, people.admin.bearer) == str(hidden.unit_id)
    assert unit_with_cookie(mine, basic(people.credential)) == str(people.unit.unit_id)


# Who may do what: the columns are the permissions of an admin, owner, operator, viewer, credential.
MATRIX = {
    "SIGNED_IN": "aopvc",
    "READ": "aopvc",
    "WRITE_DATA": "aopc",
    "CONFIGURE": "aopc",
    "MANAGE_MEMBERSHIPS": "aopc",
    "OWN": "ao",
    "ADMINISTER": "a",
}


@pytest.mark.parametrize("permission", MATRIX)
def test_the_matrix_of_permissions(probe, people, permission):
    askers = {"a": people.admin, "o": people.owner, "p": people.operator, "v": people.viewer}
    headers = {letter: person.bearer for letter, person in askers.items()}
    headers["c"] = basic(people.credential)

    statuses = {
        letter: probe.get(f"/probe/may/{permission}", headers=given).status_code
        for letter, given in headers.items()
    }

    assert statuses == {letter: 200 if letter in MATRIX[permission] else 403 for letter in "aopvc"}
    assert probe.get(f"/probe/may/{permission}").status_code == 401


def test_what_needs_a_person_refuses_credentials(probe, people):
    refused = probe.get("/probe/only-members/SIGNED_IN", headers=basic(people.credential))
    admitted = probe.get("/probe/only-members/SIGNED_IN", headers=people.viewer.bearer)

    assert (refused.status_code, admitted.status_code) == (403, 200)


def test_without_a_unit_the_answer_says_how_to_choose_one(probe, people, security):
    acme = people.organization
    member = people.viewer.member
    for name in ("Sales", "Success"):
        service.set_membership(
            make_unit(acme, name).scope, member.org_member_id, role=UnitRole.VIEWER, now=utc_now()
        )
    _leave_default_unit(member)

    answer = probe.get("/probe/may/READ", headers=people.viewer.bearer)

    assert answer.status_code == 400
    assert answer.json["error"] == "active OU not set"
    assert "/org-units/active" in answer.json["fields"]["activeOu"]
    assert probe.get("/probe/may/SIGNED_IN", headers=people.viewer.bearer).status_code == 200


def _leave_default_unit(member) -> None:
    session().execute(
        text(
            "DELETE FROM memberships USING units WHERE units.unit_id = memberships.unit_id"
            " AND units.is_default AND memberships.org_member_id = :member"
        ),
        {"member": member.org_member_id},
    )
