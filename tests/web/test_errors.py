"""What a person sees when a page cannot be shown."""

from __future__ import annotations

from leadvibe.identity.service import set_membership
from leadvibe.identity.types import UnitRole
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from tests.factories import make_member, make_unit
from tests.people import Person, basic
from tests.web.pages import htmx


def test_a_member_keeps_the_frame_and_finds_on_from_there(browse, people, world):
    answer = browse(people.viewer).get("/app/leads/nobody")

    assert answer.status_code == 404
    assert "There is no lead &#39;nobody&#39; in this unit" in answer.text
    assert 'aria-label="Main"' in answer.text
    assert 'href="/app/scoring"' in answer.text


def test_a_page_that_never_was_is_told_to_members_in_the_frame(browse, people, world):
    answer = browse(people.viewer).get("/app/no/such/page")

    assert answer.status_code == 404
    assert 'aria-label="Main"' in answer.text


def test_a_page_that_never_was_tells_nobody_else_anything(browse, world):
    answer = browse(None).get("/app/no/such/page")

    assert answer.status_code == 404
    assert 'aria-label="Main"' not in answer.text


def test_a_refusal_says_what_would_help(browse, people, world):
    answer = browse(people.viewer).post("/app/dead-letters/retry")

    assert answer.status_code == 403
    assert "ask an Owner or an admin" in answer.text
    assert 'aria-label="Main"' in answer.text


def test_the_wrong_method_is_refused_in_the_frame(browse, people, world):
    answer = browse(people.viewer).post("/app/leads")

    assert answer.status_code == 405
    assert 'aria-label="Main"' in answer.text


def test_api_credentials_get_no_frame(client, people, world):
    answer = client.get("/app/leads/nobody", headers=basic(people.credential))

    assert answer.status_code in {403, 404}
    assert 'aria-label="Main"' not in answer.text


def test_a_refused_credential_is_led_to_the_sign_in(client, world):
    answer = client.get("/app/leads", headers={"Authorization": "Basic eDp5"})

    assert answer.status_code == 302


def test_somebody_whose_session_ended_is_led_to_the_sign_in_and_back(browse, world):
    headers = htmx("section#lead-list", **{"HX-Current-URL": "http://localhost/app/leads?q=x"})

    answer = browse(None).get("/app/leads?q=xy", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/app/login?next=%2Fapp%2Fleads%3Fq%3Dx"


def test_who_belongs_to_several_units_is_asked_to_choose(browse, people, world, security):
    units = [make_unit(people.organization, name) for name in ("East", "West")]
    member = make_member(people.organization, security=security)
    for unit in units:
        set_membership(unit.scope, member.org_member_id, role=UnitRole.VIEWER, now=utc_now())
    commit()
    browser = browse(Person(member, units[0], security))

    refused = browser.get("/app/leads")
    browser.post("/app/unit", {"unit_id": str(units[1].unit_id)})

    assert refused.status_code == 400
    assert "Choose an organisation unit" in refused.text
    assert f'value="{units[1].unit_id}"' in refused.text
    assert browser.get("/app/leads").status_code == 200
