"""Sample data from the pages: loaded by an Owner, once, and wiped again."""

from __future__ import annotations

from functools import partial

import pytest

from leadvibe.imports.sample_load import has_sample, load_sample
from leadvibe.pipeline import process
from leadvibe.web import sample
from tests.web.world import names_in

SAMPLE = "/app/sample"


@pytest.fixture(autouse=True)
def small_sample(monkeypatch):
    """Make the sample a small one: the same in kind, and quick."""
    monkeypatch.setattr(sample, "load_sample", partial(load_sample, leads=20, events=200))


@pytest.mark.parametrize("name", ["admin", "owner"])
def test_an_owner_loads_it_from_the_empty_list(browse, people, world, name):
    browser = browse(people[name])
    offered = browser.get("/app/leads").text

    answer = browser.post(SAMPLE)
    listed = browser.get(answer.location).text
    process.drain(world.scope)

    assert f'action="{SAMPLE}"' in offered
    assert answer.status_code == 303
    assert "20 sample leads and 200 events are in" in listed
    assert len(names_in(browser.get("/app/leads").text)) == 20


@pytest.mark.parametrize("name", ["operator", "viewer"])
def test_nobody_else_may_load_or_wipe(browse, people, world, name):
    browser = browse(people[name])

    assert SAMPLE not in browser.get("/app/leads").text
    assert SAMPLE not in browser.get("/app/imports").text
    assert browser.post(SAMPLE).status_code == 403
    assert browser.post(f"{SAMPLE}/wipe").status_code == 403
    assert not has_sample(world.scope)


def test_a_stranger_loads_it_into_their_own_unit(browse, people, world, elsewhere):
    browse(people.stranger).post(SAMPLE)

    assert has_sample(elsewhere.scope)
    assert not has_sample(world.scope)


def test_a_form_without_its_token_is_refused(browse, people, world):
    assert browse(people.owner).client.post(SAMPLE).status_code == 403


def test_it_is_loaded_once(browse, people, world):
    browser = browse(people.owner)
    browser.post(SAMPLE)

    again = browser.post(SAMPLE, follow_redirects=True)

    assert "has the sample data already" in again.text
    assert len(names_in(again.text)) == 20


def test_it_is_wiped_from_the_imports_page(browse, people, world):
    world.happen("page_view", "a lead of our own")
    browser = browse(people.owner)
    browser.post(SAMPLE)
    process.drain(world.scope)
    offered = browser.get("/app/imports").text

    answer = browser.post(f"{SAMPLE}/wipe", follow_redirects=True)

    assert f'action="{SAMPLE}/wipe"' in offered
    assert "The sample data is gone: 20 leads and 200 events." in answer.text
    assert f'action="{SAMPLE}"' in answer.text
    assert names_in(browser.get("/app/leads").text) == ["a lead of our own"]
