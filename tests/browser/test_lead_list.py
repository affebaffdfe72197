"""The leads list by keyboard: look at a lead, choose some, do something to them, take it back."""

from __future__ import annotations

from playwright.sync_api import expect


def test_leads_are_looked_at_chosen_watched_and_let_go_by_keyboard(site):
    site.world.score_leads(ann=80, bob=30, cid=10)
    page = site.visit(site.people.operator)

    page.keyboard.press("j")
    page.keyboard.press("o")
    expect(page.locator(".peek-head h2")).to_have_text("ann")
    page.keyboard.press("j")
    expect(page.locator(".peek-head h2")).to_have_text("bob")
    page.wait_for_url("**peek=bob")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-bulk-count]")).to_have_text("2 chosen")

    page.locator(".bulk-bar").get_by_role("button", name="Watch", exact=True).click()
    expect(page.locator("#bulk-strip")).to_contain_text("2 leads are on your watch list now.")
    expect(page.locator(".lead-peek").get_by_role("button", name="Unwatch")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#bulk-strip")).to_contain_text("Undone for 2 leads.")

    page.locator(".c-pick input").nth(1).check()
    page.locator(".bulk-bar").get_by_role("button", name="Assign").click()
    page.get_by_label("Owner").select_option(label="Me")
    page.get_by_role("dialog").get_by_role("button", name="Assign").click()
    expect(page.locator("#bulk-strip")).to_contain_text("1 lead belongs to")
    expect(page.get_by_role("dialog")).to_have_count(0)
