"""What pages do in place, with scripts: what changes, where the focus stays, what is explained."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from leadvibe.engine.triggers import TriggerKind
from leadvibe.imports import queries, service
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.notifications.errors import TransportError
from leadvibe.pipeline import process
from tests.api.notification_examples import attempt
from tests.api.trigger_examples import add_trigger
from tests.notifications.posting import post

CSV = (
    "event_type,email,timestamp\n"
    "demo_request,ann@acme.test,2026-01-02T03:04:05Z\n"
    "demo_request,,2026-01-02T03:04:05Z\n"
    "page_view,bob@acme.test,2026-01-03T03:04:05Z\n"
)


@pytest.fixture
def scored(site, scenes):
    """Ann has 85 points over 63 events; Bob has 5."""

    def make() -> None:
        world = site.world
        world.add_rule("demo_request", 20)
        world.add_rule("page_view", 1)
        for hours in range(60):
            world.happen("page_view", "ann", ago=timedelta(hours=hours), page_title="Pricing")
        world.happen("demo_request", "ann", email="ann@acme.test", form="Book a demo")
        for _ in range(5):
            world.happen("page_view", "ann")
            world.happen("page_view", "bob")

    scenes.set("scored", make)
    return site


def work(site):
    """Do what the workers do with files that were uploaded."""
    for progress in queries.list_progress(site.world.scope, limit=10, now=utc_now()):
        service.advance_import(
            site.world.scope, progress.file.import_id, ring=lambda: None, is_stopping=lambda: False
        )
    process.drain(site.world.scope)
    commit()


def names(page: Page):
    return page.locator(".row-link")


def toast(page: Page):
    return page.locator(".toast")


def test_older_events_follow_without_leaving_the_page(scored):
    page = scored.visit(scored.people.viewer, "/app/leads/ann")
    expect(page.locator(".event")).to_have_count(50)

    page.get_by_role("link", name="Load older events").click()

    expect(page.locator(".event")).to_have_count(66)
    expect(page.get_by_role("link", name="Load older events")).to_have_count(0)
    assert page.url.endswith("/app/leads/ann")


def test_another_window_is_explained_in_place(scored):
    page = scored.visit(scored.people.viewer, "/app/leads/ann")

    page.get_by_role("group", name="Window").get_by_text("24 h").click()

    expect(page.get_by_text("Before this window")).to_be_visible()
    expect(page.locator(".event")).to_have_count(50)


def test_typing_narrows_the_list_and_the_address_follows(scored):
    page = scored.visit(scored.people.viewer)
    expect(names(page)).to_have_count(2)

    page.keyboard.press("/")
    page.keyboard.type("bob")

    expect(names(page)).to_have_text(["bob"])
    page.wait_for_url("**/app/leads?q=bob")
    expect(page.locator("#lead-search")).to_be_focused()


def test_back_undoes_a_filter(scored):
    page = scored.visit(scored.people.viewer)

    page.get_by_label("Level", exact=True).select_option("Cold")
    expect(names(page)).to_have_text(["bob"])
    page.go_back()

    expect(names(page)).to_have_count(2)
    expect(page.get_by_label("Level", exact=True)).to_have_value("")
    assert page.url.endswith("/app/leads")


def test_a_file_is_uploaded_watched_and_its_bad_row_named(site, tmp_path):
    site.world.add_rule("demo_request", 40)
    file = tmp_path / "events.csv"
    file.write_text(CSV)
    page = site.visit(site.people.operator, "/app/imports")

    page.locator("input[type=file]").set_input_files(file)
    page.wait_for_url("**/app/imports/*-*")
    expect(page.get_by_text("Queued")).to_be_visible()
    work(site)

    expect(page.get_by_text("Finished with errors")).to_be_visible()
    row = page.locator("#errors tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("demo_request,,2026-01-02T03:04:05Z")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all as CSV").click()
    assert download.value.suggested_filename == "events-errors.csv"

    page.get_by_role("link", name="Show leads").click()
    expect(names(page)).to_have_text(["ann@acme.test", "bob@acme.test"])
    expect(page.locator(".c-score b").first).to_have_text("40")


def test_a_file_that_will_not_do_is_explained_in_place(site, tmp_path):
    file = tmp_path / "book.csv"
    file.write_bytes(b"PK\x03\x04 a workbook in disguise")
    page = site.visit(site.people.operator, "/app/imports")

    page.locator("input[type=file]").set_input_files(file)

    expect(page.locator(".dropzone .field-error")).to_contain_text("Excel workbook")
    file.write_text(CSV)
    page.locator("input[type=file]").set_input_files(file)
    page.wait_for_url("**/app/imports/*-*")


def test_a_draft_is_edited_in_place_and_mistakes_are_explained_there(site):
    page = site.visit(site.people.operator, "/app/scoring")
    page.get_by_role("button", name="Edit").click()

    for _ in range(2):
        page.get_by_label("Event type").fill("login")
        page.get_by_label("Points", exact=True).fill("3")
        page.get_by_role("button", name="Add rule").click()
        page.wait_for_selector("[id^=rule-]")
    expect(page.locator(".add-rule .field-error")).to_contain_text("scores 'login' already")
    expect(page.get_by_label("Points", exact=True)).to_have_value("3")
    switch = page.get_by_role("switch", name="Rule for login is active")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    page.get_by_role("link", name="Edit rule for login").click()
    page.locator(".rule-editing").get_by_label("First day").fill("2026-12-01")
    page.get_by_role("button", name="Save rule").click()
    expect(page.get_by_text("from 1 Dec 2026")).to_be_visible()
    page.get_by_role("button", name="Delete rule for login").click()
    expect(page.get_by_text("No rules yet")).to_be_visible()
    expect(page.locator("#draft-bar")).to_contain_text("No changes yet")

    page.get_by_role("button", name="New ruleset").click()
    page.get_by_label("Name").last.fill("Engagement")
    page.get_by_role("button", name="Create ruleset").click()
    expect(page.get_by_text("A ruleset 'Engagement' exists already")).to_be_visible()


def test_a_segment_is_built_while_its_members_are_counted(scored):
    page = scored.visit(scored.people.operator, "/app/segments")
    title = page.locator("#preview-title")

    page.get_by_role("link", name="Build the first segment").click()
    page.get_by_label("Name", exact=True).fill("Readers")
    page.get_by_label("Kind of rule 1").select_option("event_metadata")
    page.get_by_label("Event type of rule 1").fill("page_view")
    page.get_by_label("Property of rule 1").fill("page_title")
    page.get_by_label("Comparison of rule 1").select_option("not_exists")
    expect(title).to_have_text("2 leads match now")
    page.get_by_label("Comparison of rule 1").select_option("contains")
    page.get_by_label("Value of rule 1").fill("pric")
    expect(title).to_have_text("1 lead matches now")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Readers")

    page.get_by_role("button", name="Add rule").click()
    page.get_by_label("Kind of rule 2").select_option("engagement_level")
    page.get_by_label("Level of rule 2").select_option("Cold")
    expect(title).to_have_text("0 leads match now")
    page.get_by_label("Joins rule 2").select_option("OR")
    expect(title).to_have_text("2 leads match now")
    page.get_by_role("button", name="Move up rule 2").click()
    expect(page.get_by_label("Level of rule 1")).to_have_value("Cold")
    expect(page.get_by_label("Value of rule 2")).to_have_value("pric")
    page.get_by_role("button", name="Save segment").click()

    page.wait_for_url(re.compile("/app/segments/[0-9a-f-]{36}$"))
    expect(page.locator(".row-name")).to_have_text(["ann@acme.test", "bob"])
    expect(page.get_by_role("heading", name="Members")).to_have_text("Members 2")
    page.get_by_role("link", name="Why is bob in it?").click()
    expect(page.locator("#why-1 .reason")).to_have_count(2)
    page.get_by_role("link", name="bob", exact=True).click()
    page.locator("#lead-segments").scroll_into_view_if_needed()
    page.get_by_role("link", name="Readers").click()
    expect(page.get_by_role("heading", name="Readers")).to_be_visible()


def test_two_who_edit_a_segment_at_once_lose_nothing(site):
    first = site.visit(site.people.operator, "/app/segments/new")
    first.get_by_label("Name", exact=True).fill("Fans")
    first.get_by_label("Property of rule 1").fill("plan")
    first.get_by_label("Value of rule 1").fill("pro")
    first.get_by_role("button", name="Save segment").click()
    first.get_by_role("link", name="Edit", exact=True).click()
    second = site.visit(site.people.owner, first.url.removeprefix(site.url))
    second.get_by_label("Value of rule 1").fill("theirs")
    second.get_by_role("button", name="Save segment").click()
    expect(second.get_by_text("theirs")).to_be_visible()

    first.get_by_label("Value of rule 1").fill("mine")
    first.get_by_role("button", name="Save segment").click()

    expect(first.get_by_text("last by owner@acme.test")).to_be_visible()
    expect(first.get_by_label("Value of rule 1")).to_have_value("mine")
    first.get_by_role("button", name="Save segment").click()
    expect(first.locator(".rule-words")).to_have_text("plan is mine")


def test_a_mistake_in_a_rule_is_explained_beside_it(site):
    page = site.visit(site.people.operator, "/app/segments/new")

    page.get_by_label("Name", exact=True).fill("Fans")
    page.get_by_label("Value of rule 1").fill("pro")
    page.get_by_role("button", name="Save segment").click()

    expect(page.locator("#rules-0-field-error")).to_have_text("Name the property.")
    expect(page.get_by_label("Value of rule 1")).to_have_value("pro")
    assert page.url.endswith("/app/segments/new")


def test_a_segment_is_switched_off_and_deleted_in_the_list(site):
    page = site.visit(site.people.operator, "/app/segments/new")
    page.get_by_label("Name", exact=True).fill("Fans")
    page.get_by_label("Property of rule 1").fill("plan")
    page.get_by_label("Comparison of rule 1").select_option("exists")
    expect(page.get_by_label("Value of rule 1")).to_have_count(0)
    page.get_by_role("button", name="Save segment").click()
    page.wait_for_url("**/app/segments/*-*")
    page.get_by_role("navigation", name="Breadcrumbs").get_by_role("link", name="Segments").click()

    expect(page.locator(".member-count")).to_have_text("0")
    page.get_by_role("switch", name="Fans is active").click()
    expect(toast(page)).to_contain_text("“Fans” is switched off.")
    page.get_by_role("button", name="Delete Fans").click()
    page.get_by_role("button", name="Delete segment").click()

    expect(page.get_by_text("No segments yet")).to_be_visible()


def test_a_sequence_is_made_tried_and_seen_to_fire(site):
    site.world.happen("pricing_view", "ann", email="ann@acme.test", plan="pro")
    site.world.happen("demo_request", "ann")
    site.world.happen("demo_request", "bob", email="bob@acme.test")
    page = site.visit(site.people.operator, "/app/triggers?kind=sequence")
    says = page.locator("#trigger-says")

    page.get_by_role("link", name="Make the first sequence").click()
    page.get_by_label("Event type of step 1").fill("demo_request")
    page.get_by_label("Event type of step 2").fill("pricing_view")
    page.get_by_role("button", name="Move down step 1").click()
    expect(page.get_by_label("Event type of step 1")).to_have_value("pricing_view")
    expect(page.get_by_role("button", name="Move up step 2")).to_be_focused()
    page.get_by_label("Add condition to step 1").click()
    expect(page.get_by_label("Property of condition 1 of step 1")).to_be_focused()
    page.keyboard.type("plan")
    page.get_by_label("Value of condition 1 of step 1").fill("pro")
    expect(says).to_contain_text("Say within which time.")
    page.get_by_role("spinbutton", name="All within").fill("2")
    page.get_by_label("E-mails").fill("sales@acme.test")
    expect(says).to_contain_text(
        "When a lead does pricing_view (plan is pro), then demo_request within 2 days,"
        " tell sales@acme.test: once per lead."
    )

    page.get_by_role("button", name="Try it").click()
    expect(page.locator(".trial-message")).to_have_text(
        "It would have fired for 1 lead in the last 30 days."
    )
    expect(page.locator(".trial-leads a")).to_have_text(["ann@acme.test"])
    page.get_by_label("Only this lead").press_sequentially("bob@")
    expect(page.locator("#lead-offers option")).to_have_attribute("value", "bob")
    page.get_by_role("button", name="Try it").click()
    expect(page.locator(".trial-message")).to_contain_text("It would not have fired for bob")

    page.get_by_role("button", name="Save sequence").click()
    page.wait_for_url("**/app/triggers?kind=sequence")
    expect(page.locator(".c-last")).to_contain_text("Never")
    site.world.happen("pricing_view", "bob", plan="pro")
    site.world.happen("demo_request", "bob")
    page.reload()
    page.get_by_role("link", name="1 time").click()
    expect(page.locator(".history-table tbody tr")).to_contain_text(
        "did pricing_view, then demo_request within 2 days"
    )
    page.get_by_role("link", name="bob@acme.test").click()
    page.locator("#lead-triggers").scroll_into_view_if_needed()
    expect(page.locator("#lead-triggers li")).to_contain_text("pricing_view, then demo_request")


def test_a_mistake_in_a_trigger_is_explained_beside_it(site):
    page = site.visit(site.people.operator, "/app/triggers/surge/new")

    page.get_by_label("Events", exact=True).fill("5")
    page.get_by_role("button", name="Save surge").click()

    expect(page.locator("#window-error")).to_have_text("Say within which time.")
    expect(page.get_by_text("Nothing is saved yet")).to_be_in_viewport()
    expect(page.get_by_label("Events", exact=True)).to_have_value("5")
    assert page.url.endswith("/app/triggers/surge/new")


def test_a_trigger_is_switched_off_and_deleted_in_the_list(site):
    add_trigger(site.world, TriggerKind.MILESTONE)
    page = site.visit(site.people.operator, "/app/triggers")

    page.get_by_role("switch", name="First points is active").click()
    expect(toast(page)).to_contain_text("“First points” is paused.")
    page.get_by_role("button", name="Delete First points").click()
    page.get_by_role("button", name="Delete trigger").click()

    expect(page.get_by_text("No triggers yet")).to_be_visible()


def test_events_are_narrowed_by_a_brush_explained_and_deleted(scored):
    page = scored.visit(scored.people.operator, "/app/events")
    events = page.locator(".event-link")
    bars = page.locator("svg[data-brush] a")
    expect(bars).to_have_count(31)

    box = page.locator("svg[data-brush]").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 50, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 30, steps=3)
    page.mouse.up()
    page.wait_for_url("**from=*to=*")
    expect(page.locator(".chip", has_text="From")).to_have_count(1)

    page.locator("#event-search").fill("demo")
    expect(events).to_have_text(["demo_request"])
    events.first.click()
    expect(page.locator("#panel-title")).to_be_focused()
    expect(page.locator("#event-panel")).to_contain_text("and gave 20 points")
    assert "event=" in page.url
    page.keyboard.press("Escape")
    expect(page.locator("#event-panel")).to_be_hidden()
    expect(events.first).to_be_focused()

    page.get_by_label("Select demo_request").check()
    page.get_by_role("button", name="Delete 1…").click()
    expect(page.get_by_role("main")).to_contain_text("\N{MINUS SIGN}20")
    page.get_by_role("button", name="Delete 1 event").click()
    expect(page.get_by_role("main")).to_contain_text("1 event is deleted")
    expect(page.get_by_text("No event here")).to_be_visible()


def test_the_theme_stays_as_chosen(site):
    page = site.visit(site.people.viewer)

    page.get_by_role("button", name="Your account").click()
    page.get_by_role("button", name="Dark").click()
    page.reload()

    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"


def test_a_secret_can_be_copied_once(site):
    page = site.visit(site.people.owner, "/app/credentials")

    page.get_by_label("Name").fill("CRM sync")
    page.get_by_role("button", name="Create credential").click()
    secret = page.locator("#created-secret").inner_text()
    page.get_by_role("button", name="Copy").nth(1).click()
    page.goto("/app/credentials")

    assert secret.startswith("lv_cs_")
    expect(page.get_by_role("cell", name="CRM sync", exact=True)).to_be_visible()
    assert secret not in page.content()


def test_a_dead_letter_is_discarded_after_asking(site):
    site.world.fail()
    page = site.visit(site.people.operator, "/app/dead-letters")

    page.get_by_role("button", name="Discard").first.click()
    page.get_by_role("button", name="Discard event").click()

    expect(page.get_by_text("Nothing went wrong")).to_be_visible()
    expect(toast(page)).to_have_text("The event is gone for good.")


def test_an_ended_session_leads_to_the_sign_in_and_back(site):
    page = site.visit(site.people.viewer)
    site.world.happen("page_view", "ann")
    page.reload()
    page.context.clear_cookies()

    page.locator("#lead-search").fill("ann")

    expect(page).to_have_url(re.compile(r"/app/login\?next="))
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_reference_leads_from_the_overview_to_a_command_to_copy(site):
    page = site.visit(None, "/docs", permissions=["clipboard-read", "clipboard-write"])

    page.get_by_role("link", name="Search leads by ID or alias").click()
    page.wait_for_url("**/docs/leads#get_leads_search")
    page.locator("#get_leads_search").get_by_role("button", name="Copy").first.click()

    expect(page.get_by_role("status")).to_contain_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("curl ")
    assert "/leads/search?q=ada" in copied


def test_the_reference_can_be_read_in_the_dark(site):
    page = site.visit(None, "/docs")

    page.get_by_role("button", name="Dark").click()
    page.reload()

    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"


def test_a_delivery_that_failed_is_sent_again_and_watched(site):
    post(site.world.scope, "https://hooks.acme.test/leads", lead_id="ann")
    attempt(TransportError("404", reason="there is nothing there", is_temporary=False))
    page = site.visit(site.people.operator, "/app/deliveries")

    page.get_by_label("State").select_option("Failed")
    page.get_by_role("link", name="Milestone reached").click()
    expect(page.get_by_text("It did not get through: there is nothing there.")).to_be_visible()
    page.get_by_role("button", name="Resend").click()
    expect(page.locator(".alert-ok")).to_have_text("It is on its way again.")
    attempt()

    expect(page.locator("#delivery .badge")).to_have_text("Delivered")
    expect(page.locator(".attempt summary").first).to_contain_text("Attempt 2")
