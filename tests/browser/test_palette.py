"""Search or go to, by keyboard alone."""

from __future__ import annotations

from playwright.sync_api import expect


def test_a_lead_is_found_and_then_recent_without_touching_the_mouse(site):
    site.world.happen("page_view", "annette")
    page = site.visit(site.people.operator, "/app/home")
    ask = page.get_by_role("combobox", name="Search or go to")
    chosen = page.locator(".palette [aria-selected=true]")

    page.keyboard.press("Control+k")
    expect(ask).to_be_focused()
    page.keyboard.type("annette")
    expect(chosen).to_contain_text("annette")
    page.keyboard.press("Enter")
    page.wait_for_url("**/app/leads/annette")

    page.goto("/app/home")
    page.get_by_role("link", name="Search or go to").click()
    expect(page.get_by_role("group", name="Recent")).to_contain_text("annette")
    page.keyboard.type("segm")
    expect(chosen).to_have_text("Segments")
    page.keyboard.press("ArrowDown")
    expect(chosen).to_contain_text("New segment")
    page.keyboard.press("Escape")
    expect(page.locator(".palette")).to_be_hidden()
    expect(page.get_by_role("link", name="Search or go to")).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("sign out")
    page.keyboard.press("Enter")
    page.wait_for_url("**/app/login**")
    assert page.evaluate("Object.keys(localStorage).filter((it) => it.startsWith('recents'))") == []
