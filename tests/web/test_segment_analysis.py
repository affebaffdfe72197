"""What a segment's members are like, on its page."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest

from leadvibe.leadlist.analysis import count_converted, describe_members
from leadvibe.lib.clock import utc_now
from leadvibe.segments import queries
from leadvibe.segments.membership import Membership
from leadvibe.web import segment_analysis
from tests.api.segment_examples import add_rule, add_segment
from tests.web.pages import htmx, links_in


@pytest.fixture
def segment(world):
    """Ann and Bob looked at a plan, Cid and Dan at none; Ann asked for a demo, and so did Cid."""
    for lead in ("ann", "bob"):
        world.happen("page_view", lead, plan="pro")
    for lead in ("cid", "dan"):
        world.happen("page_view", lead)
    world.happen("demo_request", "ann", ago=timedelta(days=2))
    world.happen("demo_request", "cid", ago=timedelta(days=20))
    segment_id = add_segment(world, name="Planners")
    add_rule(world, segment_id)
    return segment_id


def path(segment_id, **asked):
    query = "&".join(f"{name}={value}" for name, value in {"view": "analysis", **asked}.items())
    return f"/app/segments/{segment_id}?{query}"


def rates(page):
    return re.findall(r"<b>([^<]*)</b> <span class=\"faint\">([^<]*)</span></p>", page)


def test_members_are_held_against_all_leads(browse, people, segment):
    page = unescape(browse(people.viewer).get(path(segment, event="demo_request", days=30)).text)

    assert "2 leads, 50 % of all 4." in page
    assert rates(page) == [("50 %", "1 of 2 leads"), ("50 %", "2 of 4 leads")]
    assert "As often as all leads." in page
    assert "Week of" in page


def test_the_time_that_is_asked_about_counts(browse, people, segment):
    page = unescape(browse(people.viewer).get(path(segment, event="demo_request", days=7)).text)

    assert rates(page) == [("50 %", "1 of 2 leads"), ("25 %", "1 of 4 leads")]
    assert "2.0 times as often as all leads." in page


@pytest.mark.parametrize("asked", [{"event": "odd", "days": "odd"}, {"event": "%00", "days": "-1"}])
def test_what_there_is_not_is_what_is_usual(browse, people, segment, asked):
    page = browse(people.viewer).get(path(segment, **asked)).text

    assert '<option value="30" selected>' in page
    assert "selected>demo_request<" in page or "selected>page_view<" in page


def test_the_tab_comes_alone_and_leads_back(browse, people, segment):
    browser = browse(people.viewer)
    assert links_in(browser.get(f"/app/segments/{segment}").text, path(segment))

    tab = browser.get(path(segment), headers=htmx("segment-view")).text
    part = browser.get(path(segment), headers=htmx("segment-analysis")).text

    assert "<html" not in tab
    assert links_in(tab, f"/app/segments/{segment}")
    assert part.lstrip().startswith("<section")
    assert "<nav" not in part


def test_of_nobody_it_says_when_there_will_be_something(browse, people, world):
    page = browse(people.viewer).get(path(add_segment(world))).text

    assert "Nobody is in it now" in page


def test_a_strangers_segment_is_not_there(browse, people, segment):
    assert browse(people.stranger).get(path(segment)).status_code == 404


def test_too_many_events_are_not_looked_through(browse, people, segment, monkeypatch):
    monkeypatch.setattr(segment_analysis, "MOST_LOOKED_AT", 1)

    page = browse(people.viewer).get(path(segment)).text

    assert "Choose fewer days." in page
    assert rates(page) == []


def test_statements_do_not_grow_with_the_members(browse, people, world, segment, statements):
    browser = browse(people.viewer)
    browser.get(path(segment))
    statements.clear()
    browser.get(path(segment))
    few = len(statements)
    for number in range(9):
        world.happen("page_view", f"more{number}", plan="pro")
    statements.clear()

    browser.get(path(segment))

    assert len(statements) == few


def test_what_was_seen_of_a_large_unit_is_kept_and_says_how_old_it_is(
    browse, people, world, segment, monkeypatch
):
    monkeypatch.setattr(segment_analysis, "LARGE", 1)
    browser = browse(people.viewer)
    first = unescape(browser.get(path(segment)).text)
    world.happen("page_view", "eve", plan="pro")

    kept = unescape(browser.get(path(segment)).text)
    [again] = links_in(kept, path(segment, afresh=1))

    assert "2 leads" in first
    assert "Look again" not in first
    assert "2 leads" in kept
    assert "As of <time" in kept
    assert "3 leads" in unescape(browser.get(unescape(again)).text)
    assert "3 leads" in unescape(browser.get(path(segment)).text)
    add_rule(world, segment, name="Once more")
    assert "Look again" not in browser.get(path(segment)).text


def test_each_member_is_counted_once(world, segment):
    scope, now = world.scope, utc_now()
    audience = Membership(scope).of(
        queries.get_segment(scope, segment), queries.list_rules(scope, segment)
    )

    made_up = describe_members(scope, audience, since=now - timedelta(weeks=1))
    did = count_converted(scope, audience, event_type="page_view", since=now - timedelta(days=1))

    assert made_up.total == 2
    assert did == (2, 4)


def test_scores_are_cut_into_round_ranges_of_which_the_last_is_open():
    scores = dict.fromkeys(range(0, 300, 10), 10) | {90_000: 1}

    bins = segment_analysis._bins(scores, scores)

    assert bins[0] == (0, 19)
    assert len(bins) <= segment_analysis.MOST_BINS
    assert bins[-1][0] < 1_000
    assert sum(segment_analysis._sorted_into(bins, scores)) == 301
