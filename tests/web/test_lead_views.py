"""Views of the leads list, its columns, its further filters, and a lead beside it."""

from __future__ import annotations

import csv
import re
from io import StringIO

import pytest

from leadvibe.leadviews import queries
from leadvibe.lib.db import driver
from tests.api.segment_examples import add_rule, add_segment
from tests.web.pages import htmx, links_in, names_in

LEADS = "/app/leads"


@pytest.fixture
def listed(world):
    """Three leads with 80, 30 and 10 points, in that order."""
    world.score_leads(ann=80, bob=30, cid=10)
    return world


@pytest.fixture
def viewer(browse, people, listed):
    return browse(people.viewer)


@pytest.fixture
def operator(browse, people, listed):
    return browse(people.operator)


def save(browser, name="Warm ones", query="min_score=30&sort=name", **form):
    return browser.post(f"{LEADS}/views", {"name": name, "query": query, **form})


def tabs(page):
    """Return the views that a page offers, the current one in brackets."""
    found = re.findall(
        r'class="view-tab"[^>]*?( aria-current="page")?(?: title="[^"]*")?>([^<]+)', page
    )
    return [f"[{label}]" if current else label for current, label in found]


def heads(page):
    """Return the heads of the columns."""
    found = re.findall(r'<th scope="col"[^>]*>(?:<a[^>]*>)?([^<]+)', page)
    return [head.strip() for head in found if head.strip()]


class TestViews:
    def test_the_usual_views_are_there_for_everybody(self, viewer):
        assert tabs(viewer.get(LEADS).text) == [
            "[All leads]", "Very Hot", "Active this week", "Watched", "Mine",
        ]  # fmt: skip
        assert "[Very Hot]" in tabs(viewer.get(f"{LEADS}?level=Very+Hot").text)
        assert "[Watched]" in tabs(viewer.get(f"{LEADS}?watched=yes").text)

    def test_a_view_brings_back_filters_and_order_and_is_its_makers_alone(
        self, browse, people, viewer
    ):
        made = save(viewer)

        page = viewer.get(made.location).text
        assert names_in(page) == ["ann", "bob"]
        assert tabs(page)[-1] == "[Warm ones]"
        assert "Save changes" not in page
        assert "Warm ones" not in browse(people.owner).get(LEADS).text

    def test_a_list_that_differs_from_its_view_can_be_saved_or_reset(self, viewer):
        url = save(viewer).location
        changed = viewer.get(f"{url}&level=Warm").text
        [update] = re.findall(r'action="(/app/leads/views/[0-9a-f-]{36})"', changed)[:1]
        assert "Save changes" in changed
        assert url in links_in(changed, "view=")

        saved = viewer.post(update, {"query": f"{url.partition('?')[2]}&level=Warm"})

        assert names_in(viewer.get(saved.location).text) == ["bob"]

    def test_a_viewer_shares_nothing_and_changes_nothing_shared(self, viewer, operator):
        assert save(viewer, shared="yes").status_code == 403
        url = save(operator, shared="yes").location
        view_id = url.rpartition("=")[2]

        page = viewer.get(url).text

        assert "[Warm ones]" in tabs(page)
        assert f"/views/{view_id}" not in page
        assert (
            viewer.post(f"{LEADS}/views/{view_id}", {"name": "Mine", "query": ""}).status_code
            == 403
        )
        assert viewer.post(f"{LEADS}/views/{view_id}/delete").status_code == 403

    def test_what_another_has_saved_meanwhile_is_not_overwritten(self, operator, people):
        url = save(operator, shared="yes").location
        path = f"{LEADS}/views/{url.rpartition('=')[2]}"
        [seen] = set(re.findall(r'name="seen" value="([^"]+)"', operator.get(url).text))
        operator.post(path, {"name": "Renamed", "query": ""})

        answer = operator.post(path, {"query": "level=Hot", "seen": seen})

        assert "has changed “Renamed” meanwhile" in operator.get(answer.location).text

    def test_a_name_that_is_taken_is_told_above_the_same_list(self, viewer):
        save(viewer)

        answer = save(viewer)

        assert answer.location == f"{LEADS}?min_score=30&sort=name"
        assert "There is a view “Warm ones” already" in viewer.get(answer.location).text

    def test_a_deleted_view_leaves_an_address_that_still_works(self, viewer):
        url = save(viewer).location
        viewer.post(f"{LEADS}/views/{url.rpartition('=')[2]}/delete")

        page = viewer.get(url).text

        assert names_in(page) == ["ann", "bob"]
        assert "Warm ones" not in tabs(page)

    def test_another_units_view_is_not_there(self, browse, people, operator):
        url = save(operator, shared="yes").location

        stranger = browse(people.stranger)

        path = f"{LEADS}/views/{url.rpartition('=')[2]}"
        assert stranger.post(f"{path}/delete").status_code == 404


