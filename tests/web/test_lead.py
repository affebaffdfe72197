"""One lead's page: why it has its score, down to the event, and what it did."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from leadvibe.leads import service as leads
from leadvibe.leads.statuses import Status
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.pipeline import recording
from tests.factories import make_velocity_filter
from tests.web.pages import htmx, links_in

STATEMENTS = 32
ID = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def ann(world):
    """Ann has 11 points: 10 for a demo request today, 4 for views long ago, 3 lost last week."""
    world.add_rule("demo_request", 10)
    world.add_rule("page_view", 2)
    world.add_rule("complaint", -3)
    world.happen("page_view", "ann", ago=timedelta(days=100), page_title="Pricing")
    world.happen("page_view", "ann", ago=timedelta(days=99))
    world.happen("complaint", "ann", ago=timedelta(days=8))
    world.happen("demo_request", "ann", email="Ann@acme.test", form="Book a demo")
    return world


def groups_in(page):
    """Return what the waterfall says: label, points and running total of each group."""
    pattern = (
        r'class="truncate">([^<]*)</span></span>\s*<span class="fall-count">'
        r'.*?<b class="num \w+">([^<]*)</b>'
        r'\s*<span class="num fall-running">([^<]*)</span>'
    )
    return re.findall(pattern, page, re.DOTALL)


def entries_in(page):
    return re.findall(r'title="Show this event in the timeline"', page)


def events_in(page):
    return re.findall(r'id="event-([0-9a-f-]+)"', page)


@pytest.mark.parametrize("name", ["admin", "owner", "operator", "viewer"])
def test_every_member_of_the_unit_may_look(browse, people, ann, name):
    answer = browse(people[name]).get("/app/leads/ann")

    assert answer.status_code == 200
    assert "Why 11 points" in answer.text


def test_a_stranger_is_told_that_there_is_no_such_lead(browse, people, ann):
    assert browse(people.stranger).get("/app/leads/ann").status_code == 404


def test_nobody_is_led_to_the_sign_in(browse, ann):
    assert "/app/login" in browse(None).get("/app/leads/ann").location


@pytest.mark.parametrize("path", ["nobody", "%00", "~%00", "~", "x%ffy"])
def test_an_unknown_lead_is_not_found(browse, people, ann, path):
    assert browse(people.owner).get(f"/app/leads/{path}").status_code == 404


def test_the_explanation_adds_up_to_the_score(browse, people, ann):
    page = browse(people.viewer).get("/app/leads/ann?window=all").text

    assert groups_in(page) == [
        ("demo_request", "+10", "10"),
        ("page_view", "+4", "14"),
        ("complaint", "−3", "11"),  # noqa: RUF001 - as people read it
    ]


def test_a_window_opens_with_the_score_before_it(browse, people, ann):
    page = browse(people.viewer).get("/app/leads/ann?window=30d").text

    assert "Before this window" in page
    assert [group[0] for group in groups_in(page)] == ["demo_request", "complaint"]
    assert "+7 in the last 30 days" in page


def test_a_window_without_points_says_so(browse, people, world):
    world.add_rule("page_view", 2)
    world.happen("page_view", "old", ago=timedelta(days=50))

    page = browse(people.viewer).get("/app/leads/old?window=24h").text

    assert "Why 2 points" in page
    assert "No points were given or taken in the last 24 hours" in page


def test_a_lead_who_never_got_points_has_none_so_far(browse, people, world):
    world.happen("unscored", "quiet", ago=timedelta(days=2))
    a_day_ago = (utc_now() - timedelta(days=1)).date()
    browser = browse(people.viewer)

    now = browser.get("/app/leads/quiet?window=all").text
    then = browser.get(f"/app/leads/quiet?window=all&as_of={a_day_ago}").text

    assert "The score did not move so far." in now
    assert "No points were given or taken so far." in now
    assert "No points were given or taken until then." in then


def test_points_older_than_the_usual_window_are_shown_unless_it_is_asked_for(browse, people, world):
    world.add_rule("trial_signup", 150)
    world.happen("trial_signup", "old", ago=timedelta(days=50))
    world.happen("unscored", "old", ago=timedelta(days=2))
    browser = browse(people.viewer)

    assert groups_in(browser.get("/app/leads/old").text) == [("trial_signup", "+150", "150")]
    asked_for = browser.get("/app/leads/old?window=30d").text
    assert "No points were given or taken in the last 30 days" in asked_for


def test_every_entry_leads_to_its_event_in_the_timeline(browse, people, ann):
    browser = browse(people.viewer)
    page = browser.get("/app/leads/ann").text
    link = links_in(page, "?event=")[-1]

    opened = browser.get(link.partition("#")[0]).text

    event_id = link.partition("#event-")[2]
    assert event_id in events_in(page)
    assert events_in(opened)[0] == event_id
    assert "event-linked" in opened
    assert "Newest events" in opened


def test_an_event_of_somebody_else_is_not_opened(browse, people, ann):
    other = ann.happen("page_view", "bob")

    page = browse(people.viewer).get(f"/app/leads/ann?event={other}").text

    assert "not part of the history of this lead" in page
    assert len(events_in(page)) == 4


def test_the_timeline_shows_points_and_what_happened(browse, people, ann):
    page = browse(people.viewer).get("/app/leads/ann").text

    assert "Book a demo" in page
    assert re.search(r"points-up[^>]*>\+10<", page)
    assert re.search(r"points-down[^>]*>−3<", page)  # noqa: RUF001 - as people read it
    assert "Today" in page


def test_older_events_load_batch_by_batch_without_a_gap(browse, people, world):
    for number in range(120):
        world.happen("page_view", "busy", ago=timedelta(hours=number))

    seen = all_events_of(browse(people.viewer), "/app/leads/busy")

    assert len(seen) == 120
    assert len(set(seen)) == 120


def test_what_leadvibe_wrote_at_one_instant_loads_without_a_gap(browse, people, world):
    for _ in range(60):
        world.happen("page_view", "busy")
    driver().execute("UPDATE events SET occurred_at = '2026-03-02', receipt = 0")

    seen = all_events_of(browse(people.viewer), "/app/leads/busy")

    assert len(seen) == len(set(seen)) == 60


def all_events_of(browser, url):
    """Return the events of a timeline, followed from batch to batch."""
    seen, target = [], ""
    while url:
        answer = browser.get(url, headers=htmx(target) if target else {})
        seen += events_in(answer.text)
        [url] = links_in(answer.text, "before=") or [""]
        target = f"div#{found[1]}" if (found := find_older(answer.text)) else ""
    return seen


def find_older(page):
    return re.search(r'class="timeline-older" id="([^"]+)"', page)


def test_a_batch_has_the_id_its_link_was_waiting_under_and_names_no_day_twice(
    browse, people, world
):
    for _ in range(60):
        world.happen("page_view", "busy")
    browser = browse(people.viewer)
    page = browser.get("/app/leads/busy").text
    older = find_older(page)[1]

    batch = browser.get(links_in(page, "before=")[0], headers=htmx(f"div#{older}")).text

    assert batch.lstrip().startswith(f'<div class="timeline" id="{older}">')
    assert len(events_in(batch)) == 10
    assert "Today" in page
    assert "Today" not in batch


@pytest.mark.parametrize(
    "before",
    [
        "x", "1-", "-1", "1-2", "1-2-3", f"{'9' * 30}-1-{ID}", f"{'9' * 20}-1-{ID}",
        f"1-{'9' * 30}-{ID}", f"1-{'9' * 19}-{ID}", f"٣-1-{ID}", f"1-1-{ID}0",
    ],
)  # fmt: skip
def test_a_position_that_makes_no_sense_shows_the_newest(browse, people, ann, before):
    answer = browse(people.viewer).get(f"/app/leads/ann?before={before}")

    assert answer.status_code == 200
    assert len(events_in(answer.text)) == 4


def test_a_long_group_is_shown_in_full_on_demand(browse, people, world):
    world.add_rule("page_view", 1)
    for number in range(30):
        world.happen("page_view", "busy", ago=timedelta(hours=number))
    browser = browse(people.viewer)
    page = browser.get("/app/leads/busy").text
    [more] = links_in(page, "entries=")

    full = browser.get(more.partition("#")[0]).text

    assert "Show 30 of 30 entries" in page
    assert len(entries_in(page)) == 25
    assert len(entries_in(full)) == 30
    assert '<details class="fall-group" open>' in full


def test_each_ruleset_explains_its_own_score(browse, people, ann):
    product = ann.add_ruleset("Product usage")
    ann.add_rule("login", 7, product)
    ann.happen("login", "ann")
    browser = browse(people.viewer)

    whole = browser.get("/app/leads/ann").text
    fragment = browser.get(
        f"/app/leads/ann?ruleset={product.ruleset_id}&window=7d", headers=htmx("section#why")
    ).text

    assert "Why 11 points" in whole
    assert "Why 7 points" in fragment
    assert groups_in(fragment) == [("login", "+7", "7")]
    assert "<html" not in fragment
    assert 'class="timeline"' not in fragment


@pytest.mark.parametrize("ruleset", ["x", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_ruleset_is_not_found(browse, people, ann, ruleset):
    assert browse(people.viewer).get(f"/app/leads/ann?ruleset={ruleset}").status_code == 404


def test_a_paused_ruleset_says_so(browse, people, ann):
    ann.add_ruleset("Asleep", active=False)
    browser = browse(people.viewer)
    asleep = links_in(browser.get("/app/leads/ann").text, "ruleset=")[-1]

    assert "This ruleset is paused" in browser.get(asleep.partition("#")[0]).text


def test_aliases_and_profile_are_listed(browse, people, ann):
    leads.patch_metadata(
        ann.scope, "ann", {"company": "Acme <Ltd>", "seats": 5, "tags": ["a"]}, now=utc_now()
    )
    commit()

    page = browse(people.viewer).get("/app/leads/ann").text

    assert "Ann@acme.test" in page
    assert "Acme &lt;Ltd&gt;" in page
    assert re.search(r'class="property-value"[^>]*>5<', page)
    assert "[&#34;a&#34;]" in page


def test_a_merged_lead_leads_to_the_one_it_was_merged_into(browse, people, ann):
    ann.happen("page_view", "old self")
    driver().execute(
        "UPDATE leads SET merged_into = 'ann' WHERE unit_id = %s AND lead_id = 'old self'",
        (ann.scope.unit_id,),
    )
    commit()
    browser = browse(people.viewer)

    answer = browser.get("/app/leads/old%20self?window=7d")

    assert answer.location == "/app/leads/ann?window=7d"
    assert "“old self” was merged into this lead" in browser.get(answer.location).text


def test_the_way_back_keeps_the_filters(browse, people, ann):
    browser = browse(people.viewer)
    came_from = "http://localhost/app/leads?level=Cold&page=2"

    back = browser.get("/app/leads/ann", headers={"Referer": came_from}).text
    from_outside = browser.get(
        "/app/leads/ann", headers={"Referer": "http://evil.test/app/leads?x=1"}
    ).text

    assert "/app/leads?level=Cold&page=2" in links_in(back, "/app/leads?")
    assert not links_in(from_outside, "evil")


def test_a_page_costs_the_same_number_of_statements_for_any_history(
    browse, people, ann, statements
):
    browser, counts = browse(people.viewer), []
    for _ in range(2):
        statements.clear()
        browser.get("/app/leads/ann")
        counts.append(len(statements))
        for number in range(40):
            ann.happen("page_view", "ann", ago=timedelta(hours=number))

    assert counts[0] == counts[1]
    assert counts[0] <= STATEMENTS, counts


@pytest.mark.parametrize(
    ("group_events", "reason"),
    [
        (False, "Too many of these in too short a time"),
        (True, "One of a burst, of which the first counted"),
    ],
)
def test_what_filters_took_out_is_greyed_with_its_reason(
    browse, people, world, group_events, reason
):
    world.add_rule("page_view", 2)
    make_velocity_filter(world.scope, 1, 3600, group_events=group_events)
    for minute in (2, 1):
        world.happen("page_view", "ann", ago=timedelta(minutes=minute), page=minute)

    page = browse(people.viewer).get("/app/leads/ann").text

    assert page.count("event-muted") == 1
    assert f"Not counted: {reason}" in page
    assert "Why 2 points" in page


def sums_of(page):
    """Return the opening, the groups' points and the score that a waterfall says."""
    groups = [int(points.replace("\N{MINUS SIGN}", "-")) for _, points, _ in groups_in(page)]
    opening = re.search(r"Before this window</span>.*?fall-running\">([^<]*)<", page, re.DOTALL)
    score = re.search(r"Why ([0-9]+) points", page)
    return int(opening[1]) if opening else 0, groups, int(score[1])


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize("window", ["24h", "7d", "30d", "90d", "all"])
def test_the_bars_add_up_to_the_score_of_any_day(browse, people, window):
    viewer = browse(people.viewer)
    for days_ago, score in ((0, 11), (1, 1), (9, 4), (99, 4), (100, 2)):
        day = (utc_now() - timedelta(days=days_ago)).date()

        page = viewer.get(f"/app/leads/ann?window={window}&as_of={day}").text

        opening, groups, shown = sums_of(page)
        assert shown == score
        assert opening + sum(groups) == score


