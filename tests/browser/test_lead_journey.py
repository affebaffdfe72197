"""One lead in a real browser: the chart by keyboard, the score of another day, and a note."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import expect


def test_a_rep_reads_why_goes_back_in_time_and_writes_it_down(site):
    site.world.add_rule("demo_request", 20)
    site.world.add_rule("page_view", 5)
    site.world.happen("page_view", "ann", ago=timedelta(days=9))
    site.world.happen("demo_request", "ann", ago=timedelta(days=2))
    page = site.visit(site.people.operator, "/app/leads/ann")

    page.locator("#score-chart").focus()
    page.keyboard.press("Home")
    expect(page.locator("[data-readout]")).to_contain_text("page_view")
    page.locator("#as-of-slider").focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", name="Why 5 points on")).to_be_visible()
    expect(page.locator("#as-of-slider")).to_be_focused()
    page.locator("#note-text").fill("Call her on Friday.")
    page.get_by_role("button", name="Add note").click()

    expect(page.locator(".event-note")).to_contain_text("Call her on Friday.")
    expect(page.locator("#note-text")).to_have_value("")
    expect(page.get_by_role("heading", name="Why 5 points on")).to_be_visible()
    assert "as_of=" in page.url
    page.get_by_role("link", name="Notes").click()
    expect(page.locator(".event")).to_have_count(1)
    assert "as_of=" in page.url
    page.go_back()
    expect(page.locator(".event")).to_have_count(3)