class TestColumns:
    def choose(self, browser, *columns, query="", **form):
        sent = {"column": list(columns), "query": query, **form}
        return browser.post(f"{LEADS}/columns", sent)

    def test_chosen_columns_stay_for_the_member(self, browse, people, viewer):
        self.choose(viewer, "owner", "score", "title")

        assert heads(viewer.get(LEADS).text) == ["Lead", "Score", "Owner", "Title"]
        assert "Owner" not in heads(browse(people.owner).get(LEADS).text)
        self.choose(viewer, usual="yes")
        assert "Events" in heads(viewer.get(LEADS).text)

    def test_in_a_view_they_wait_to_be_saved_with_it(self, viewer, people):
        url = save(viewer).location

        answer = self.choose(viewer, "score", query=url.partition("?")[2])

        page = viewer.get(answer.location).text
        assert heads(page) == ["Lead", "Score"]
        assert "Save changes" in page
        assert "Events" in heads(viewer.get(LEADS).text)
        [update] = set(re.findall(r'action="(/app/leads/views/[0-9a-f-]{36})"', page))
        viewer.post(update, {"query": answer.location.partition("?")[2]})
        assert heads(viewer.get(url).text) == ["Lead", "Score"]

    def test_every_column_can_be_shown_and_costs_no_more_statements_with_more_leads(
        self, viewer, listed, statements
    ):
        columns = ",".join(queries.known_columns(list(queries.Column)))
        counts = []
        for batch in range(2):
            listed.happen("page_view", f"lead {batch}", email=f"{batch}@acme.test")
            statements.clear()
            page = viewer.get(f"{LEADS}?columns={columns}").text
            counts.append(len(statements))

        assert "1@acme.test" in page
        assert counts[0] == counts[1]

    def test_columns_are_offered_when_they_are_asked_for(self, viewer):
        part = viewer.get(f"{LEADS}?panel=columns", headers=htmx("div#lead-columns")).text

        assert '<input type="checkbox" name="column" value="score" checked>' in part
        assert "account_score" not in part
        assert 'value="owner">' in viewer.get(f"{LEADS}?panel=columns").text


class TestFilters:
    def test_a_segment_narrows_the_list_with_all_else(self, viewer, listed):
        for lead_id, plan in (("ann", "pro"), ("bob", "pro"), ("cid", "free")):
            listed.happen("page_view", lead_id, plan=plan)
        segment_id = add_segment(listed, name="Pro")
        add_rule(listed, segment_id, operator="equals", value="pro")
        url = f"{LEADS}?segment={segment_id}"

        page = viewer.get(f"{url}&sort=-name").text

        assert names_in(page) == ["bob", "ann"]
        assert "Segment: Pro" in page
        assert names_in(viewer.get(f"{url}&max_score=50").text) == ["bob"]
        assert viewer.get(f"{url}&page=9").location == f"{url}"

    def test_a_segment_that_is_gone_is_explained(self, viewer, elsewhere):
        theirs = add_segment(elsewhere)

        answer = viewer.get(f"{LEADS}?segment={theirs}")

        assert answer.status_code == 422
        assert "There is no such segment any more" in answer.text

    def test_an_account_narrows_it(self, viewer, listed):
        driver().execute(
            "UPDATE leads SET account_id = 'acme.test' WHERE lead_id = 'bob' AND unit_id = %s",
            (listed.scope.unit_id,),
        )

        assert names_in(viewer.get(f"{LEADS}?account=acme.test").text) == ["bob"]

    def test_everybody_is_unclassified_without_a_profile(self, viewer):
        assert names_in(viewer.get(f"{LEADS}?profile_level=unclassified").text) in (
            [], ["ann", "bob", "cid"],
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("query", "complaint"),
        [
            ("owner=somebody", "There is no such owner"),
            ("segment=x", "There is no such segment"),
            ("watched=no", "says nothing about watching"),
            ("profile_level=Superb", "There is no profile level “Superb”"),
        ],
    )
    def test_what_makes_no_sense_is_explained(self, viewer, query, complaint):
        answer = viewer.get(f"{LEADS}?{query}")

        assert (answer.status_code, names_in(answer.text)) == (422, [])
        assert complaint in answer.text

    def test_the_panel_is_loaded_when_it_is_opened_and_its_filters_hold_meanwhile(self, viewer):
        closed = viewer.get(f"{LEADS}?min_score=20&owner=none").text
        panel = viewer.get(f"{LEADS}?min_score=20", headers=htmx("div#lead-panel")).text

        assert '<input type="hidden" name="min_score" value="20">' in closed
        assert '<input type="hidden" name="owner" value="none">' in closed
        assert "lead-event-types" not in closed
        assert 'name="min_score" value="20" placeholder' in panel
        assert "worth_ann" in panel

    def test_an_empty_watch_list_says_how_it_is_filled(self, viewer):
        assert "You watch no lead yet" in viewer.get(f"{LEADS}?watched=yes").text


class TestPeek:
    def test_a_lead_is_shown_beside_the_list(self, viewer):
        page = viewer.get(f"{LEADS}?sort=name&peek=bob").text

        assert 'data-peek="bob"' in page
        assert "worth_bob" in page
        assert f"{LEADS}?sort=name" in links_in(page, "sort=name")
        part = viewer.get(f"{LEADS}?peek=bob", headers=htmx("aside#lead-peek")).text
        assert part.lstrip().startswith('<aside class="lead-peek')

    def test_a_viewer_may_watch_it_and_assign_it_to_nobody(self, viewer, operator):
        assert 'value="take"' not in viewer.get(f"{LEADS}?peek=bob").text
        assert 'value="take"' in operator.get(f"{LEADS}?peek=bob").text

    def test_a_lead_that_is_gone_or_anothers_is_gone(self, browse, people, viewer):
        assert "This lead is gone" in viewer.get(f"{LEADS}?peek=nobody").text
        stranger = browse(people.stranger).get(f"{LEADS}?peek=bob", headers=htmx("aside#lead-peek"))
        assert "This lead is gone" in stranger.text


def test_the_list_is_exported_as_it_is_shown(viewer):
    text = viewer.get(f"{LEADS}/export?min_score=20&sort=score&columns=level,events").text

    rows = list(csv.DictReader(StringIO(text)))

    assert [(it["lead_id"], it["level"]) for it in rows] == [("bob", "Warm"), ("ann", "Very Hot")]
    assert list(rows[0]) == ["lead_id", "name", "level", "events"]
    assert viewer.get(f"{LEADS}/export?min_score=x").status_code == 400