def test_a_past_day_is_named_and_leads_back_to_now(browse, people, ann):
    day = utc_now().date() - timedelta(days=9)

    page = browse(people.viewer).get(f"/app/leads/ann?window=90d&as_of={day}").text

    assert f"Why 4 points on {day.day} " in page
    assert "90 days until then" in page
    assert f'name="as_of" value="{day}"' in page
    assert "Back to now" in page


@pytest.mark.parametrize("day", ["x", "2999-01-01", "0001-01-01", "today"])
def test_a_day_that_has_not_passed_is_now(browse, people, ann, day):
    day = utc_now().date().isoformat() if day == "today" else day

    page = browse(people.viewer).get(f"/app/leads/ann?as_of={day}").text

    assert "Why 11 points<" in page or "Why 11 points " in page
    assert "as_of=" not in "".join(links_in(page, "window="))


def test_the_chart_tells_each_day_that_moved_the_score(browse, people, ann):
    page = browse(people.viewer).get("/app/leads/ann").text

    rows = re.findall(r'<tr id="step-\d+">(.*?)</tr>', page, re.DOTALL)
    assert len(rows) == 2
    assert "demo_request" in rows[0]
    assert "+10" in rows[0]
    assert "complaint" in rows[1]
    assert page.count('class="chart-step"') == 2
    assert "chart-up" in page
    assert "chart-down" in page


