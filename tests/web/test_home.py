"""The home page: figures of a range, who moved, the feed, the pipeline's health, first steps."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from leadvibe.lib import heartbeat
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.scoring.event_types import decide_event_type
from leadvibe.web.home_range import read_range
from tests.web.pages import htmx, links_in

HOME = "/app/home"
DAY = timedelta(days=1)
NOW = datetime(2026, 3, 10, 15, tzinfo=UTC)


def figure(page, label):
    """Return a number on top of the page, and what stands below it."""
    found = re.search(rf"<dt>{label}</dt><dd>(.*?)</dd><dd class=\"figure-note\">(.*?)</dd>", page)
    assert found, label
    return tuple(re.sub(r"<[^>]+>", "", text).strip() for text in found.groups())


@pytest.fixture
def busy(world):
    """A unit where two leads did something now, and one did before the range of a week."""
    world.add_rule("page_view", 5)
    world.add_rule("demo_request", 40)
    world.happen("page_view", "cyd", ago=10 * DAY)
    world.happen("page_view", "ann", ago=9 * DAY)
    world.happen("demo_request", "ann")
    world.happen("page_view", "ben", channel="email")
    return world


class TestRange:
    def test_the_usual_range_is_thirty_days_with_as_many_before(self):
        span = read_range({}, now=NOW)

        assert (str(span.first), str(span.last)) == ("2026-02-09", "2026-03-10")
        assert str(span.before) == "2026-01-10"
        assert span.url() == HOME

    def test_two_dates_are_a_range_that_the_address_keeps(self):
        span = read_range({"from": "2026-02-01", "to": "2026-02-03"}, now=NOW)

        assert (span.days, span.is_open) == (3, False)
        assert span.url(show="all") == f"{HOME}?from=2026-02-01&to=2026-02-03&show=all"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"range": "week"}, {"from": "x", "to": "2026-01-01"}, {"to": "2026-02-30"},
            {"from": "2026-03-02", "to": "2026-03-01"}, {"from": "2020-01-01"},
            {"from": "0001-01-01", "to": "0001-01-02"}, {"from": "2027-01-01"},
        ],
    )  # fmt: skip
    def test_what_makes_no_sense_is_said_and_the_usual_range_shown(self, wrong):
        span = read_range(wrong, now=NOW)

        assert span.error
        assert span.days == 30


class TestFigures:
    def test_numbers_are_of_the_range_and_lead_to_what_is_behind(self, browse, people, busy):
        page = browse(people.viewer).get(f"{HOME}?range=7d").text

        assert figure(page, "Events") == ("2", "0 %")
        assert figure(page, "Active leads") == ("2", "67 % of all")
        assert figure(page, "Leads in all")[0] == "3"
        [active] = links_in(page, "last_active=")
        assert "ann" in browse(people.viewer).get(active).text

    def test_types_and_channels_are_counted(self, browse, people, busy):
        page = browse(people.viewer).get(f"{HOME}?range=7d").text

        types = page[page.index('id="home-types"') : page.index('id="home-channels"')]
        assert re.findall(r'class="row-name"[^>]*>([^<]+)<', types) == ["demo_request", "page_view"]
        channels = page[page.index('id="home-channels"') :]
        assert "email" in channels[: channels.index("</section>")]

    def test_a_hidden_type_is_nowhere(self, browse, people, busy):
        decide_event_type(
            busy.principal, busy.scope, "demo_request", hidden=True,
            now=utc_now(),
        )  # fmt: skip
        commit()

        page = browse(people.viewer).get(HOME).text

        assert "demo_request" not in page

    def test_today_is_shown_by_the_hour(self, browse, people, busy):
        page = browse(people.viewer).get(f"{HOME}?range=today").text

        assert "23:00 to 24:00 UTC" in page
        assert figure(page, "Events")[0] == "2"

    def test_a_wrong_range_is_said_in_the_page(self, browse, people, busy):
        page = browse(people.viewer).get(f"{HOME}?from=2026-03-02&to=2026-03-01").text

        assert "swap them" in page

    def test_another_unit_sees_none_of_it(self, browse, people, busy, elsewhere):
        elsewhere.happen("page_view", "their own")

        page = browse(people.stranger).get(HOME).text

        assert figure(page, "Events")[0] == "1"
        assert "ann" not in re.findall(r'class="row-name"[^>]*>([^<]+)<', page)

    def test_a_page_costs_the_same_at_any_number_of_leads(self, browse, people, busy, statements):
        browser = browse(people.viewer)
        browser.get(HOME)
        statements.clear()
        browser.get(HOME)
        few = len(statements)
        for number in range(5):
            busy.happen("page_view", f"lead {number}")
        statements.clear()
        browser.get(HOME)

        assert len(statements) == few
        assert few <= 30


class TestMoves:
    def test_risers_come_with_their_main_reason(self, browse, people, busy):
        page = browse(people.viewer).get(f"{HOME}?range=7d", headers=htmx("div#home-moves")).text

        rising = page[page.index("Rising") :]
        assert rising.index("ann") < rising.index("ben")
        assert "demo_request, 1 time: +40" in rising
        assert "score fell in this time." in rising
        assert "Falling" not in page
        assert page.lstrip().startswith("<div")

    def test_levels_are_counted_then_and_now(self, browse, people, busy):
        page = browse(people.viewer).get(f"{HOME}?range=7d&show=all").text

        levels = page[page.index('id="levels-title"') : page.index("Rising")]
        rows = re.findall(r"</svg>(\w[\w ]*)</span></td>.*?>(\d+)</a>.*?>([^<]*)</td></tr>", levels)
        assert sum(int(now) for _, now, _ in rows) == 3
        assert links_in(levels, "level=")

    def test_who_lost_points_is_falling(self, browse, people, busy):
        busy.add_rule("unsubscribed", -3)
        busy.happen("unsubscribed", "cyd")

        page = browse(people.viewer).get(f"{HOME}?range=7d", headers=htmx("div#home-moves")).text

        falling = page[page.index("Falling") :]
        assert "cyd" in falling
        assert "unsubscribed, 1 time: −3" in falling  # noqa: RUF001 - a minus


class TestFeed:
    def test_the_latest_events_come_first_and_lead_to_their_place(self, browse, people, busy):
        page = browse(people.viewer).get(HOME, headers=htmx("section#home-feed")).text

        assert re.findall(r'class="row-name"[^>]*>([^<]+)<', page)[:2] == ["ben", "ann"]
        assert f"/stream?ouId={people.scope.unit_id}" in page
        [first, *_] = links_in(page, "/app/leads/ben?event=")
        assert browse(people.viewer).get(first).status_code == 200


class TestHealth:
    def health(self, browser):
        return browser.get(HOME, headers=htmx("section#home-health")).text

    def test_missing_workers_are_said(self, browse, people, busy):
        page = self.health(browse(people.viewer))

        assert "Pipeline worker" in page
        assert "Needs attention" in page

    def test_all_is_well_when_all_are_seen(self, app, browse, people, busy):
        broker = app.extensions["leadvibe.redis"]
        for role in heartbeat.BACKGROUND_ROLES:
            heartbeat.beat(broker, role, now=utc_now())
        try:
            page = self.health(browse(people.viewer))
        finally:
            for role in heartbeat.BACKGROUND_ROLES:
                broker.delete(f"{heartbeat.PREFIX}{role}")

        assert "All well" in page
        assert "4 of 4" in page

    def test_dead_letters_are_counted_and_led_to(self, browse, people, busy):
        busy.fail()

        page = self.health(browse(people.viewer))

        assert links_in(page, "/app/dead-letters")
        assert "could not be processed" in page

    def test_usage_of_the_month_is_told(self, browse, people, busy):
        assert re.search(r"<b>4</b> events, no limit", self.health(browse(people.viewer)))


class TestFirstSteps:
    def test_a_new_unit_has_nothing_but_first_steps(self, browse, people, world):
        page = browse(people.admin).get(HOME).text

        assert "Welcome: first steps" in page
        assert "home-figures" not in page
        assert "Put away" not in page

    def test_steps_are_done_when_what_they_lead_to_is_there(self, browse, people, busy):
        page = browse(people.admin).get(HOME).text

        done = re.findall(r'class="is-done">.*?<h3>([^<]+)<', page, re.DOTALL)
        assert done == ["Send an event", "Say what counts", "Invite colleagues"]

    def test_a_viewer_is_offered_nothing_that_would_be_refused(self, browse, people, world):
        page = browse(people.viewer).get(HOME).text

        steps = page[page.index('class="first-steps"') : page.index("</ol>")]
        assert "<form" not in steps
        assert links_in(steps, "/app/") == []

    def test_they_are_put_away_by_one_member_and_not_for_others(self, browse, people, busy):
        browser = browse(people.owner)

        assert browser.post(f"{HOME}/first-steps").location == HOME
        assert "First steps" not in browser.get(HOME).text
        assert "First steps" in browse(people.admin).get(HOME).text

        browser.post(f"{HOME}/first-steps", {"show": "1"})
        assert "First steps" in browser.get(HOME).text


@pytest.mark.parametrize("name", ["admin", "owner", "operator", "viewer"])
def test_everybody_lands_here(browse, people, busy, name):
    browser = browse(people[name])

    assert browser.get("/app/").location == HOME
    page = browser.get(HOME)
    assert page.status_code == 200
    assert 'href="/app/home" aria-current="page"' in page.text
