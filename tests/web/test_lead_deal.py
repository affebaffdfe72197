"""What is recorded of a lead, on its page: shown to everybody, changed by who may."""

from __future__ import annotations

import re

import pytest

from leadvibe.leadlist.records import find_record
from leadvibe.leads.statuses import Status, list_changes
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.pipeline import recording

DEAL = "/app/leads/ann/deal"


@pytest.fixture
def ann(world):
    world.score_leads(ann=80)
    recording.update_lead(
        world.scope,
        "ann",
        properties={"value": 900, "gclid": "g-1", "ad_storage": True, "utm_source": "google"},
        by="test",
        via="app",
        now=utc_now(),
    )
    commit()
    return world


def form_of(browser, **changes: str) -> dict[str, str]:
    page = browser.get("/app/leads/ann").text
    fields = {
        name: re.search(rf'name="{name}"[^>]* value="([^"]*)"', page)[1]
        for name in ("value", "currency", "source", "loss_reason", "state")
    }
    return {**fields, "status": "not_contacted", "notes": "", "zone": "0", **changes}


def test_the_deal_is_saved_and_says_what_changed(browse, people, ann):
    browser = browse(people.operator)
    form = form_of(
        browser, status="qualified", value="1200.50", currency="eur", source="Fair", zone="120",
        next_call_at="2026-03-02T10:30", notes="Wants a trial.",
    )  # fmt: skip

    answer = browser.post(DEAL, form, follow_redirects=True)

    record = find_record(ann.scope, "ann")
    assert "The lead is qualified now." in answer.text
    assert (record.status, record.fields["value"]) == (Status.QUALIFIED, 1200.5)
    assert record.fields["currency"] == "EUR"
    assert record.fields["next_call_at"].isoformat() == "2026-03-02T08:30:00+00:00"
    assert record.fields["notes"] == "Wants a trial."
    [change] = list_changes(ann.scope, "ann", limit=9)
    assert (change.before, change.via) == (Status.NOT_CONTACTED, "app")
    assert change.changed_by


def test_the_properties_leave_out_what_the_deal_shows(browse, people, ann):
    page = browse(people.viewer).get("/app/leads/ann").text

    assert "<dt>Value</dt><dd>900</dd>" in page
    assert '<span class="property-name">value</span>' not in page
    assert '<span class="property-name">gclid</span>' not in page
    assert "Google Ads (gclid)" in page
    assert "Nothing but what stands under Deal." in page


def test_what_a_group_shows_is_still_edited_as_a_property(browse, people, ann):
    page = browse(people.operator).get("/app/leads/ann?edit=gclid").text

    assert 'aria-label="Edit gclid"' in page


def test_paper_has_the_facts_in_place_of_the_form(browse, people, ann):
    page = browse(people.operator).get("/app/leads/ann").text

    assert '<dl class="facts only-print"><dt>Status</dt>' in page
    assert "<dt>Value</dt><dd>900</dd>" in page


def test_an_emptied_field_is_taken_away(browse, people, ann):
    browser = browse(people.operator)

    browser.post(DEAL, form_of(browser, value=""))

    assert find_record(ann.scope, "ann").fields["value"] is None


def test_of_two_editors_the_later_is_told(browse, people, ann):
    browser = browse(people.operator)
    form = form_of(browser, value="1")
    browser.post(DEAL, form_of(browser, value="2"))

    answer = browser.post(DEAL, form)

    assert answer.status_code == 409
    assert "Somebody has changed this" in answer.text
    assert find_record(ann.scope, "ann").fields["value"] == 2


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"value": "lots"}, "Type a number"),
        ({"currency": "euros"}, "Type three letters"),
        ({"status": "maybe"}, "Choose one of Not contacted"),
        ({"next_call_at": "soon"}, "Choose a day and a time"),
    ],
)
def test_what_cannot_be_read_is_refused_at_its_field(browse, people, ann, changes, says):
    browser = browse(people.operator)

    answer = browser.post(DEAL, form_of(browser, **changes))

    assert answer.status_code == 422
    assert says in answer.text


def test_a_viewer_reads_and_changes_nothing(browse, people, ann):
    viewer = browse(people.viewer)

    page = viewer.get("/app/leads/ann").text
    assert "<dt>Value</dt><dd>900</dd>" in page
    assert "Save deal" not in page
    assert viewer.post(DEAL, {"status": "lost"}).status_code == 403


def test_where_it_came_from_is_in_groups(browse, people, ann):
    page = browse(people.viewer).get("/app/leads/ann").text

    for text in ("Google Ads (gclid)", "g-1", "UTM source", "Granted"):
        assert text in page


def test_a_stranger_cannot_change_it(browse, people, ann):
    assert browse(people.stranger).post(DEAL, {"status": "lost"}).status_code == 404