def test_a_lead_that_did_nothing_lately_is_explained_from_the_start(browse, people, world):
    world.add_rule("page_view", 2)
    world.happen("page_view", "old", ago=timedelta(days=50))

    page = browse(people.viewer).get("/app/leads/old").text

    assert groups_in(page) == [("page_view", "+2", "2")]


def test_the_timeline_is_narrowed_by_the_address(browse, people, ann):
    viewer = browse(people.viewer)

    assert len(events_in(viewer.get("/app/leads/ann?type=page_view").text)) == 2
    assert events_in(viewer.get("/app/leads/ann?kind=note").text) == []
    assert "No notes yet" in viewer.get("/app/leads/ann?kind=note").text
    assert len(events_in(viewer.get("/app/leads/ann?kind=nonsense").text)) == 4


def test_each_part_keeps_what_the_other_one_shows(browse, people, ann):
    viewer, shown = browse(people.viewer), "http://localhost/app/leads/ann?window=7d&kind=event"

    why = viewer.get(
        "/app/leads/ann?window=90d", headers=htmx("section#why", **{"HX-Current-URL": shown})
    )
    history = viewer.get(
        "/app/leads/ann?type=page_view",
        headers=htmx("section#lead-history", **{"HX-Current-URL": shown}),
    )

    assert why.headers["HX-Push-Url"] == "/app/leads/ann?window=90d&kind=event"
    assert "/app/leads/ann?kind=event#why" in links_in(why.text, "#why")
    assert history.headers["HX-Push-Url"] == "/app/leads/ann?window=7d&type=page_view"


def test_an_address_of_elsewhere_says_nothing_about_this_page(browse, people, ann):
    shown = "http://localhost/app/leads/bob?kind=note"

    why = browse(people.viewer).get(
        "/app/leads/ann?window=90d", headers=htmx("section#why", **{"HX-Current-URL": shown})
    )

    assert why.headers["HX-Push-Url"] == "/app/leads/ann?window=90d"


def test_each_change_of_status_stands_in_the_timeline(browse, people, world):
    world.happen("page_view", "ann")
    wanted = {"properties": {}, "by": "sk_1234abcd", "via": "nexus", "now": utc_now()}
    recording.update_lead(people.scope, "ann", status=Status.QUALIFIED, **wanted)

    page = browse(people.viewer).get("/app/leads/ann?kind=status").text

    assert "from Not contacted · by sk_1234abcd over the Nexus ERP API" in page
    assert "page_view</b>" not in page
