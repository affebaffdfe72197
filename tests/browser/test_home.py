"""Home and accounts, used as people use them."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import expect

from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.scoring.settings import update_settings


def test_a_range_is_chosen_in_place_and_back_undoes_it(site):
    site.world.add_rule("page_view", 5)
    site.world.happen("page_view", "ann")
    site.world.happen("page_view", "ann", ago=timedelta(days=20))
    page = site.visit(site.people.viewer, "/app/home")
    risers = page.locator("section", has=page.get_by_role("heading", name="Rising"))
    expect(risers).to_contain_text("+10")

    page.get_by_role("link", name="7 days").click()

    page.wait_for_url("**/app/home?range=7d")
    expect(risers).to_contain_text("page_view, 1 time: +5")
    expect(page.get_by_role("link", name="7 days")).to_be_focused()
    page.go_back()
    expect(risers).to_contain_text("+10")
    page.locator("#home-events-title").scroll_into_view_if_needed()
    page.locator(".chart-column").nth(29).hover()
    expect(page.locator(".chart-tip:visible")).to_contain_text("1 event")


def test_leads_without_an_account_are_assigned_to_one(site):
    world = site.world
    update_settings(world.principal, world.scope, {"abm_enabled": True}, now=utc_now())
    commit()
    world.happen("page_view", email="ann@acme.test")
    for name in ("dan", "eve"):
        world.happen("page_view", name)
    page = site.visit(site.people.operator, "/app/accounts")
    page.get_by_role("link", name="Unresolved leads").click()

    page.get_by_label("Choose all on this page").check()
    expect(page.get_by_text("2 chosen")).to_be_visible()
    page.get_by_label("Account", exact=True).press_sequentially("acm")
    expect(page.locator("#account-options option")).to_have_count(1)
    page.get_by_label("Account", exact=True).fill("acme.test")
    page.get_by_role("button", name="Assign").click()

    expect(page.get_by_text("2 leads now belong to acme.test.")).to_be_visible()
    expect(page.get_by_text("Every lead has an account")).to_be_visible()
