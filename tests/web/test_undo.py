"""What was done is said with a button that takes it back, in a page and beside a fragment."""

from __future__ import annotations

import json
import re
from html import unescape

from leadvibe.leads import watching
from leadvibe.leads.queries import get_lead, list_aliases
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.pipeline.editing import state_of
from leadvibe.scoring import drafts
from leadvibe.segments import queries as segment_queries
from leadvibe.segments import service as segments
from leadvibe.web.notices import LONGEST_UNDO
from tests.web.pages import htmx


def undo_in(page: str) -> tuple[str, dict[str, str]]:
    """Return the address and the fields of the undo that a page offers."""
    form = re.search(
        r'<form class="undo" method="post" action="([^"]+)">(.*?)</form>', page, re.DOTALL
    )
    assert form, "no undo is offered"
    fields = re.findall(r'name="([^"]+)" value="([^"]*)"', form[2])
    return unescape(form[1]), {name: unescape(value) for name, value in fields}


def take_back(browser, done) -> str:
    """Press the undo of the page that an action led to; returns the page after it."""
    page = browser.get(done.location).text
    url, fields = undo_in(page)
    undone = browser.post(url, fields)
    assert undone.status_code == 303
    return browser.get(undone.location).text


def test_an_owner_is_given_back(browse, people, world):
    world.happen("page_view", "ann")
    browser, member = browse(people.operator), people.operator.member

    done = browser.post("/app/leads/ann/owner", {"owner_id": str(member.org_member_id)})
    assert get_lead(world.scope, "ann").owner_id == member.org_member_id
    after = take_back(browser, done)

    assert get_lead(world.scope, "ann").owner_id is None
    assert "Nobody owns this lead." in after


def test_a_fragment_says_it_in_a_toast_with_the_form(browse, people, world):
    world.happen("page_view", "ann")
    browser, headers = browse(people.viewer), htmx("header#lead-head")

    done = browser.post("/app/leads/ann/watch", {"watch": "1"}, headers=headers)
    shown = browser.get(done.location, headers=headers)

    toast = json.loads(shown.headers["HX-Trigger"])["toast"]
    assert toast["text"] == "You watch this lead."
    assert toast["undo"] == {
        "url": "/app/leads/ann/watch", "fields": {"watch": "0"}, "label": "Undo"
    }  # fmt: skip


def test_no_longer_watching_is_taken_back_unless_something_was_written(browse, people, world):
    world.happen("page_view", "ann")
    browser, member_id = browse(people.viewer), people.viewer.member.org_member_id
    browser.get(browser.post("/app/leads/ann/watch", {"watch": "1"}).location)

    take_back(browser, browser.post("/app/leads/ann/watch", {"watch": "0"}))
    assert watching.is_watched(world.scope, member_id, "ann")

    watching.watch(world.scope, member_id, "ann", prediction="will buy", notes=None, now=utc_now())
    commit()
    done = browser.post("/app/leads/ann/watch", {"watch": "0"})
    assert 'class="undo"' not in browser.get(done.location).text


def test_an_alias_is_put_back(browse, people, world):
    world.happen("page_view", "ann", email="ann@acme.test")
    browser, lead_id = browse(people.operator), "ann"
    (alias,) = list_aliases(world.scope, lead_id)

    path = f"/app/leads/{lead_id}/aliases/{alias.alias_id}/remove"
    take_back(browser, browser.post(path))

    assert [it.value for it in list_aliases(world.scope, lead_id)] == ["ann@acme.test"]


def test_a_property_gets_its_value_back_whatever_its_type(browse, people, world):
    world.happen("page_view", "ann")
    browser = browse(people.operator)
    url, sent = "/app/leads/ann/property", {"name": "seats", "kind": "number"}
    first = browser.post(url, {**sent, "value": "5", "state": state_of(None)})
    browser.get(first.location)
    second = browser.post(url, {**sent, "value": "6", "state": state_of(5)})
    assert get_lead(world.scope, "ann").metadata["seats"] == 6

    take_back(browser, second)

    assert get_lead(world.scope, "ann").metadata["seats"] == 5


