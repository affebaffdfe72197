"""The leads list: what is in it for whom, and that its address says everything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from leadvibe.leads import service as leads
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.scoring.service import record_version
from tests.web.pages import htmx, links_in, names_in

STATEMENTS = (
    8  # session, version, page, count, scores, types; account and dead letters for the frame
)


@pytest.fixture
def listed(world):
    """Four leads with 80, 30, 10 and 0 points, in that order."""
    world.score_leads(ann=80, bob=30, cid=10)
    world.happen("unscored", "dan")
    return world


@pytest.mark.parametrize("name", ["admin", "owner", "operator", "viewer"])
def test_every_member_of_the_unit_sees_its_leads(browse, people, listed, name):
    answer = browse(people[name]).get("/app/leads")

    assert answer.status_code == 200
    assert names_in(answer.text) == ["ann", "bob", "cid", "dan"]


def test_a_stranger_sees_none_of_them(browse, people, listed, elsewhere):
    elsewhere.happen("page_view", "their own")

    assert names_in(browse(people.stranger).get("/app/leads").text) == ["their own"]


def test_nobody_is_led_to_the_sign_in_and_back(browse, listed):
    answer = browse(None).get("/app/leads?level=Hot")

    assert answer.status_code == 302
    assert answer.location == "/app/login?next=%2Fapp%2Fleads%3Flevel%3DHot"


def test_a_unit_without_leads_says_how_to_get_some_in(browse, people, world):
    page = browse(people.owner).get("/app/leads").text

    assert "No leads yet" in page
    assert links_in(page, "/app/imports")


def test_a_row_shows_score_level_and_last_event(browse, people, listed):
    page = browse(people.viewer).get("/app/leads?q=ann").text

    assert "<b>80</b>" in page
    assert "Very Hot</span>" in page
    assert "<span>worth_ann</span>" in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["ann", "bob", "cid", "dan"]),
        ("sort=score", ["dan", "cid", "bob", "ann"]),
        ("sort=name", ["ann", "bob", "cid", "dan"]),
        ("sort=-name", ["dan", "cid", "bob", "ann"]),
        ("sort=-last_active", ["dan", "cid", "bob", "ann"]),
        ("sort=created", ["ann", "bob", "cid", "dan"]),
        ("min_score=30", ["ann", "bob"]),
        ("max_score=30", ["bob", "cid", "dan"]),
        ("min_score=10&max_score=%2B30", ["bob", "cid"]),
        ("level=Very+Hot", ["ann"]),
        ("level=Cold", ["cid", "dan"]),
        ("q=AN", ["ann"]),  # one or two letters must begin a word
        ("q=ANN", ["ann"]),
        ("q=bob", ["bob"]),
        ("event_type=worth_cid", ["cid"]),
        ("last_active=7d", ["ann", "bob", "cid", "dan"]),
        ("last_active=any", ["ann", "bob", "cid", "dan"]),
        ("size=2", ["ann", "bob"]),
        ("size=2&page=2", ["cid", "dan"]),
        ("nonsense=1&q=", ["ann", "bob", "cid", "dan"]),
    ],
)
def test_the_address_says_which_leads_in_which_order(browse, people, listed, query, expected):
    assert names_in(browse(people.viewer).get(f"/app/leads?{query}").text) == expected


def test_leads_without_recent_activity_are_filtered_out(browse, people, world):
    world.happen("page_view", "quiet", ago=timedelta(days=20))
    world.happen("page_view", "busy", ago=timedelta(days=2))
    browser = browse(people.viewer)

    assert names_in(browser.get("/app/leads?last_active=7d").text) == ["busy"]
    assert len(names_in(browser.get("/app/leads?last_active=30d").text)) == 2


def test_both_days_of_a_period_of_creation_are_included(browse, people, world):
    for day in (1, 2, 3, 4):
        at = datetime(2026, 5, day, 23, 59, tzinfo=UTC)
        leads.create(
            world.scope, lead_id=f"d{day}", metadata={}, account_id=None, source="api", now=at
        )
    commit()
    query = "created_from=2026-05-02&created_to=2026-05-03&sort=name"

    assert names_in(browse(people.viewer).get(f"/app/leads?{query}").text) == ["d2", "d3"]


def test_scores_that_no_level_holds_are_unclassified(browse, people, world):
    world.score_leads(minus=-5)
    allow_negative_scores(world)
    world.happen("worth_minus", "below")
    browser = browse(people.viewer)

    page = browser.get("/app/leads?level=unclassified").text

    assert names_in(page) == ["below"]
    assert "Unclassified</span>" in page


def allow_negative_scores(world):
    driver().execute(
        "INSERT INTO org_scoring_settings (org_id, allow_negative_scores, abm_enabled)"
        " VALUES (%s, true, false)",
        (world.scope.org_id,),
    )
    record_version(world.scope, summary="Allow negative scores", by="setup", now=utc_now())
    commit()


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("min_score=many", "The lowest score is not a whole number"),
        ("max_score=9999999999", "The highest score is not a whole number"),
        ("max_score=" + "9" * 400, "The highest score is not a whole number"),
        ("min_score=٣", "The lowest score is not a whole number"),
        ("min_score=5&max_score=4", "The lowest score is above the highest"),
        ("level=Lukewarm", "There is no level “Lukewarm”: choose one of Cold"),
        ("last_active=1y", "“1y” is not a period of activity"),
        ("created_from=yesterday", "“yesterday” is not a date"),
        ("created_to=2026-02-30", "“2026-02-30” is not a date"),
        ("created_from=2026-02-02&created_to=2026-02-01", "first day of creation is after"),
        ("sort=colour", "The list cannot be sorted by “colour”"),
        ("page=0", "The page is not a whole number from 1"),
        ("page=99999999999999999999", "The page is not a whole number from 1"),
        ("size=1000", "The size is not a whole number from 1 to 200"),
        ("q=" + "x" * 201, "The search is longer than 200 characters"),
    ],
)
def test_a_filter_that_makes_no_sense_is_explained(browse, people, listed, query, complaint):
    answer = browse(people.viewer).get(f"/app/leads?{query}")

    assert answer.status_code == 422
    assert complaint in answer.text
    assert names_in(answer.text) == []


@pytest.mark.parametrize(
    "query",
    ["q=%00", "q=%25_%5C", "event_type=%00x", "created_to=9999-12-31", "q=%ff", "page=%00"],
)
def test_odd_characters_are_no_error(browse, people, listed, query):
    assert browse(people.viewer).get(f"/app/leads?{query}").status_code == 200


def test_a_page_behind_the_last_leads_to_the_last(browse, people, listed):
    answer = browse(people.viewer).get("/app/leads?size=3&page=999999")

    assert answer.location == "/app/leads?size=3&page=2"


def test_chips_name_the_filters_and_lead_to_the_list_without_them(browse, people, listed):
    page = browse(people.viewer).get("/app/leads?level=Cold&min_score=5&sort=name&page=1").text

    assert "Level: Cold" in page
    assert "/app/leads?min_score=5&sort=name" in links_in(page, "")
    assert "/app/leads?level=Cold&sort=name" in links_in(page, "")
    assert "/app/leads?sort=name" in links_in(page, "")


def test_a_column_head_sorts_and_then_turns_round(browse, people, listed):
    browser = browse(people.viewer)

    by_score = browser.get("/app/leads?q=a").text
    by_name = browser.get("/app/leads?q=a&sort=name").text

    assert 'aria-sort="descending"' in by_score
    assert "/app/leads?q=a&sort=score" in links_in(by_score, "sort")
    assert "/app/leads?q=a&sort=name" in links_in(by_score, "sort")
    assert 'aria-sort="ascending"' in by_name
    assert "/app/leads?q=a&sort=-name" in links_in(by_name, "sort")
    assert "/app/leads?q=a" in links_in(by_name, "q=a")


def test_the_pager_counts_and_leads_on(browse, people, listed):
    page = browse(people.viewer).get("/app/leads?size=3").text

    assert "1–3 of 4" in page  # noqa: RUF001 - as people read it
    assert links_in(page, "page=2") == ["/app/leads?size=3&page=2"]


def test_other_active_rulesets_have_columns(browse, people, world):
    product = world.add_ruleset("Product usage")
    world.add_ruleset("Asleep", active=False)
    world.add_rule("login", 7, product)
    world.happen("login", "ann")

    page = browse(people.viewer).get("/app/leads").text

    assert "Product usage</th>" in page
    assert '<td class="num c-more" data-label="Product usage">7</td>' in page
    assert "Asleep" not in page


@pytest.mark.parametrize(
    "lead_id",
    ["a/b", "/", "..", ".", "~x", "ü ñ", "a?b=c&d#e", "100%", "a\\b", "a//b", "x;y", "+1 2"],
)
def test_every_id_that_a_client_may_choose_can_be_opened(browse, people, world, lead_id):
    world.happen("page_view", lead_id)
    browser = browse(people.viewer)

    [path] = links_in(browser.get("/app/leads").text, "#why")
    answer = browser.get(path.partition("#")[0])

    assert answer.status_code == 200
    assert 'id="lead-id"' in answer.text


def test_htmx_gets_the_list_alone(browse, people, listed):
    answer = browse(people.viewer).get("/app/leads?q=bob", headers=htmx("section#lead-list"))

    assert names_in(answer.text) == ["bob"]
    assert "<html" not in answer.text
    assert answer.text.lstrip().startswith('<section class="lead-list')
    assert {"HX-Request", "HX-Target", "HX-History-Restore-Request"} <= set(answer.vary)


def test_history_gets_the_whole_page(browse, people, listed):
    headers = htmx("section#lead-list", **{"HX-History-Restore-Request": "true"})

    answer = browse(people.viewer).get("/app/leads?q=bob", headers=headers)

    assert "<html" in answer.text


def test_filters_survive_in_the_form(browse, people, listed):
    page = browse(people.viewer).get("/app/leads?q=%22x%22&level=Hot&size=50&min_score=3").text

    assert 'name="q" value="&#34;x&#34;"' in page
    assert '<option value="Hot" selected>' in page
    assert 'name="size" value="50"' in page
    assert 'name="min_score" value="3"' in page


def test_a_page_costs_the_same_number_of_statements_at_any_length(
    browse, people, world, statements
):
    world.add_ruleset("Product usage")
    browser = browse(people.viewer)
    counts = []
    for batch in range(2):
        for number in range(12):
            world.happen("page_view", f"lead {batch} {number}")
        statements.clear()
        browser.get("/app/leads?size=10&page=1&sort=name")
        counts.append(len(statements))

    assert counts[0] == counts[1]
    assert counts[0] <= STATEMENTS + 1  # the highest score, which the first page knows by itself
