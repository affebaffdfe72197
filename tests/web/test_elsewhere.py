"""Links into another unit than the one somebody works in, and why now at their end."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote
from uuid import uuid4

import pytest

from leadvibe.engine.triggers import Milestone
from leadvibe.http.principal import ACTIVE_UNIT_COOKIE
from leadvibe.identity import service
from leadvibe.identity.types import UnitRole
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.scoring.service import install_defaults
from leadvibe.triggers import queries
from leadvibe.web.lead_paths import lead_path
from tests.factories import make_segment, make_trigger, make_unit
from tests.people import PASSWORD
from tests.web.pages import htmx
from tests.world import World


@pytest.fixture
def sales(people, world):
    """A second unit of Acme, where the viewer is an operator and the operator is nobody."""
    unit = make_unit(people.organization, "Sales")
    member_id = people.viewer.member.org_member_id
    service.set_membership(unit.scope, member_id, role=UnitRole.OPERATOR, now=utc_now())
    install_defaults(unit.scope, by="setup", now=utc_now())
    commit()
    return World(unit.scope)


def link(world, path, **more):
    return f"{path}?" + "&".join(
        f"{name}={value}" for name, value in {"unit": world.scope.unit_id, **more}.items()
    )


def test_a_link_switches_to_its_unit_and_says_so(browse, people, sales):
    sales.score_leads(ann=10)
    browser = browse(people.viewer)

    moved = browser.get(link(sales, "/app/leads/ann", window="7d"))

    assert moved.status_code == 302
    assert moved.location == "/app/leads/ann?window=7d"
    assert moved.headers["X-OU-Name"] == "Sales"
    page = browser.get(moved.location)
    assert page.status_code == 200
    assert "You are now in Sales" in page.text
    assert "You are now in" not in browser.get("/app/leads/ann").text


def test_a_link_into_the_active_unit_says_nothing(browse, people, world):
    world.score_leads(ann=10)
    browser = browse(people.viewer)

    moved = browser.get(link(world, "/app/leads/ann"))

    assert moved.location == "/app/leads/ann"
    assert "You are now in" not in browser.get(moved.location).text


@pytest.mark.parametrize("name", ["operator", "stranger"])
def test_who_may_not_enter_the_unit_learns_nothing(browse, people, sales, name):
    sales.score_leads(ann=10)
    browser = browse(people[name])

    answer = browser.get(link(sales, "/app/leads/ann"))
    unknown = browser.get(f"/app/leads/ann?unit={uuid4()}")

    assert answer.status_code == unknown.status_code == 404
    assert "Sales" not in answer.text
    assert browser.client.get_cookie(ACTIVE_UNIT_COOKIE) is None
    assert browser.get("/app/leads/ann").status_code == 404


def test_a_refused_link_leads_nowhere_else_either(browse, people, world, elsewhere):
    """The lead of the same id in a unit of one's own is another lead."""
    world.score_leads(ann=10)

    answer = browse(people.viewer).get(link(elsewhere, "/app/leads/ann"))

    assert answer.status_code == 404


def test_who_is_not_signed_in_lands_there_after_signing_in(browse, people, sales):
    sales.score_leads(ann=10)
    browser, wanted = browse(None), link(sales, "/app/leads/ann", window="7d")

    sent = browser.get(wanted)

    assert sent.location == f"/app/login?next={quote(wanted, safe='')}"
    form = {"email": people.viewer.email, "password": PASSWORD, "next": wanted}
    signed_in = browser.post("/app/login", form)
    assert signed_in.location == wanted
    assert browser.get(browser.get(wanted).location).status_code == 200


@pytest.mark.parametrize("lead_id", ["50%", "a?b#c", "a/b", "Jörg & Co."])
def test_any_lead_is_found_after_signing_in(browse, people, sales, lead_id):
    sales.add_rule("page_view", 1)
    sales.happen("page_view", lead_id)
    sent = browse(None).get(link(sales, lead_path(lead_id)))

    assert sent.location == f"/app/login?next={quote(link(sales, lead_path(lead_id)), safe='')}"
    browser = browse(people.viewer)
    moved = browser.get(link(sales, lead_path(lead_id)))
    assert moved.location == lead_path(lead_id)
    assert browser.get(moved.location).status_code == 200


def test_an_address_without_a_unit_is_looked_up_in_the_other_units(browse, people, sales):
    segment = make_segment(sales.scope, [])
    sales.score_leads(ann=10)
    commit()

    for path in ("/app/leads/ann", f"/app/segments/{segment.segment_id}"):
        browser = browse(people.viewer)
        found = browser.get(path)
        assert found.location == link(sales, path)
        assert browser.get(browser.get(found.location).location).status_code == 200


def test_a_lead_of_several_other_units_is_not_guessed(browse, people, sales):
    third = make_unit(people.organization, "Third")
    member_id = people.viewer.member.org_member_id
    service.set_membership(third.scope, member_id, role=UnitRole.VIEWER, now=utc_now())
    install_defaults(third.scope, by="setup", now=utc_now())
    for each in (sales, World(third.scope)):
        each.score_leads(ann=10)

    assert browse(people.viewer).get("/app/leads/ann").status_code == 404


def test_a_fragment_switches_nothing(browse, people, sales):
    sales.score_leads(ann=10)
    browser = browse(people.viewer)

    answer = browser.get(link(sales, "/app/leads/ann"), headers=htmx("section#why"))

    assert answer.status_code == 404
    assert browser.client.get_cookie(ACTIVE_UNIT_COOKIE) is None


# Why now


def test_the_lead_says_at_the_top_what_fired_and_what_moved_it(browse, people, world):
    make_trigger(world.scope, Milestone(score_threshold=20), name="Ready for sales")
    world.add_rule("demo_request", 15)
    world.add_rule("page_view", 3)
    for _ in range(2):
        world.happen("page_view", "ann")
    cause = world.happen("demo_request", "ann")

    page = browse(people.viewer).get("/app/leads/ann").text

    why = page[page.index("why-now-title") : page.index('id="why"')]
    assert "Milestone “Ready for sales”, by" in why
    assert f"event={cause}" in why
    assert "+25 points in the 7 days until then" in why
    assert why.index(">demo_request<") < why.index(">page_view<")
    assert "\N{MULTIPLICATION SIGN}2" in why


def test_a_link_names_which_of_several_firings_it_is_about(browse, people, world):
    make_trigger(world.scope, Milestone(score_threshold=5), name="First look")
    make_trigger(world.scope, Milestone(score_threshold=20), name="Ready for sales")
    world.add_rule("visit", 10)
    world.happen("visit", "ann", ago=timedelta(days=90))
    world.happen("visit", "ann")
    first = queries.list_history(world.scope, "ann", limit=2)[-1]
    browser = browse(people.viewer)

    assert "“Ready for sales”" in browser.get("/app/leads/ann").text
    named = browser.get(f"/app/leads/ann?fired={first.emitted_id}").text
    assert "“First look”" in named
    assert "“Ready for sales”" in browser.get(f"/app/leads/ann?fired={uuid4()}").text


def test_without_a_firing_it_says_what_moved_of_late(browse, people, world):
    world.score_leads(ann=10)
    world.happen("unscored", "bob")

    assert "+10 points in the last 7 days" in browse(people.viewer).get("/app/leads/ann").text
    assert "why-now" not in browse(people.viewer).get("/app/leads/bob").text
