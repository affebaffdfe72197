"""The pages of destinations: whether notices get there, and what signs them."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from leadvibe.http.sealing import sealer
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.notifications import destinations, queries
from leadvibe.notifications.deliveries import FAILURES_TO_PAUSE
from tests.api.notification_examples import REFUSED, URL, add_delivery, add_destination, attempt
from tests.people import basic
from tests.web.pages import htmx, links_in

PAGE = "/app/deliveries/destinations"


@pytest.fixture
def destination(world):
    return add_destination(world)


@pytest.fixture
def paused(world):
    """A webhook that has failed until it was left alone."""
    delivery_id = add_delivery(world)
    for _ in range(FAILURES_TO_PAUSE):
        driver().execute("UPDATE deliveries SET due_at = now()")
        driver().execute("UPDATE destinations SET paused_until = NULL")
        attempt(REFUSED)
    return queries.get_delivery(world.scope, delivery_id).destination_id


def secret_in(page):
    return re.search(r'id="secret">([^<]+)<', page)[1]


@pytest.mark.parametrize("name", ["admin", "owner", "operator", "viewer"])
def test_every_member_sees_where_notices_go(browse, people, destination, name):
    page = browse(people[name]).get(PAGE).text

    assert f"{URL}/" in page
    assert "Never used" in page
    assert links_in(page, f"/app/deliveries?destination_id={destination}")


def test_the_state_is_told_in_words(browse, people, world, paused):
    browser = browse(people.viewer)

    page = browser.get(PAGE).text

    assert "Paused" in page
    assert "next try <time" in page
    assert REFUSED.reason in page
    assert "/resume" not in page
    driver().execute("UPDATE destinations SET paused_until = NULL")
    assert "Failing" in browser.get(PAGE).text
    driver().execute("UPDATE deliveries SET state = 'waiting', due_at = now()")
    attempt()
    assert "Working" in browser.get(PAGE).text


def test_it_is_resumed(browse, people, world, paused):
    browser = browse(people.operator)
    assert f"{PAGE}/{paused}/resume" in browser.get(PAGE).text

    answer = browser.post(f"{PAGE}/{paused}/resume")

    assert (answer.status_code, answer.location) == (303, PAGE)
    page = browser.get(PAGE).text
    assert "What waits for it is tried now." in page
    assert "/resume" not in page
    assert "Paused" not in page


def test_they_are_shown_by_pages(browse, people, world):
    for _ in range(26):
        add_destination(world)
    browser = browse(people.viewer)

    second = browser.get(f"{PAGE}?page=2", headers=htmx("section#destinations")).text

    assert second.lstrip().startswith('<section class="loadable" id="destinations"')
    assert second.count("<article") == 1
    assert browser.get(PAGE).text.count("<article") == 25


@pytest.mark.parametrize("name", ["admin", "owner"])
def test_owners_see_the_secret_behind_a_click(browse, people, world, destination, name):
    browser = browse(people[name])
    secret = destinations.ensure_secret(world.scope, destination, sealer(), now=utc_now())
    commit()
    listed = browser.get(PAGE).text
    assert links_in(listed, f"{PAGE}/{destination}/secret")
    assert secret not in listed

    answer = browser.get(f"{PAGE}/{destination}/secret")

    assert secret_in(answer.text) == secret
    assert answer.headers["Cache-Control"] == "no-store"
    assert "webhook-signature" in answer.text


def test_a_rotated_secret_signs_beside_the_new_one(browse, people, world, destination):
    browser, path = browse(people.owner), f"{PAGE}/{destination}"
    former = secret_in(browser.get(f"{path}/secret").text)

    answer = browser.post(f"{path}/rotate")

    assert (answer.status_code, answer.location) == (303, f"{path}/secret")
    page = browser.get(f"{path}/secret").text
    assert secret_in(page) != former
    assert former not in page
    assert re.search("signs beside it until\\s+<time", page)


@pytest.mark.parametrize("name", ["operator", "viewer"])
def test_nobody_else_sees_or_rotates_a_secret(browse, people, destination, name):
    browser = browse(people[name])

    assert "secret" not in browser.get(PAGE).text.lower()
    assert browser.get(f"{PAGE}/{destination}/secret").status_code == 403
    assert browser.post(f"{PAGE}/{destination}/rotate").status_code == 403


def test_what_goes_elsewhere_than_to_webhooks_has_no_secret(browse, people, world):
    delivery_id = add_delivery(world, "email", recipients="ana@acme.test")
    mail = queries.get_delivery(world.scope, delivery_id).destination_id
    browser = browse(people.owner)

    assert "/secret" not in browser.get(PAGE).text
    page = browser.get(f"{PAGE}/{mail}/secret").text
    assert "Only what goes to webhooks is signed" in page
    assert "/rotate" not in page


def test_a_secret_that_cannot_be_read_any_more_is_rotated(browse, people, world, destination):
    driver().execute("UPDATE destinations SET secret = 'broken'")
    browser, path = browse(people.owner), f"{PAGE}/{destination}"

    assert "Rotate it to get a new one." in browser.get(f"{path}/secret").text
    browser.post(f"{path}/rotate")

    assert secret_in(browser.get(f"{path}/secret").text)


def test_a_stranger_finds_none_of_them(browse, people, world, destination):
    stranger = browse(people.stranger)

    assert "No destinations yet" in stranger.get(PAGE).text
    assert stranger.get(f"{PAGE}/{destination}/secret").status_code == 404
    for action in ("rotate", "resume"):
        assert stranger.post(f"{PAGE}/{destination}/{action}").status_code == 404
    assert browse(people.owner).get(f"{PAGE}/{uuid4()}/secret").status_code == 404


def test_credentials_see_no_secret_and_forms_need_their_token(browse, client, people, destination):
    path = f"{PAGE}/{destination}"

    assert client.get(f"{path}/secret", headers=basic(people.credential)).status_code == 403
    assert browse(people.owner).client.post(f"{path}/rotate").status_code == 403
