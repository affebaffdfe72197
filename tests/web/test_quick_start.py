"""The quick start on its pages, all without JavaScript."""

from __future__ import annotations

import re

import pytest

from leadvibe.quickstart.queries import read_quick_start
from leadvibe.scoring.queries import list_rules
from leadvibe.segments.queries import list_segments

QUICK = "/app/quick-start"
ANSWERS = {"industry": "saas", "chosen": "1", "type": ["demo_request", "form_submit"]}


@pytest.fixture
def browser(browse, people):
    return browse(people.owner)


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5])
def test_each_step_carries_the_answers_to_the_next(browser, step):
    page = browser.get(f"{QUICK}?industry=saas&chosen=1&type=demo_request&step={step}")

    assert page.status_code == 200
    assert 'value="demo_request"' in page.text


def test_what_speaks_against_buying_is_offered_but_not_chosen(browser, world):
    world.happen("deal_lost", "ann")
    world.happen("deal_won", "ann")

    events = browser.get(f"{QUICK}?step=2").text
    review = browser.get(f"{QUICK}?step=4&industry=saas&chosen=1&type=deal_lost").text

    assert '<input type="checkbox" name="type" value="deal_won" checked>' in events
    assert '<input type="checkbox" name="type" value="deal_lost">' in events
    assert re.search(r'name="w.rule:deal_lost" value="-10"', review)


def test_the_review_switches_off_and_weighs(browser):
    answers = f"{QUICK}?step=5&industry=saas&chosen=1&type=demo_request&type=wave"
    page = browser.get(f"{answers}&had=rule:wave&had=decay&on=rule:wave&w.rule:wave=7")

    assert '<input type="hidden" name="off" value="decay">' in page.text
    assert '<input type="hidden" name="w.rule:wave" value="7">' in page.text


def test_rules_about_people_are_told_as_their_form_tells_them(browser):
    page = browser.get(f"{QUICK}?step=4&industry=saas&chosen=1&type=demo_request").text

    assert "<b>seniority is one of Director, VP, Executive, C-level, Owner</b>" in page


def test_applied_twice_nothing_is_made_twice(browser, world):
    browser.post(QUICK, ANSWERS)
    rules, segments = list_rules(world.scope), list_segments(world.scope)

    again = browser.get(browser.post(QUICK, ANSWERS).location)

    assert "Everything is there already" in again.text
    assert list_rules(world.scope) == rules
    assert list_segments(world.scope) == segments
    assert {"demo_request", "form_submit"} == {it.event_type for it in rules}


def test_put_away_it_is_found_under_settings(browser, world):
    browser.post(f"{QUICK}/dismiss", {})

    home = browser.get("/app/home").text
    assert read_quick_start(world.scope).is_over
    assert home.index("/app/settings") < home.index(f'class="nav-link" href="{QUICK}"')


def test_a_viewer_may_not_start(browse, people, world):
    browser = browse(people.viewer)

    statuses = [
        browser.get(QUICK).status_code,
        browser.post(QUICK, ANSWERS).status_code,
        browser.post(f"{QUICK}/dismiss", {}).status_code,
    ]

    assert statuses == [403, 403, 403]
    assert not read_quick_start(world.scope).is_over
