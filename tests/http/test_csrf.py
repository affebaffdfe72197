from __future__ import annotations

import pytest

from tests.conftest import Browser
from tests.people import basic

WRITES = ["POST", "PUT", "PATCH", "DELETE"]


def _write(client, method, **kwargs):
    return client.open("/probe/write?name=Acme", method=method, **kwargs).status_code


@pytest.mark.parametrize("method", WRITES)
def test_a_cookie_alone_vouches_for_no_write(probe, people, method):
    browser = Browser(probe, people.owner)

    assert _write(browser.client, method) == 403
    assert _write(browser.client, method, headers={"X-CSRFToken": "guessed"}) == 403


@pytest.mark.parametrize("method", WRITES)
def test_the_sessions_token_is_accepted_in_a_header(probe, people, method):
    browser = Browser(probe, people.owner)

    headers = {"X-CSRFToken": browser.csrf_token, "Referer": "https://leads.example.com/app"}

    assert _write(browser.client, method, headers=headers) == 200


def test_the_sessions_token_is_accepted_in_a_form_field(probe, people):
    browser = Browser(probe, people.owner)

    assert browser.post("/probe/write?name=Acme").status_code == 200


def test_another_sessions_token_is_refused(app, probe, people):
    other = Browser(probe.application.test_client(), people.owner)
    with other.client.session_transaction() as session:
        session["csrf_token"] = "somebody else's"
    browser = Browser(probe, people.owner)

    status = _write(other.client, "POST", headers={"X-CSRFToken": browser.csrf_token})

    assert status == 403


def test_reading_needs_no_token(probe, people):
    assert _write(Browser(probe, people.owner).client, "GET") == 200


def test_what_is_sent_in_a_header_needs_no_token_even_beside_a_cookie(probe, people):
    browser = Browser(probe, people.owner)

    for headers in (people.owner.bearer, basic(people.credential)):
        assert _write(browser.client, "POST", headers=headers) == 200


def test_the_refusal_names_the_remedy(probe, people):
    answer = Browser(probe, people.owner).client.post("/probe/write?name=Acme")

    assert "X-CSRFToken" in answer.json["error"]
