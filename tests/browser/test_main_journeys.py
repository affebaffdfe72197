"""What marketers and sales reps come to do, from beginning to end, in every look."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from leadvibe.imports import service, undoing
from leadvibe.lib.db import commit
from leadvibe.lib.ids import parse_id
from leadvibe.pipeline import process
from leadvibe.scoring.queries import list_rules
from tests.api.notification_examples import attempt
from tests.browser.looks import LOOKS, Journey
from tests.people import PASSWORD

EVENTS = "event_type,email\ndemo_request,eve@acme.test\npage_view,eve@acme.test\npage_view,\n"
LEADS = "email,first_name,company\nfay@acme.test,Fay,Acme\ngil@acme.test,Gil,Acme\n,Nobody,\n"


@pytest.fixture(params=LOOKS)
def journey(request, site, scenes) -> Journey:
    """Three leads: Ann asked for a demo, Bob and Cid looked around."""

    def make() -> None:
        world = site.world
        world.add_rule("page_view", 5)
        world.add_rule("demo_request", 60)
        for name, days in (("bob", 3), ("ann", 2), ("cid", 1)):
            world.happen(
                "page_view", name, email=f"{name}@acme.test", ago=timedelta(days=days),
                page_title="Pricing",
            )  # fmt: skip
        world.happen("demo_request", "ann", ago=timedelta(hours=3), form="Book a demo")
        world.happen("webinar", "bob")

    scenes.set("journeys", make)
    name = request.node.originalname.removeprefix("test_")
    return Journey(site, name, request.param)


def rows(page: Page):
    return page.locator(".row-link")


def test_sign_in_and_read_home(journey):
    person = journey.site.people.viewer
    page = journey.visit(None, "/app/home")
    journey.keep(page, "1 sign in")

    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    page.get_by_role("link", name="7 days").click()
    page.wait_for_url("**/app/home?range=7d")
    if not journey.runs_scripts:
        page.get_by_role("link", name="Show levels, risers and fallers").click()
    risers = page.locator("section", has=page.get_by_role("heading", name="Rising"))
    expect(risers).to_contain_text("+65")
    journey.keep(page, "2 home")
    risers.get_by_role("link", name="ann@acme.test").first.click()
    expect(page.get_by_role("heading", name="ann@acme.test")).to_be_visible()


def test_find_a_lead_and_read_why(journey):
    page = journey.visit(journey.site.people.viewer, "/app/leads")
    expect(rows(page)).to_have_text(["ann@acme.test", "bob@acme.test", "cid@acme.test"])

    if journey.is_narrow:
        journey.unfold_filters(page)
    page.get_by_label("Level", exact=True).select_option("Cold")
    journey.search(page, "bob")
    expect(rows(page)).to_have_text(["bob@acme.test"])
    page.get_by_role("link", name="Level: Cold").click()
    expect(page.get_by_label("Level", exact=True)).to_have_value("")
    journey.search(page, "")
    expect(rows(page)).to_have_count(3)
    if not journey.is_narrow:
        page.get_by_role("link", name="Score", exact=True).click()
        expect(rows(page).last).to_have_text("ann@acme.test")
    journey.unfold_filters(page)
    if not journey.runs_scripts:
        page.get_by_role("link", name="Show filters…").click()
    page.get_by_label("Lowest score").fill("50")
    journey.keep(page, "1 filters")
    page.get_by_role("button", name="Show leads").click()
    expect(rows(page)).to_have_text(["ann@acme.test"])
    if journey.is_narrow:
        page.get_by_title("Why this score?").click()
        expect(page.get_by_role("heading", name="Why 65 points")).to_be_in_viewport()
    else:
        page.get_by_role("button", name="Look at ann@acme.test here").click()
        expect(page.locator(".peek-head h2")).to_have_text("ann@acme.test")
        journey.keep(page, "2 peek")
        page.get_by_role("link", name="Open lead").click()

    page.locator("summary", has_text="demo_request").first.click()
    expect(page.locator(".fall-group[open] tbody tr")).to_contain_text("+60")
    journey.keep(page, "3 why")
    page.locator(".fall-group[open]").get_by_title("Show this event in the timeline").click()
    expect(page.locator(".event-linked")).to_contain_text("Book a demo")


def test_save_a_view_choose_columns_and_export(journey):
    page = journey.visit(journey.site.people.operator, "/app/leads?level=Cold")

    if journey.is_narrow:
        page.locator(".lead-toolbar summary[title=More]").click()
        page.get_by_role("link", name="Columns").click()
    else:
        page.locator("summary", has_text="Columns").click()
        if not journey.runs_scripts:
            page.get_by_role("link", name="Show columns…").click()
    page.get_by_label("Company").check()
    journey.keep(page, "1 columns")
    page.get_by_role("button", name="Show these").click()
    expect(page.locator("th", has_text="Company")).to_have_count(1)
    page.locator("summary", has_text="Save view").click()
    page.get_by_label("Name", exact=True).fill("Cold ones")
    page.get_by_label("Share with everybody").check()
    page.get_by_role("button", name="Save view").click()
    views = page.get_by_role("navigation", name="Views")
    expect(views.locator("[aria-current]")).to_contain_text("Cold ones")
    journey.keep(page, "2 view")

    views.get_by_role("link").first.click()
    expect(rows(page)).to_have_count(3)
    views.get_by_role("link", name="Cold ones").click()
    expect(rows(page)).to_have_text(["bob@acme.test", "cid@acme.test"])
    if journey.is_narrow:
        page.locator(".lead-toolbar summary[title=More]").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Export this list as CSV").click()
    with Path(download.value.path()).open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 2


def test_assign_an_owner_to_filtered_leads_and_undo(journey):
    page = journey.visit(journey.site.people.operator, "/app/leads?level=Cold")
    expect(rows(page)).to_have_count(2)

    for name in ("bob", "cid"):
        page.get_by_label(f"Choose {name}@acme.test").check()
    journey.keep(page, "1 chosen")
    page.locator(".bulk-bar").get_by_role("button", name="Assign").click()
    page.get_by_label("Owner").select_option(label="Me")
    journey.keep(page, "2 assign")
    page.get_by_role("button", name="Assign", exact=True).last.click()
    expect(page.locator("#bulk-strip")).to_contain_text("2 leads belong to")
    journey.keep(page, "3 assigned")
    page.get_by_role("button", name="Undo").click()

    expect(page.locator("#bulk-strip")).to_contain_text("Undone for 2 leads.")
    expect(rows(page)).to_have_count(2)


def test_change_scoring_and_roll_back(journey):
    page = journey.visit(journey.site.people.operator, "/app/scoring")

    page.get_by_role("button", name="Edit").click()
    points = page.get_by_role("spinbutton", name="Points for demo_request")
    points.fill("20")
    points.press("Enter")
    expect(page.locator("#draft-bar")).to_contain_text("1 change")
    page.get_by_role("link", name="Add a rule for webinar").click()
    expect(page.get_by_label("Event type", exact=True)).to_have_value("webinar")
    page.get_by_label("Points", exact=True).fill("15")
    page.get_by_role("button", name="Add rule").click()
    expect(page.locator("#draft-bar")).to_contain_text("2 changes")
    page.get_by_role("button", name="Preview changes").click()
    expect(page.get_by_text("2 of 3 leads would get another score")).to_be_visible()
    journey.keep(page, "1 preview")
    page.get_by_role("link", name="Publish").click()
    page.get_by_label("Note").fill("Demos are rare")
    journey.keep(page, "2 publish")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".alert-ok")).to_contain_text("is live as version")
    journey.keep(page, "3 live")

    page.get_by_role("link", name="History").click()
    versions = page.locator(".version-list li")
    expect(versions.first).to_contain_text("Demos are rare")
    journey.keep(page, "4 history")
    versions.nth(1).get_by_role("link").first.click()
    page.get_by_role("button", name="Go back at once").click()
    page.get_by_role("button", name="Go back", exact=True).click()
    expect(page.locator(".alert-ok").first).to_be_visible()
    journey.keep(page, "5 rolled back")
    commit()
    rules = {it.event_type: it.weight for it in list_rules(journey.site.world.scope)}
    assert rules == {"demo_request": 60, "page_view": 5}


def test_build_a_segment_and_see_its_members(journey):
    page = journey.visit(journey.site.people.operator, "/app/segments")

    page.get_by_role("link", name="Build the first segment").click()
    page.get_by_label("Name", exact=True).fill("Readers")
    page.get_by_label("Kind of rule 1").select_option("event_metadata")
    if not journey.runs_scripts:
        page.get_by_role("button", name="Show who matches").click()
    page.get_by_label("Event type of rule 1").fill("page_view")
    page.get_by_label("Property of rule 1").fill("page_title")
    page.get_by_label("Comparison of rule 1").select_option("contains")
    page.get_by_label("Value of rule 1").fill("pric")
    page.get_by_role("button", name="Add rule").click()
    page.get_by_label("Kind of rule 2").select_option("engagement_level")
    if not journey.runs_scripts:
        page.get_by_role("button", name="Show who matches").click()
    page.get_by_label("Level of rule 2").select_option("Cold")
    if not journey.runs_scripts:
        page.get_by_role("button", name="Show who matches").click()
    expect(page.locator("#preview-title")).to_have_text("2 leads match now")
    journey.keep(page, "1 builder")
    page.get_by_role("button", name="Save segment").click()
    expect(page.locator(".row-name")).to_have_text(["bob@acme.test", "cid@acme.test"])
    journey.keep(page, "2 members")
    page.get_by_role("link", name="Why is bob@acme.test in it?").click()
    expect(page.locator(".reason")).to_have_count(2)


def test_make_a_trigger_simulate_and_activate_it(journey):
    page = journey.visit(journey.site.people.operator, "/app/triggers?kind=milestone")

    page.get_by_role("link", name="Make the first milestone").click()
    page.get_by_label("Name", exact=True).fill("Ready for sales")
    page.get_by_label("Score to reach").fill("50")
    page.get_by_label("E-mails").fill("sales@acme.test")
    page.get_by_role("button", name="Try it").click()
    expect(page.locator(".trial-message")).to_contain_text("fired for 1 lead in the last 30 days")
    journey.keep(page, "1 tried")
    page.get_by_role("button", name="Save milestone").click()
    switch = page.get_by_role("switch", name="Ready for sales is active")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")
    journey.keep(page, "2 active")


def test_connect_a_webhook_and_see_its_test_delivered(journey):
    page = journey.visit(journey.site.people.operator, "/app/settings/notifications")

    page.get_by_role("link", name="Webhook").click()
    page.get_by_label("Name").fill("CRM")
    page.get_by_label("URL").fill("https://hooks.acme.test/leads")
    journey.keep(page, "1 channel")
    page.get_by_role("button", name="Create channel").click()
    page.get_by_role("button", name="Send a test through CRM").click()
    expect(page.locator(".alert-ok")).to_contain_text("A test is on its way.")
    attempt()
    page.goto("/app/deliveries")
    journey.keep(page, "2 deliveries")
    page.locator("main table a, main .delivery-list a").first.click()

    expect(page.locator("#delivery .badge")).to_have_text("Delivered")
    journey.keep(page, "3 delivered")


def work(page: Page, journey: Journey) -> None:
    """Do what the workers do with a file that was uploaded, or is taken back."""
    scope, import_id = journey.site.world.scope, parse_id(page.url.rpartition("/")[2])
    service.advance_import(scope, import_id, ring=lambda: None, is_stopping=lambda: False)
    undoing.advance_undo(scope, import_id, is_stopping=lambda: False)
    process.drain(scope)
    commit()
    page.reload()


def test_import_events_and_undo_it(journey, tmp_path):
    file = tmp_path / "website.csv"
    file.write_text(EVENTS)
    page = journey.visit(journey.site.people.operator, "/app/imports")

    page.locator("input[type=file]").set_input_files(file)
    if not journey.runs_scripts:
        page.get_by_role("button", name="Import", exact=True).click()
    page.wait_for_url("**/app/imports/*-*")
    undo(journey, page)


def test_import_leads_and_undo_it(journey, tmp_path):
    file = tmp_path / "guests.csv"
    file.write_text(LEADS)
    page = journey.visit(journey.site.people.operator, "/app/imports/leads")

    page.locator("input[type=file]").set_input_files(file)
    if not journey.runs_scripts:
        page.get_by_role("button", name="Upload").click()
    journey.keep(page, "preview")
    page.get_by_role("link", name="Continue").click()
    journey.keep(page, "identifier")
    page.get_by_role("button", name="Continue").click()
    journey.keep(page, "columns")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator(".wizard-figures")).to_contain_text("New leads2")
    journey.keep(page, "confirm")
    page.get_by_role("button", name=re.compile("^Import")).click()
    undo(journey, page)


def undo(journey: Journey, page: Page) -> None:
    """Look at an import that has just begun, and take it back."""
    expect(page.get_by_text("Queued")).to_be_visible()
    work(page, journey)
    expect(page.get_by_text("Finished with errors")).to_be_visible()
    journey.keep(page, "finished")
    page.get_by_role("link", name="Undo import").click()
    expect(page.locator(".undo-effect").first).to_be_visible()
    journey.keep(page, "undo")
    page.get_by_role("button", name="Undo import").click()
    work(page, journey)

    expect(page.get_by_role("heading", name="What undoing it did")).to_be_visible()
    page.goto("/app/leads")
    expect(rows(page)).to_have_count(3)


def test_quick_start_to_a_working_configuration(journey):
    page = journey.visit(journey.site.people.owner, "/app/quick-start")

    for step in ("industry", "events", "sensitivity", "review"):
        journey.keep(page, step)
        page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Apply").click()

    expect(page.locator(".alert-ok").first).to_be_visible()
    page.goto("/app/scoring")
    expect(page.get_by_role("main")).to_contain_text("demo_request")
    journey.keep(page, "applied")


def test_invite_a_member(journey):
    page = journey.visit(journey.site.people.admin, "/app/members")

    page.get_by_label("E-mail").fill("jo@acme.test")
    page.get_by_label("Role").select_option(label="Operator")
    page.get_by_role("button", name="Invite").click()
    expect(page.locator("#member-link")).to_contain_text("http")
    journey.keep(page, "invited")
    link = page.locator("#member-link").inner_text()

    guest = journey.visit(None, link[link.index("/app") :])
    journey.keep(guest, "welcome")
    guest.get_by_label("Your name").fill("Jo")
    guest.get_by_label("Password").fill(PASSWORD)
    guest.get_by_role("button", name="Join").click()
    expect(guest.get_by_role("heading", level=1)).to_be_visible()
    journey.keep(guest, "joined")
