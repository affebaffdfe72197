"""What a rep comes to do in the morning: call somebody, and say what came of it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from leadvibe.leads.queries import get_lead
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, rollback
from leadvibe.pipeline import process, recording
from tests.browser.looks import LOOKS, Journey


@pytest.fixture(params=LOOKS)
def journey(request, site, scenes) -> Journey:
    """Ann is to be called since yesterday, by nobody in particular."""

    def make() -> None:
        world = site.world
        world.happen("visit", "ann", email="ann@acme.test", ago=timedelta(days=2))
        now = utc_now()
        properties = {"next_call_at": (now - timedelta(days=1)).isoformat(), "company": "Acme"}
        recording.update_lead(
            world.scope, "ann", properties=properties, by="test", via="app", now=now
        )
        commit()

    scenes.set("call-journey", make)
    return Journey(site, "calls", request.param)


def test_call_somebody_and_say_what_came_of_it(journey):
    world = journey.site.world
    page = journey.visit(journey.site.people.operator, "/app/calls?of=nobody")
    journey.keep(page, "1 whom to call")

    page.get_by_role("button", name="Claim ann@acme.test for 24 hours").click()
    expect(page.get_by_text("is yours for 24 hours")).to_be_visible()
    page.get_by_role("link", name=re.compile("^Mine")).click()
    page.locator("summary", has_text="Log a call").click()
    page.get_by_label("Outcome").select_option("interested")
    page.get_by_label("Note").fill("Wants a trial for five.")
    page.get_by_label("Call next").select_option("3")
    journey.keep(page, "2 the form of a call")
    page.get_by_role("button", name="Save call").click()
    expect(
        page.get_by_text(re.compile("logged: talked: interested", re.IGNORECASE))
    ).to_be_visible()
    expect(page.locator(".call")).to_have_count(0)

    process.drain(world.scope)
    rollback()
    page.goto("/app/leads/ann")
    history = page.locator("#lead-history")
    expect(history).to_contain_text("Wants a trial for five.")
    expect(history).to_contain_text("from Not contacted")
    expect(history).to_contain_text("call_logged")
    deal = page.locator("#lead-deal")
    expect(deal.get_by_label("Next call")).not_to_have_value("")
    journey.keep(page, "3 the lead")

    deal.get_by_label("Status").select_option("qualified")
    deal.get_by_label("Value").fill("1200.50")
    deal.get_by_label("Currency").fill("eur")
    deal.get_by_role("button", name="Save deal").click()
    expect(page.get_by_text("The lead is qualified now.")).to_be_visible()
    expect(page.locator("#lead-deal").get_by_label("Value")).to_have_value("1200.5")
    journey.keep(page, "4 the deal")

    rollback()
    metadata = get_lead(world.scope, "ann").metadata
    assert (metadata["value"], metadata["currency"]) == (1200.5, "EUR")
    assert metadata["lead_status"] == "qualified"
