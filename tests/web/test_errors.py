"""What a person sees when a page cannot be shown."""

from __future__ import annotations

import json

import pytest
from werkzeug.exceptions import InternalServerError, MethodNotAllowed

from leadvibe.identity.service import set_membership
from leadvibe.identity.types import UnitRole
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.lib.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    PreconditionFailedError,
    ThrottledError,
    TooLargeError,
    UnavailableError,
)
from tests.factories import make_member, make_unit
from tests.people import Person, basic
from tests.web.pages import htmx, links_in


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


@pytest.mark.parametrize(
    "error",
    [
        ForbiddenError("No."), NotFoundError("No."), ConflictError("No."),
        PreconditionFailedError("No."), TooLargeError("No."), MethodNotAllowed(),
        InternalServerError(), ThrottledError("No.", retry_after_seconds=7),
    ],
    ids=lambda error: str(getattr(error, "status", 0) or error.code),
)  # fmt: skip
def test_every_error_says_what_to_do_next_in_the_frame(app, browse, people, world, error):
    page = _met(app, browse(people.viewer), error)

    assert 'aria-label="Main"' in page.text
    assert "/app/search" in links_in(page.text[page.text.index("<main") :], "/app/")
    assert page.headers["X-Request-Id"] in page.text


def test_what_is_away_is_told_without_the_frame_that_may_need_it(app, browse, people, world):
    page = _met(app, browse(people.viewer), UnavailableError("The database does not answer."))

    assert page.status_code == 503
    assert "The database does not answer." in page.text
    assert "Try again in a moment" in page.text
    assert 'aria-label="Main"' not in page.text


def test_who_was_too_quick_is_told_when_to_come_back(app, browse, people, world):
    page = _met(app, browse(people.viewer), ThrottledError("Slow down.", retry_after_seconds=7))

    assert "Try again in 7 seconds." in page.text
    assert page.headers["Retry-After"] == "7"


def test_a_conflict_leads_back_to_the_page_it_came_from(app, browse, people, world):
    here = {"Referer": "http://localhost/app/segments?page=2"}
    elsewhere = {"Referer": "http://elsewhere.test/app/segments"}

    page = _met(app, browse(people.viewer), ConflictError("Changed."), headers=here)
    other = _met(app, browse(people.viewer), ConflictError("Changed."), headers=elsewhere)

    assert '<a class="button button-primary" href="/app/segments?page=2">' in page.text
    assert ">Load the page again<" not in other.text
    assert "elsewhere.test" not in other.text


@pytest.mark.parametrize("status", [403, 404, 409, 500])
def test_a_fragment_gets_a_toast_and_never_a_page_in_a_page(app, browse, people, world, status):
    errors = {
        403: ForbiddenError("You may not."), 404: NotFoundError("It is gone."),
        409: ConflictError("Changed."), 500: InternalServerError(),
    }  # fmt: skip

    answer = _met(app, browse(people.viewer), errors[status], headers=htmx("div#part"))

    toast = json.loads(answer.headers["HX-Trigger"])["toast"]
    assert answer.status_code == status
    assert answer.text == ""
    assert answer.headers["HX-Reswap"] == "none"
    assert toast["tone"] == "bad"
    assert len(toast["text"]) > 10
    assert ("Quote request" in toast["text"]) == (status == 500)


def _met(app, browser, error, headers=None):
    """Open a page that fails so."""

    def fail():
        raise error

    kept = app.view_functions["web.help.show_help"]
    app.view_functions["web.help.show_help"] = fail
    try:
        return browser.get("/app/help", headers=headers)
    finally:
        app.view_functions["web.help.show_help"] = kept
