"""Merging leads from their page, with a look at it first; undoing it; and deleting them."""

from __future__ import annotations

import pytest

from leadvibe.leads import merging, queries, suggestions
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.pipeline.deletion import advance_deletion
from leadvibe.pipeline.merging import merge
from tests.web.pages import htmx, links_in

PAGE = "/app/leads/ann"


@pytest.fixture
def pair(world):
    """Ann and Bo, whom an event has named together."""
    world.add_rule("page_view", 2)
    world.happen("page_view", "ann", email="ann@acme.test")
    for _ in range(3):
        world.happen("page_view", "bo", email="bo@acme.test")
    world.happen("page_view", "ann", email="bo@acme.test")
    return world


@pytest.fixture
def browser(browse, people, pair):
    return browse(people.operator)


def test_a_lead_named_together_is_suggested_to_both(browser):
    for lead, other in (("ann", "bo"), ("bo", "ann")):
        page = browser.get(f"/app/leads/{lead}").text
        assert "The same person?" in page
        assert links_in(page, "/merge?with=") == [f"/app/leads/{lead}/merge?with={other}"]


def test_what_is_not_the_same_is_not_suggested_again(browser):
    browser.post(f"{PAGE}/dismiss", {"other_lead_id": "bo"})

    for lead in ("ann", "bo"):
        assert "The same person?" not in browser.get(f"/app/leads/{lead}").text
    assert browser.post(f"{PAGE}/dismiss", {"other_lead_id": "bo"}).status_code == 404


def test_suggestions_of_one_lead_agree_with_those_of_the_unit(pair):
    [alone] = suggestions.list_others(pair.scope, "ann", ())

    assert (alone.other_lead_id, alone.other_name) == ("bo", "bo@acme.test")
    assert [it.value for it in alone.aliases] == ["bo@acme.test"]


def test_the_other_lead_is_found_by_a_search(browser):
    found = browser.get(f"{PAGE}/merge?q=acme", headers=htmx("#lead-merge")).text

    assert links_in(found, "with=") == [f"{PAGE}/merge?with=bo"]
    assert "No other lead matches" in browser.get(f"{PAGE}/merge?q=zzz").text


def test_a_merge_is_shown_before_it_is_done_and_either_may_stay(browser, pair):
    seen = browser.get(f"{PAGE}/merge?with=bo").text
    turned = browser.get(f"{PAGE}/merge?with=bo&stays=other").text

    assert "3 events in 1 session come along" in seen
    assert 'name="target_lead_id" value="ann"' in seen
    assert 'name="target_lead_id" value="bo"' in turned
    assert queries.find_lead(pair.scope, "bo").merged_into is None


@pytest.mark.parametrize("other", ["ann", "nobody", "%00x"])
def test_what_cannot_be_merged_says_why(browser, other):
    answer = browser.get(f"{PAGE}/merge?with={other}")

    assert answer.status_code == 200
    assert 'role="alert"' in answer.text
    assert "target_lead_id" not in answer.text


def test_a_merge_is_done_and_undone_from_the_page(browser, pair):
    done = browser.post(f"{PAGE}/merge", {"source_lead_id": "bo", "target_lead_id": "ann"})

    assert done.location == PAGE
    page = browser.get(PAGE).text
    assert "“bo” is part of this lead now: 3 events came along." in page
    assert "Merged into this lead" in page
    assert f"Why {queries.get_lead(pair.scope, 'ann').score} points" in page
    undone = browser.post(f"{PAGE}/unmerge", {"source_lead_id": "bo"})
    assert undone.status_code == 303
    assert "Merged into this lead" not in browser.get(PAGE).text
    assert merging.list_merged(pair.scope, "ann") == []


def test_the_second_of_two_who_merge_is_told(browser, pair):
    merge(pair.principal, pair.scope, "ann", ["bo"], now=utc_now())
    commit()

    late = browser.post(f"{PAGE}/merge", {"source_lead_id": "bo", "target_lead_id": "ann"})

    assert late.status_code == 409
    assert "was merged into" in late.text


@pytest.mark.parametrize(
    "sent",
    [{}, {"source_lead_id": "bo", "target_lead_id": "cy"}, {"source_lead_id": "bo\0"}],
)
def test_leads_that_were_not_shown_are_not_merged(browser, sent):
    assert browser.post(f"{PAGE}/merge", sent).status_code == 400


def test_a_deletion_is_watched_to_its_end(browser, pair):
    begun = browser.post(f"{PAGE}/delete")
    assert begun.location == f"{PAGE}/deletion"
    waiting = browser.get(begun.location).text
    assert 'hx-trigger="every 1s"' in waiting
    assert browser.get(PAGE).location == f"{PAGE}/deletion"

    advance_deletion(pair.scope, "ann", is_stopping=lambda: False)

    over = browser.get(f"{PAGE}/deletion", headers=htmx("#lead-deletion")).text
    assert "Nothing of it is left" in over
    assert "hx-trigger" not in over
    assert "<html" not in over


def test_nobody_deletes_or_watches_what_is_not_theirs(browse, people, pair):
    stranger = browse(people.stranger)

    assert stranger.get(f"{PAGE}/deletion").status_code == 404
    assert stranger.get(f"{PAGE}/merge").status_code == 404
    assert browse(people.viewer).get(f"{PAGE}/merge").status_code == 403


def test_a_merged_lead_is_found_without_a_walk_over_all_leads(pair):
    driver().execute("SET LOCAL enable_seqscan = off")

    plan = driver().execute(
        "EXPLAIN SELECT lead_id FROM leads WHERE unit_id = %s AND merged_into = 'ann'",
        (pair.scope.unit_id,),
    )

    assert "ix_leads_merged_into" in " ".join(line for (line,) in plan)


def test_more_leads_than_are_shown_are_said_to_be_there(browse, people, world):
    for number in range(12):
        world.happen("page_view", f"smith-{number:02}")
    browser = browse(people.operator)

    many = browser.get("/app/leads/smith-00/merge?q=smith").text
    few = browser.get("/app/leads/smith-00/merge?q=smith-1").text

    assert "More than 10 leads match" in many
    assert len(set(links_in(many, "with=smith-"))) == 10
    assert "More than" not in few
