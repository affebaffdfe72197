"""Ending notifications from a link in a mail: signed, without signing in, by hand or one click."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import uuid4

import pytest

from leadvibe.identity.security import Security
from leadvibe.lib.db import commit, driver
from leadvibe.notifications.preferences import get_preferences
from leadvibe.notifications.types import Happening
from leadvibe.notifications.unsubscribing import unsubscribe_url

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def link(people, security):
    """Return a maker of links for the viewer."""

    def make(happening=None, *, key=None, unit_id=None, member_id=None):
        return unsubscribe_url(
            key or security.key("unsubscribe"),
            "",
            unit_id=unit_id or people.unit.unit_id,
            member_id=member_id or people.viewer.member.org_member_id,
            happening=happening,
        )

    return make


@pytest.fixture
def chosen(people):
    """Return what holds for the viewer now."""
    return lambda: get_preferences(people.scope, people.viewer.member.org_member_id)


def test_a_look_at_the_page_changes_nothing(client, link, chosen, people):
    page = client.get(link())

    assert page.status_code == 200
    assert "Stop these notifications?" in page.text
    assert people.unit.name in page.text
    assert chosen().enabled


def test_a_mail_program_ends_them_with_one_click(client, link, chosen):
    answer = client.post(link(), data=ONE_CLICK)

    assert answer.status_code == 200
    assert "You are unsubscribed" in answer.text
    assert not chosen().enabled


@pytest.mark.parametrize("signed_in", [False, True])
def test_the_button_on_the_page_works_as_it_stands(browse, link, chosen, people, signed_in):
    browser = browse(people.owner if signed_in else None)
    page = browser.get(link())
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
    action = re.search(r'<form class="form" method="post" action="([^"]+)"', page.text)[1]

    answer = browser.client.post(action, data={"csrf_token": token})

    assert "You are unsubscribed" in answer.text
    assert not chosen().enabled


def test_a_link_about_one_thing_ends_that_alone(client, link, chosen):
    url = link(Happening.SURGE_DETECTED)

    assert "surges in the activity of your leads" in client.get(url).text
    client.post(url, data=ONE_CLICK)
    client.post(url, data=ONE_CLICK)

    assert chosen().enabled
    assert chosen().muted == {Happening.SURGE_DETECTED}


def test_only_the_member_it_names_hears_no_more(client, link, people):
    client.post(link(), data=ONE_CLICK)

    assert get_preferences(people.scope, people.owner.member.org_member_id).enabled
    assert get_preferences(people.stranger.scope, people.viewer.member.org_member_id).enabled


def forgeries(link, people):
    token = link().rpartition("/")[2]
    content = bytearray(urlsafe_b64decode(token + "=="))
    content[16:32] = people.stranger.unit.unit_id.bytes
    yield f"/app/unsubscribe/{urlsafe_b64encode(content).decode().rstrip('=')}"
    yield link(key=Security(secret_key="some other secret").key("unsubscribe"))
    yield link(key=Security(secret_key="some other secret").key("other purpose"))
    yield link(unit_id=uuid4())
    yield link(member_id=uuid4())
    yield link(unit_id=people.stranger.unit.unit_id)
    yield link()[:-1]
    yield "/app/unsubscribe/x"
    yield "/app/unsubscribe/%C3%A9%00"


def test_a_forged_or_stale_link_does_nothing(client, link, chosen, people):
    for url in forgeries(link, people):
        assert client.get(url).status_code == 410, url
        assert "This link does not work" in client.post(url, data=ONE_CLICK).text

    assert chosen().enabled
    [(stored,)] = driver().execute("SELECT count(*) FROM notification_preferences")
    assert stored == 0


def test_the_audit_keeps_no_link(client, link):
    url = link()
    client.post(url, data=ONE_CLICK)
    commit()

    paths = [path for (path,) in driver().execute("SELECT path FROM audit_log")]

    assert "/app/unsubscribe/…" in paths
    assert url not in paths
