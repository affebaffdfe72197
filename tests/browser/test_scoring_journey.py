"""Somebody new changes a score, sees what that does, and makes it live, reading nothing first."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from leadvibe.lib.db import commit
from leadvibe.scoring import queries


@pytest.fixture
def scored(site):
    """Ann asked for a demo and Bob looked around."""
    site.world.add_rule("page_view", 1)
    site.world.add_rule("demo_request", 20)
    for _ in range(3):
        site.world.happen("page_view", "bob", email="bob@acme.test")
    site.world.happen("demo_request", "ann", email="ann@acme.test")
    site.world.happen("webinar", "ann")
    return site


def test_from_the_sign_in_to_a_change_that_is_live(scored):
    page = scored.visit(scored.people.operator)
    page.get_by_role("link", name="Scoring", exact=True).click()
    page.get_by_role("button", name="Edit").click()

    points = page.get_by_role("spinbutton", name="Points for demo_request")
    points.fill("60")
    points.press("Tab")
    expect(page.get_by_text("was +20")).to_be_visible()
    expect(page.locator("#draft-bar")).to_contain_text("1 change ·")

    page.get_by_role("link", name="Add a rule for webinar").click()
    expect(page.get_by_label("Points", exact=True)).to_be_focused()
    page.get_by_label("Points", exact=True).fill("15")
    page.get_by_label("Points", exact=True).press("Enter")
    expect(page.locator("#draft-bar")).to_contain_text("2 changes ·")
    expect(page.get_by_label("Event type")).to_be_focused()
    expect(page.get_by_label("Event type")).to_have_value("")
    expect(page.get_by_label("Points", exact=True)).to_have_value("")

    page.get_by_role("button", name="Preview changes").click()
    panel = page.locator("#what-changes")
    expect(panel).to_contain_text("1 of 2 leads would get another score, 1 another level.")
    page.get_by_role("link", name="In detail: who moves, and why").click()
    expect(page.locator(".movers tbody tr")).to_contain_text(["ann@acme.test"])
    page.locator(".segments").get_by_text("Down").click()
    expect(page.get_by_text("Nobody.")).to_be_visible()
    page.go_back()
    expect(page.locator(".movers tbody tr")).to_have_count(1)

    page.get_by_role("link", name="Publish").click()
    page.get_by_label("Note").fill("Demos matter most")
    page.get_by_role("button", name="Publish").click()

    expect(page.locator(".alert-ok")).to_contain_text("is live as version")
    expect(page.locator("#rescore")).to_contain_text("Scoring all leads by the new rules")
    page.get_by_role("link", name="History").click()
    expect(page.locator(".version-list li").first).to_contain_text("Demos matter most")
    commit()
    rules = {it.event_type: it.weight for it in queries.list_rules(scored.world.scope)}
    assert rules == {"demo_request": 60, "webinar": 15, "page_view": 1}


def test_two_who_change_the_same_points_lose_nothing(scored):
    first = scored.visit(scored.people.operator, "/app/scoring")
    first.get_by_role("button", name="Edit").click()
    first.wait_for_url(re.compile("/drafts/"))
    second = scored.visit(scored.people.owner, first.url.removeprefix(scored.url))

    mine = first.get_by_role("spinbutton", name="Points for demo_request")
    theirs = second.get_by_role("spinbutton", name="Points for demo_request")
    theirs.fill("50")
    theirs.press("Enter")
    expect(second.get_by_text("was +20")).to_be_visible()
    mine.fill("30")
    mine.press("Enter")

    expect(first.get_by_role("alert")).to_contain_text("owner@acme.test has changed this to +50")
    expect(mine).to_have_value("30")
    mine.press("Enter")
    expect(first.get_by_role("alert")).to_have_count(0)
    commit()
    [draft] = queries.list_drafts(scored.world.scope)
    config = queries.get_draft_config(scored.world.scope, draft.draft_id)
    weights = {rule.event_type: rule.weight for it in config.rulesets for rule in it.rules}
    assert weights["demo_request"] == 30
