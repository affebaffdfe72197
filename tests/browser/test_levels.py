"""Levels, cut where people see who falls into each: by dragging, and by keyboard."""

from __future__ import annotations

from playwright.sync_api import expect

from leadvibe.scoring import queries


def test_a_cut_is_dragged_moved_by_keyboard_and_saved(site):
    site.world.score_leads(ann=80, bob=30)
    page = site.visit(site.people.operator, "/app/scoring/levels")
    warm = page.get_by_role("slider", name="Where Warm begins")
    box, chart = warm.bounding_box(), page.locator("#level-chart").bounding_box()

    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(chart["x"] + chart["width"] / 2, box["y"] + 20, steps=4)
    page.mouse.up()
    # Warm stays below where Hot begins, however far it is dragged.
    expect(warm).to_have_attribute("aria-valuenow", "49")
    expect(page.locator("[data-count]")).to_have_text(["1", "0", "0", "1"])
    expect(page.locator("#level-moves")).to_contain_text("1 lead goes from Warm to Cold.")

    warm.press("PageDown")
    warm.press("ArrowLeft")
    expect(page.get_by_label("Lowest score of Warm")).to_have_value("38")
    page.get_by_role("button", name="Save levels").click()

    expect(page.locator(".toast")).to_contain_text("1 lead goes from Warm to Cold.")
    assert {it.name: it.min_score for it in queries.list_levels(site.world.scope)}["Warm"] == 38
