"""Every page works in a browser that runs no scripts: forms are forms, and links are links."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from leadvibe.lib.db import commit
from leadvibe.scoring import queries as scoring


@pytest.fixture
def visit(site):
    """Return a way to open a page in a browser without scripts."""

    def visit_plainly(person, path="/app/leads"):
        return site.visit(person, path, java_script_enabled=False)

    return visit_plainly


def test_a_lead_is_explained_and_its_history_read_to_the_end(site, visit):
    site.world.add_rule("page_view", 1)
    for hours in range(55):
        site.world.happen("page_view", "ann", ago=timedelta(hours=hours))
    page = visit(site.people.viewer)

    page.get_by_title("Why this score?").click()
    page.locator(".fall-group summary").click()
    page.get_by_role("link", name="Show 55 of 55 entries").click()
    expect(page.locator(".fall-group[open] tbody tr")).to_have_count(55)
    page.get_by_title("Show this event in the timeline").last.click()
    expect(page.locator(".event-linked")).to_have_count(1)
    page.get_by_role("link", name="Newest events").click()
    page.get_by_role("link", name="Load older events").click()

    expect(page.locator(".event")).to_have_count(5)


def test_rules_are_drafted_and_published(site, visit):
    site.world.happen("login", "ann")
    page = visit(site.people.operator, "/app/scoring")

    page.get_by_role("button", name="Edit").click()
    page.get_by_role("link", name="Add a rule for login").click()
    page.get_by_label("Points", exact=True).fill("3")
    page.get_by_role("button", name="Add rule").click()
    points = page.get_by_role("spinbutton", name="Points for login")
    points.fill("5")
    points.press("Enter")
    expect(points).to_have_value("5")
    page.get_by_role("switch", name="Rule for login is active").click()
    page.get_by_role("switch", name="Rule for login is active").click()
    page.get_by_role("button", name="New ruleset").click()
    page.get_by_role("textbox", name="Name").last.fill("Winter")
    page.get_by_role("button", name="Create ruleset").click()
    expect(page.locator("#draft-bar")).to_contain_text("2 changes")
    page.get_by_role("link", name="Publish").click()
    page.get_by_role("button", name="Publish").click()

    expect(page.locator(".alert-ok")).to_contain_text("is live as version")
    commit()
    assert [it.weight for it in scoring.list_rules(site.world.scope)] == [5]


def test_a_segment_is_built_looked_at_and_deleted(site, visit):
    site.world.happen("page_view", "ann", path="/pricing")
    page = visit(site.people.operator, "/app/segments")

    page.get_by_role("link", name="Build the first segment").click()
    page.get_by_label("Name", exact=True).fill("Readers")
    page.get_by_label("Kind of rule 1").select_option("event_metadata")
    page.get_by_role("button", name="Show who matches").click()
    page.get_by_label("Event type of rule 1").fill("page_view")
    page.get_by_label("Property of rule 1").fill("path")
    page.get_by_label("Value of rule 1").fill("/pricing")
    page.get_by_role("button", name="Add rule").click()
    page.get_by_role("button", name="Move up rule 2").click()
    page.get_by_role("button", name="Remove rule 1").click()
    page.get_by_role("button", name="Show who matches").click()
    expect(page.locator("#preview-title")).to_have_text("1 lead matches now")
    page.get_by_role("button", name="Save segment").click()
    expect(page.locator(".alert-ok")).to_have_text("“Readers” is saved.")
    page.get_by_role("link", name="Why is ann in it?").click()
    expect(page.locator(".reason")).to_have_count(1)
    page.get_by_role("link", name="Show lead").click()
    page.get_by_role("link", name="Show its segments").click()
    page.get_by_role("link", name="Readers").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete segment").click()

    expect(page.get_by_text("No segments yet")).to_be_visible()


def test_a_sequence_is_made_tried_and_deleted(site, visit):
    site.world.happen("pricing_view", "ann")
    site.world.happen("demo_request", "ann")
    page = visit(site.people.operator, "/app/triggers?kind=sequence")

    page.get_by_role("link", name="Make the first sequence").click()
    page.get_by_label("Event type of step 1").fill("demo_request")
    page.get_by_label("Event type of step 2").fill("pricing_view")
    page.get_by_role("button", name="Move up step 2").click()
    page.get_by_role("button", name="Add step").click()
    page.get_by_role("button", name="Remove step 3").click()
    page.get_by_role("spinbutton", name="All within").fill("1")
    page.get_by_label("Look back, in days").fill("7")
    page.get_by_role("button", name="Try it").click()
    expect(page.locator(".trial-message")).to_contain_text("fired for 1 lead in the last 7 days")
    page.get_by_role("button", name="Save sequence").click()
    expect(page.locator("#webhook_url-error")).to_contain_text("This is missing")
    page.get_by_label("E-mails").fill("sales@acme.test")
    page.get_by_role("button", name="Save sequence").click()
    page.get_by_role("link", name="Edit").click()
    expect(page.locator("#trigger-says")).to_contain_text("pricing_view, then demo_request")
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete trigger").click()

    expect(page.get_by_text("No sequences yet")).to_be_visible()


def test_a_dead_letter_is_retried_and_another_discarded(site, visit):
    site.world.fail()
    site.world.fail('{"event_type": "second"}')
    page = visit(site.people.operator, "/app/dead-letters")

    page.get_by_role("button", name="Retry", exact=True).first.click()
    page.get_by_role("button", name="Discard").first.click()
    page.get_by_role("button", name="Discard event").click()

    expect(page.get_by_text("Nothing went wrong")).to_be_visible()


def test_a_credential_is_made_and_deleted(site, visit):
    page = visit(site.people.owner, "/app/credentials")

    page.get_by_label("Name").fill("CRM sync")
    page.get_by_role("button", name="Create credential").click()
    expect(page.locator("#created-secret")).to_contain_text("lv_cs_")
    page.get_by_role("button", name="Delete CRM sync").click()
    page.get_by_role("button", name="Delete credential").locator("visible=true").click()

    expect(page.get_by_text("The credential is deleted")).to_be_visible()
    expect(page.get_by_role("cell", name="CRM sync", exact=True)).to_have_count(0)


def test_a_member_signs_out(site, visit):
    page = visit(site.people.viewer)

    page.get_by_role("button", name="Your account").click()
    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/app/leads")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_channel_is_made_tried_and_deleted(site, visit):
    page = visit(site.people.operator, "/app/settings/notifications")

    page.get_by_role("link", name="E-mail").click()
    page.get_by_label("Name").fill("Sales")
    page.get_by_label("Recipients").fill("ana")
    page.get_by_role("button", name="Create channel").click()
    expect(page.locator(".field-error")).to_contain_text("not an e-mail address")
    page.get_by_label("Recipients").fill("ana@acme.test")
    page.get_by_role("button", name="Create channel").click()
    page.get_by_role("button", name="Send a test through Sales").click()
    expect(page.locator(".alert-ok")).to_contain_text("A test is on its way.")
    page.goto("/app/settings/notifications")
    page.get_by_role("button", name="Delete Sales").click()
    page.get_by_role("button", name="Delete channel").click()

    expect(page.get_by_text("No channels yet")).to_be_visible()


def test_events_are_filtered_explained_and_a_type_hidden(site, visit):
    site.world.happen("page_view", "ann", page="/pricing")
    site.world.happen("page_view", "bob", page="/about")
    page = visit(site.people.operator, "/app/events")

    page.locator("summary", has_text="Filters").click()
    page.get_by_label("Property of condition 1").fill("page")
    page.get_by_label("Value of condition 1").fill("/pricing")
    page.get_by_role("button", name="Show events").last.click()
    expect(page.locator(".event-link")).to_have_count(1)
    page.locator(".event-link").click()
    expect(page.locator("#event-panel")).to_contain_text("no rule scored its type")

    page.locator("summary", has_text="Settings").click()
    page.get_by_role("link", name="Event types").click()
    page.get_by_role("switch", name="page_view is visible").click()
    expect(page.get_by_role("switch")).not_to_be_checked()