def test_a_property_that_was_not_there_goes_again(browse, people, world):
    world.happen("page_view", "ann")
    browser, sent = browse(people.operator), {"name": "seats", "kind": "number", "value": "5"}

    done = browser.post("/app/leads/ann/property", {**sent, "state": state_of(None)})
    take_back(browser, done)

    assert "seats" not in get_lead(world.scope, "ann").metadata


def test_leads_that_were_merged_are_parted_again(browse, people, world):
    world.happen("page_view", "ann")
    world.happen("page_view", "bob")
    browser = browse(people.operator)

    done = browser.post("/app/leads/ann/merge", {"source_lead_id": "bob", "target_lead_id": "ann"})
    after = take_back(browser, done)

    assert "“bob” stands for itself again" in after
    assert browser.get("/app/leads/bob").status_code == 200


def test_a_segment_is_switched_on_again(browse, people, world):
    fields = {"name": "Fans", "active": True}
    segment = segments.create_segment(world.principal, world.scope, fields, now=utc_now())
    commit()
    browser = browse(people.operator)

    take_back(browser, browser.post(f"/app/segments/{segment.segment_id}", {"active": "0"}))

    assert segment_queries.get_segment(world.scope, segment.segment_id).active


def test_a_deleted_view_is_made_again(browse, people, world):
    world.happen("page_view", "ann")
    browser = browse(people.viewer)
    made = browser.post("/app/leads/views", {"name": "Hot ones", "query": "min_score=50"})
    view_id = re.search(r"view=([0-9a-f-]{36})", made.location)[1]

    browser.get(made.location)
    after = take_back(browser, browser.post(f"/app/leads/views/{view_id}/delete"))

    assert "Hot ones" in after


def test_a_rule_is_put_back_into_a_draft_as_it_was(browse, people, world):
    rule = world.add_rule("page_view", 5)
    draft = drafts.create_draft(world.principal, world.scope, "More", now=utc_now())
    commit()
    browser = browse(people.operator)
    path = f"/app/scoring/drafts/{draft.draft_id}/engagement/rules/{rule.rule_id}"

    done = browser.post(f"{path}/delete")
    assert "1 change" in browser.get(f"/app/scoring/drafts/{draft.draft_id}/engagement").text
    done = browser.post(f"{path}/restore")

    page = browser.get(done.location).text
    assert "No changes" in page or "0 changes" in page


def test_deleting_a_rule_offers_to_put_it_back(browse, people, world):
    rule = world.add_rule("page_view", 5)
    draft = drafts.create_draft(world.principal, world.scope, "More", now=utc_now())
    commit()
    browser = browse(people.operator)
    path = f"/app/scoring/drafts/{draft.draft_id}/engagement/rules/{rule.rule_id}"

    answer = browser.post(f"{path}/delete", headers=htmx("div#rulesets"))

    told = json.loads(answer.headers["HX-Trigger"])
    assert told["toast"]["undo"]["url"] == f"{path}/restore"
    assert "draft-changed" in told


def test_what_would_not_fit_into_the_session_is_not_offered(browse, people, world):
    world.happen("page_view", "ann")
    browser, url = browse(people.operator), "/app/leads/ann/property"
    sent = {"name": "story", "kind": "text"}
    story = "x" * (LONGEST_UNDO + 1)
    browser.get(browser.post(url, {**sent, "value": story, "state": state_of(None)}).location)

    done = browser.post(url, {**sent, "value": "short", "state": state_of(story)})

    page = browser.get(done.location).text
    assert "“story” is saved." in page
    assert 'class="undo"' not in page


def test_an_undo_needs_the_right_of_what_it_takes_back(browse, people, world):
    world.happen("page_view", "ann")

    assert browse(people.viewer).post("/app/leads/ann/owner", {"owner_id": ""}).status_code == 403
