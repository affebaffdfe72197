"""Search or go to: the page and the palette's fragment, each with what one may see and do."""

from __future__ import annotations

import re

import pytest

from leadvibe.identity.service import set_membership
from leadvibe.identity.types import UnitRole
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.scoring.settings import update_settings
from leadvibe.segments import service as segments
from tests.factories import make_member, make_unit
from tests.people import Person
from tests.web.pages import htmx, links_in

PALETTE = htmx("div#palette-list")


def options_in(fragment: str) -> list[str]:
    """Return what the palette offers, in order."""
    return re.findall(r'role="option"[^>]*>.*?<span class="truncate">([^<]*)<', fragment)


def test_a_page_is_found_by_how_its_words_begin(browse, people, world):
    found = browse(people.viewer).get("/app/search?q=dec", headers=PALETTE).text

    assert options_in(found)[0] == "Decay"
    assert 'href="/app/scoring/decay"' in found


def test_the_page_without_scripts_finds_the_same_in_the_frame(browse, people, world):
    page = browse(people.viewer).get("/app/search?q=dec").text

    assert 'aria-label="Main"' in page
    assert 'value="dec"' in page
    assert 'class="hit" href="/app/scoring/decay"' in page
    assert 'role="option"' not in page


@pytest.mark.parametrize("query", ["ann@acme", "acme.test", "Ann@Acme.Test"])
def test_a_lead_is_found_by_address_and_domain(browse, people, world, query):
    world.happen("page_view", email="ann@acme.test")

    found = browse(people.viewer).get("/app/search", query_string={"q": query}).text

    assert "ann@acme.test" in found
    assert len(links_in(found, "/app/leads/")) > len(links_in(found, "/app/leads/export"))


def test_a_lead_is_found_by_its_id(browse, people, world):
    world.happen("page_view", "crm-4711")

    found = browse(people.viewer).get("/app/search?q=crm-47", headers=PALETTE).text

    assert options_in(found) == ["crm-4711"]
    assert links_in(found, "/app/leads/") == ["/app/leads/crm-4711"]


def test_many_leads_lead_to_the_list_of_all(browse, people, world):
    for number in range(6):
        world.happen("page_view", f"crm-{number}")

    found = browse(people.viewer).get("/app/search?q=crm-", headers=PALETTE).text

    assert len(options_in(found)) == 6
    assert links_in(found, "/app/leads?q=crm-") == ["/app/leads?q=crm-"]


def test_segments_rulesets_and_accounts_are_found(browse, people, world):
    update_settings(world.principal, world.scope, {"abm_enabled": True}, now=utc_now())
    world.happen("page_view", email="ann@zebra.test")
    world.add_ruleset("Zebra product")
    segments.create_segment(
        world.principal, world.scope, {"name": "Zebra fans", "active": True}, now=utc_now()
    )
    commit()

    found = browse(people.viewer).get("/app/search?q=zebra", headers=PALETTE).text

    for word in ("Zebra product", "Zebra fans", "zebra.test", "ann@zebra.test"):
        assert word in found


def test_only_what_the_role_may_do_is_offered(browse, people, world):
    for_operator = browse(people.operator).get("/app/search").text
    for_viewer = browse(people.viewer).get("/app/search").text

    for label in ("New segment", "Add a rule", "New milestone trigger", "Import leads"):
        assert label in for_operator
        assert label not in for_viewer
    assert "Invite a member" not in for_operator
    assert "Sign out" in for_viewer
    assert "Create an API key" in browse(people.owner).get("/app/search").text
    assert "Invite a member" in browse(people.admin).get("/app/search").text


def test_another_unit_is_switched_to_from_the_palette(browse, people, world):
    other = make_unit(people.organization, "Antarctica")
    set_membership(
        other.scope, people.viewer.member.org_member_id, role=UnitRole.VIEWER, now=utc_now()
    )
    commit()

    found = browse(people.viewer).get("/app/search?q=antar", headers=PALETTE).text

    assert options_in(found) == ["Switch to Antarctica"]
    assert f'form="switch-unit" name="unit_id" value="{other.unit_id}"' in found


def test_who_has_chosen_no_unit_still_finds_the_way_to_one(browse, people, world, security):
    units = [make_unit(people.organization, name) for name in ("East", "West")]
    member = make_member(people.organization, security=security)
    for unit in units:
        set_membership(unit.scope, member.org_member_id, role=UnitRole.VIEWER, now=utc_now())
    commit()

    found = browse(Person(member, units[0], security)).get("/app/search?q=we")

    assert found.status_code == 200
    assert "Switch to West" in found.text
    assert "/app/leads/export" not in found.text


def test_nothing_of_another_unit_is_found(browse, people, world):
    world.happen("page_view", email="ann@acme.test")

    found = browse(people.stranger).get("/app/search?q=acme.test").text

    assert "ann@acme.test" not in found
    assert "Nothing found for" in found


@pytest.mark.parametrize("query", ["%00", "x" * 5000, "%25_", "'\"<script>", " "])
def test_any_text_may_be_searched_for(browse, people, world, query):
    answer = browse(people.viewer).get(f"/app/search?q={query}", headers=PALETTE)

    assert answer.status_code == 200
    assert "<script>" not in answer.text


def test_who_is_not_signed_in_is_led_to_the_sign_in(browse, world):
    assert browse(None).get("/app/search").status_code == 302


def test_settings_are_folded_up_until_one_is_on_one_of_them(browse, people, world):
    browser = browse(people.admin)

    assert '<details class="nav-more">' in browser.get("/app/home").text
    assert '<details class="nav-more" open>' in browser.get("/app/settings/usage").text


def test_no_two_pages_in_the_sidebar_share_an_icon(browse, people, world):
    page = browse(people.admin).get("/app/home").text
    sidebar = page[page.index('aria-label="Main"') : page.index('class="member-button"')]
    icons = re.findall(r'href="[^"#]*#([^"]+)"', sidebar)

    # The chevron of the settings is none of a page.
    assert sorted(icons) == sorted(set(icons))
