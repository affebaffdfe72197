"""Sample data from the pages: asked for by an Owner, once, watched, and wiped again."""

from __future__ import annotations

import pytest

from leadvibe.imports import queries, sampling
from leadvibe.pipeline import process
from tests.web.pages import htmx, links_in, names_in

SAMPLE = "/app/sample"
IMPORTS = "/app/imports"
PROGRESS = f"{IMPORTS}#sample-data"
SECTION = htmx("section#sample-data")

pytestmark = pytest.mark.usefixtures("small_sample")


def load(world):
    """Do what a worker does: load what was asked for."""
    sampling.advance_sample(world.scope, ring=lambda: None)


def is_asked_for(world):
    return queries.find_sample(world.scope) is not None


@pytest.mark.parametrize("name", ["admin", "owner"])
def test_an_owner_asks_for_it_and_a_worker_loads_it(browse, people, world, name):
    browser = browse(people[name])
    offered = browser.get("/app/leads").text

    answer = browser.post(SAMPLE)
    coming = browser.get("/app/leads").text
    load(world)
    process.drain(world.scope)

    assert f'action="{SAMPLE}"' in offered
    assert (answer.status_code, answer.location) == (303, PROGRESS)
    assert names_in(coming) == []
    assert f'action="{SAMPLE}"' not in coming
    assert PROGRESS in links_in(coming, IMPORTS)
    assert len(names_in(browser.get("/app/leads").text)) == 20


def test_its_progress_is_seen_until_it_is_scored(browse, people, world):
    browser = browse(people.owner)
    browser.post(SAMPLE)

    queued = browser.get(IMPORTS, headers=SECTION).text
    load(world)
    scoring = browser.get(IMPORTS, headers=SECTION).text
    process.drain(world.scope)
    finished = browser.get(IMPORTS, headers=SECTION).text

    assert "Queued" in queued
    assert "owner@acme.test" in queued
    assert "Scoring" in scoring
    assert 'value="0"' in scoring
    assert "<dt>Events</dt><dd>200</dd>" in scoring
    assert "Finished" in finished
    assert "<dt>Scored</dt><dd>200</dd>" in finished
    assert all(f'hx-get="{IMPORTS}"' in page for page in (queued, scoring))
    assert "hx-get" not in finished
    assert all("<html" not in page for page in (queued, scoring, finished))


def test_what_went_wrong_is_told_and_can_be_tried_again(browse, people, world):
    browser = browse(people.owner)
    browser.post(SAMPLE)
    sampling._give_up(queries.find_sample(world.scope), "The sample data could not be made.")

    failed = browser.get(IMPORTS).text
    browser.post(SAMPLE)

    assert "The sample data could not be made." in failed
    assert "Try again" in failed
    assert "Queued" in browser.get(IMPORTS).text


@pytest.mark.parametrize("name", ["operator", "viewer"])
def test_nobody_else_may_load_watch_or_wipe(browse, people, world, name):
    browser = browse(people[name])

    assert SAMPLE not in browser.get("/app/leads").text
    assert "sample-data" not in browser.get(IMPORTS).text
    assert browser.post(SAMPLE).status_code == 403
    assert browser.post(f"{SAMPLE}/wipe").status_code == 403
    assert not is_asked_for(world)


def test_a_stranger_asks_for_their_own_unit(browse, people, world, elsewhere):
    browse(people.stranger).post(SAMPLE)

    assert is_asked_for(elsewhere)
    assert not is_asked_for(world)


def test_a_form_without_its_token_is_refused(browse, people, world):
    assert browse(people.owner).client.post(SAMPLE).status_code == 403
    assert not is_asked_for(world)


def test_it_is_loaded_once(browse, people, world):
    browser = browse(people.owner)
    for _ in range(2):
        browser.post(SAMPLE)
        load(world)

    assert process.drain(world.scope) == 200


def test_it_is_wiped_from_the_imports_page(browse, people, world):
    world.happen("page_view", "a lead of our own")
    browser = browse(people.owner)
    browser.post(SAMPLE)
    load(world)
    process.drain(world.scope)
    offered = browser.get(IMPORTS).text

    answer = browser.post(f"{SAMPLE}/wipe", follow_redirects=True)

    assert f'action="{SAMPLE}/wipe"' in offered
    assert "The sample data is gone: 20 leads and 200 events." in answer.text
    assert f'action="{SAMPLE}"' in answer.text
    assert names_in(browser.get("/app/leads").text) == ["a lead of our own"]
