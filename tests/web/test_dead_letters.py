"""Events that could not be processed: seen, retried and discarded."""

from __future__ import annotations

import re

import pytest

from leadvibe.events import queries
from leadvibe.lib.bell import Bell
from leadvibe.lib.db import driver
from leadvibe.pipeline import process
from tests.web.pages import htmx, links_in

DEAD_LETTERS = "/app/dead-letters"
GOOD = (
    '{"event_type": "page_view", "timestamp": "2026-01-01T00:00:00Z", "lead_id": "ann",'
    ' "aliases": [], "metadata": {}}'
)


@pytest.fixture
def letter(world):
    """Return the receipt of an event that failed."""
    world.fail()
    [letter] = queries.list_dead_letters(world.scope, limit=10)
    return letter.receipt


def repair(world):
    """Make every dead letter one that can be processed."""
    driver().execute(
        "UPDATE dead_letters SET payload = %s::json WHERE unit_id = %s",
        (GOOD, world.scope.unit_id),
    )


@pytest.mark.parametrize("name", ["admin", "owner", "operator", "viewer"])
def test_every_member_sees_what_failed_and_why(browse, people, letter, name):
    page = browse(people[name]).get(DEAD_LETTERS).text

    assert "1 event" in page
    assert '<span class="letter-type">broken</span>' in page
    assert "KeyError" in page
    assert "&#34;event_type&#34;: &#34;broken&#34;" in page


def test_the_frame_says_that_something_waits(browse, people, letter):
    assert 'class="nav-count">1<' in browse(people.viewer).get("/app/leads").text


def test_a_viewer_may_only_look(browse, people, world, letter):
    browser = browse(people.viewer)

    assert "Retry" not in browser.get(DEAD_LETTERS).text
    for path in ("retry", f"{letter}/retry", f"{letter}/discard"):
        assert browser.post(f"{DEAD_LETTERS}/{path}").status_code == 403
    assert queries.count_dead_letters(world.scope) == 1


def test_a_stranger_neither_sees_nor_touches_them(browse, people, world, letter):
    browser = browse(people.stranger)

    assert "Nothing went wrong" in browser.get(DEAD_LETTERS).text
    assert browser.post(f"{DEAD_LETTERS}/{letter}/retry").status_code == 404
    assert browser.post(f"{DEAD_LETTERS}/{letter}/discard").status_code == 404
    browser.post(f"{DEAD_LETTERS}/retry")
    assert queries.count_dead_letters(world.scope) == 1


def test_nobody_is_led_to_the_sign_in(browse, letter):
    assert "/app/login" in browse(None).get(DEAD_LETTERS).location


def test_a_form_without_its_token_is_refused(browse, people, letter):
    answer = browse(people.owner).client.post(f"{DEAD_LETTERS}/{letter}/retry")

    assert answer.status_code == 403


def test_a_retried_event_is_processed(browse, people, world, letter):
    repair(world)
    browser = browse(people.operator)

    answer = browser.post(f"{DEAD_LETTERS}/{letter}/retry")
    process.drain(world.scope)

    assert (answer.status_code, answer.location) == (303, DEAD_LETTERS)
    assert "The event will be processed again" in browser.get(DEAD_LETTERS).text
    assert browser.get("/app/leads/ann").status_code == 200


def test_all_are_retried_in_the_order_they_came(browse, people, world, letter):
    world.fail('{"event_type": "second"}')
    browser = browse(people.operator)

    browser.post(f"{DEAD_LETTERS}/retry")
    waiting = driver().execute("SELECT payload->>'event_type' FROM inbox ORDER BY receipt")

    assert [row[0] for row in waiting] == ["broken", "second"]
    assert "2 events will be processed again" in browser.get(DEAD_LETTERS).text


@pytest.mark.parametrize("which", ["one", "all"])
def test_the_pipeline_hears_of_a_retry(app, browse, people, letter, which):
    path = f"{DEAD_LETTERS}/retry" if which == "all" else f"{DEAD_LETTERS}/{letter}/retry"
    listener = Bell(app.extensions["leadvibe.redis"]).listen()
    listener.wait(timeout_seconds=0.1)  # from now on it hears

    browse(people.operator).post(path)

    assert listener.wait(timeout_seconds=5)
    listener.close()


def test_a_discarded_event_is_gone(browse, people, world, letter):
    answer = browse(people.operator).post(f"{DEAD_LETTERS}/{letter}/discard")

    assert answer.status_code == 303
    assert queries.count_dead_letters(world.scope) == 0
    assert process.drain(world.scope) == 0


@pytest.mark.parametrize("receipt", ["0", "99999999999999999999999", "x"])
def test_what_is_no_letter_is_not_found(browse, people, letter, receipt):
    for action in ("retry", "discard"):
        answer = browse(people.operator).post(f"{DEAD_LETTERS}/{receipt}/{action}")
        assert answer.status_code == 404


def test_htmx_gets_the_list_alone(browse, people, letter):
    answer = browse(people.operator).post(
        f"{DEAD_LETTERS}/{letter}/discard",
        headers=htmx("section#dead-letters"),
        follow_redirects=True,
    )

    assert answer.text.lstrip().startswith('<section class="loadable" id="dead-letters"')
    assert "gone for good" in answer.headers["HX-Trigger"]


def test_many_stand_on_several_pages(browse, people, world):
    for number in range(30):
        world.fail(f'{{"event_type": "broken {number}"}}')
    browser = browse(people.viewer)

    first, second = (browser.get(f"{DEAD_LETTERS}?page={n}").text for n in (1, 2))

    shown = [set(re.findall(r'letter-type">([^<]*)<', page)) for page in (first, second)]
    assert [len(names) for names in shown] == [25, 5]
    assert not shown[0] & shown[1]
    assert links_in(first, "page=") == [f"{DEAD_LETTERS}?page=2"]


@pytest.mark.parametrize("page", ["7", "0", "x", "9" * 40, "٣"])
def test_a_page_that_is_none_shows_the_nearest(browse, people, letter, page):
    answer = browse(people.viewer).get(f"{DEAD_LETTERS}?page={page}")

    assert answer.status_code == 200
    assert "letter-type" in answer.text


def test_an_event_that_is_no_object_is_shown_all_the_same(browse, people, world):
    world.fail('["no", "object"]')

    assert ">Unreadable<" in browse(people.viewer).get(DEAD_LETTERS).text
