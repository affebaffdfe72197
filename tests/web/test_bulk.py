"""Things done to many leads of the list: asked about where they matter, and taken back."""

from __future__ import annotations

import csv
import re
from io import StringIO
from uuid import UUID

import pytest

from leadvibe.bulk import queries, service
from leadvibe.bulk.types import BulkState
from leadvibe.leads.queries import find_lead
from leadvibe.leads.watching import list_watched_ids
from leadvibe.lib.db import commit, driver
from leadvibe.lib.queue import JobQueue
from leadvibe.segments.queries import list_segments
from tests.web.pages import htmx, links_in, names_in

BULK = "/app/leads/bulk"


@pytest.fixture
def listed(world):
    """Four leads with 80, 30, 10 and 0 points, in that order."""
    world.score_leads(ann=80, bob=30, cid=10)
    world.happen("unscored", "dan")
    return world


@pytest.fixture
def operator(browse, people, listed):
    return browse(people.operator)


def send(browser, action, *leads, **form):
    return browser.post(BULK, {"action": action, "lead": list(leads), "query": "", **form})


def strip(browser, answer):
    """Return what the list says was done."""
    assert answer.status_code == 303
    page = browser.get(answer.location).text
    [said] = re.findall(r'id="bulk-strip".*?<p>(.*?)</p>', page, re.DOTALL)
    return said


def owners(world, *lead_ids):
    return [find_lead(world.scope, it).owner_name for it in lead_ids]


def undo_of(browser, answer):
    page = browser.get(answer.location).text
    return re.findall(r'action="(/app/leads/bulk/[^"]*/undo)"', page)


def work(app, scope):
    """Do what a worker does with the actions of a unit."""
    queue = JobQueue(app.extensions["leadvibe.redis"])
    commit()
    for (action_id,) in driver().execute("SELECT action_id FROM bulk_actions").fetchall():
        service.advance_action(scope, action_id, queue=queue, is_stopping=lambda: False)


class TestOwners:
    def test_who_is_to_have_them_is_asked_first(self, operator, people):
        asked = send(operator, "assign_owner", "ann", "bob")

        assert "Assign 2 leads" in asked.text
        assert people.viewer.member.name in asked.text
        assert asked.text.count('name="lead"') == 2

    def test_leads_are_given_and_taken_back(self, operator, listed, people):
        member = people.viewer.member
        given = send(
            operator, "assign_owner", "ann", "bob", owner=str(member.org_member_id), confirmed="yes"
        )

        assert strip(operator, given) == f"2 leads belong to {member.name} now."
        assert owners(listed, "ann", "bob", "cid") == [member.name, member.name, None]
        [path] = undo_of(operator, given)
        undone = operator.post(path, {"query": "sort=name"})
        assert "sort=name" in undone.location
        assert strip(operator, undone) == "Undone for 2 leads."
        assert owners(listed, "ann", "bob") == [None, None]
        assert undo_of(operator, undone) == undo_of(operator, given) == []

    def test_what_was_assigned_again_since_stays(self, operator, listed, people):
        given = send(operator, "assign_owner", "ann", "bob", owner="me", confirmed="yes")
        send(
            operator,
            "assign_owner",
            "bob",
            owner=str(people.viewer.member.org_member_id),
            confirmed="yes",
        )

        [path] = undo_of(operator, given)

        assert strip(operator, operator.post(path, {"query": ""})) == "Undone for 1 lead."
        assert owners(listed, "ann", "bob") == [None, people.viewer.member.name]

    def test_nobody_from_outside_is_given_leads(self, operator, listed, people):
        stranger = str(people.stranger.member.org_member_id)

        answer = send(operator, "assign_owner", "ann", owner=stranger, confirmed="yes")

        assert "Choose who is to look after them" in operator.get(answer.location).text
        assert owners(listed, "ann") == [None]

    def test_the_filter_finds_whose_they_are(self, operator, listed):
        send(operator, "take", "bob")

        assert names_in(operator.get("/app/leads?owner=me").text) == ["bob"]
        assert names_in(operator.get("/app/leads?owner=none").text) == ["ann", "cid", "dan"]
        assert "Owner: Me" in operator.get("/app/leads?owner=me").text


class TestWatching:
    def test_leads_are_watched_at_once_and_the_list_of_them_is_a_view(self, browse, people, listed):
        viewer = browse(people.viewer)
        watched = send(viewer, "watch", "cid", "ann", "gone")

        assert strip(viewer, watched) == "2 leads are on your watch list now."
        assert names_in(viewer.get("/app/leads?watched=yes").text) == ["ann", "cid"]
        assert names_in(browse(people.owner).get("/app/leads?watched=yes").text) == []
        [path] = undo_of(viewer, watched)
        viewer.post(path, {"query": ""})
        assert list_watched_ids(listed.scope, people.viewer.member.org_member_id) == []

    def test_all_that_match_are_asked_about_first(self, operator, listed, people):
        asked = send(operator, "watch", "ann", all="yes", query="min_score=10")

        assert "Watch all 3 leads that match?" in asked.text
        done = send(operator, "watch", all="yes", query="min_score=10", confirmed="yes")
        assert strip(operator, done) == "3 leads are on your watch list now."

    def test_a_search_says_which_match(self, operator, listed):
        send(operator, "take", "ann", "bob")

        done = send(operator, "watch", all="yes", query="q=ann&owner=me", confirmed="yes")

        assert strip(operator, done) == "1 lead is on your watch list now."

    def test_a_watch_list_stays_readable(self, operator, listed, monkeypatch):
        monkeypatch.setattr("leadvibe.bulk.service.MOST_WATCHED", 3)

        answer = send(operator, "watch", all="yes", confirmed="yes")

        assert "at most 3 can be watched at once" in operator.get(answer.location).text


class TestInTheBackground:
    @pytest.fixture(autouse=True)
    def _few_at_a_time(self, monkeypatch):
        monkeypatch.setattr("leadvibe.bulk.service.USUALLY_AT_ONCE", 1)
        monkeypatch.setattr("leadvibe.bulk.service.USUALLY_IN_REQUEST", 2)

    def test_many_are_left_to_a_worker_and_the_list_says_how_far_it_is(self, app, operator, listed):
        answer = send(operator, "assign_owner", all="yes", owner="me", confirmed="yes")

        assert strip(operator, answer) == "Assigning: 0 of 4 leads."
        work(app, listed.scope)
        assert strip(operator, answer).startswith("4 leads belong to")
        assert names_in(operator.get("/app/leads?owner=me").text) == ["ann", "bob", "cid", "dan"]
        polled = operator.get(answer.location, headers=htmx("div#bulk-strip"))
        assert polled.headers["HX-Trigger"] == "bulk-done"

    def test_another_worker_goes_on_where_one_was_stopped(self, app, operator, listed):
        answer = send(operator, "assign_owner", all="yes", owner="me", confirmed="yes")
        action_id = UUID(answer.location.rpartition("=")[2])
        commit()
        steps = iter([False, False, True])

        service.advance_action(
            listed.scope,
            action_id,
            queue=JobQueue(app.extensions["leadvibe.redis"]),
            is_stopping=lambda: next(steps),
        )

        action = queries.get_action(listed.scope, action_id)
        assert (action.state, action.leads_done, action.after_lead) == (BulkState.RUNNING, 2, "bob")
        work(app, listed.scope)
        assert strip(operator, answer).startswith("4 leads belong to")

    def test_leads_are_rescored(self, app, operator, listed):
        asked = send(operator, "rescore", "ann", "bob")
        assert "Rescore 2 leads?" in asked.text
        listed.add_rule("unscored", 7)

        answer = send(operator, "rescore", "dan", "gone", confirmed="yes")
        work(app, listed.scope)

        assert strip(operator, answer) == "1 lead is scored anew."
        assert find_lead(listed.scope, "dan").score == 7


class TestDeleting:
    def test_leads_are_gone_from_the_list_at_once(self, operator, listed):
        asked = send(operator, "delete", "ann")
        assert "Delete 1 lead for good?" in asked.text
        assert names_in(operator.get("/app/leads").text) == ["ann", "bob", "cid", "dan"]

        answer = send(operator, "delete", "ann", "dan", confirmed="yes")

        assert strip(operator, answer) == "2 leads are being deleted for good."
        assert names_in(operator.get("/app/leads").text) == ["bob", "cid"]
        assert undo_of(operator, answer) == []


class TestMerging:
    def test_two_leads_become_one_after_it_is_shown_what_happens(self, operator, listed):
        asked = send(operator, "merge", "ann", "bob")
        assert "Which one stays?" in asked.text

        answer = send(operator, "merge", "ann", "bob", target="bob", confirmed="yes")

        page = operator.get(answer.location).text
        assert "They are one lead now" in page
        assert names_in(page) == ["bob", "cid", "dan"]

    @pytest.mark.parametrize("leads", [["ann"], ["ann", "bob", "cid"]])
    def test_it_takes_two(self, operator, leads):
        answer = send(operator, "merge", *leads)

        assert "choose exactly two" in operator.get(answer.location).text


class TestExporting:
    def rows(self, answer):
        return list(csv.DictReader(StringIO(answer.text)))

    def test_chosen_leads_are_a_file_with_the_columns_of_the_list(self, operator, listed):
        listed.happen("page_view", "=cmd")

        rows = self.rows(send(operator, "export", "bob", "=cmd", query="columns=score,events"))

        assert [list(row.values()) for row in rows] == [
            ["bob", "bob", "30", "1"], ["'=cmd", "'=cmd", "0", "1"],
        ]  # fmt: skip

    def test_the_whole_list_is_one_with_its_filters(self, operator):
        answer = send(operator, "export", all="yes", query="min_score=30&sort=name")

        rows = self.rows(operator.get(answer.location))

        assert [(row["lead_id"], row["level"]) for row in rows] == [
            ("ann", "Very Hot"), ("bob", "Warm"),
        ]  # fmt: skip


class TestRights:
    @pytest.mark.parametrize("action", ["assign_owner", "take", "rescore", "merge", "delete"])
    def test_a_viewer_changes_nothing(self, browse, people, listed, action):
        viewer = browse(people.viewer)

        assert send(viewer, action, "ann", "bob", confirmed="yes").status_code == 403
        assert f'value="{action}"' not in viewer.get("/app/leads").text

    def test_a_strangers_leads_are_not_there(self, browse, people, listed):
        stranger = browse(people.stranger)

        answer = send(stranger, "delete", "ann", confirmed="yes")

        assert "None of these leads is there any more" in stranger.get(answer.location).text
        assert find_lead(listed.scope, "ann").merged_into is None

    def test_another_units_action_is_neither_shown_nor_undone(self, browse, people, operator):
        done = send(operator, "take", "ann")
        [path] = undo_of(operator, done)
        stranger = browse(people.stranger)

        assert stranger.post(path, {"query": ""}).status_code == 404
        assert "bulk-strip" not in stranger.get(done.location).text

    def test_nothing_chosen_and_nonsense(self, operator):
        assert "Choose at least one lead" in operator.get(send(operator, "watch").location).text
        assert send(operator, "paint", "ann").status_code == 400


def test_a_dialog_asks_over_the_list(operator):
    answer = operator.post(
        BULK,
        {"action": "delete", "lead": ["ann"], "query": ""},
        headers=htmx("section#lead-list"),
    )

    assert answer.headers["HX-Retarget"] == "#lead-dialog"
    assert answer.text.lstrip().startswith('<dialog class="dialog" id="lead-dialog"')
    assert links_in(answer.text, "/app/leads") == ["/app/leads"]


class TestSegments:
    def test_leads_are_added_to_a_segment_that_is_made_for_them(self, operator, listed):
        asked = send(operator, "add_to_segment", "ann", "bob")
        assert "Add 2 leads to a segment" in asked.text

        done = send(
            operator, "add_to_segment", "ann", "bob", new_segment="To call", confirmed="yes"
        )

        assert strip(operator, done) == "2 leads are in “To call” now."
        [segment] = list_segments(listed.scope)
        narrowed = operator.get(f"/app/leads?segment={segment.segment_id}").text
        assert names_in(narrowed) == ["ann", "bob"]
        assert "Take out of segment" in narrowed
        [path] = undo_of(operator, done)
        operator.post(path, {"query": ""})
        assert names_in(operator.get(f"/app/leads?segment={segment.segment_id}").text) == []

    def test_leads_are_taken_out_again(self, operator, listed):
        send(operator, "add_to_segment", "ann", "bob", new_segment="To call", confirmed="yes")
        [segment] = list_segments(listed.scope)
        query = f"segment={segment.segment_id}"

        done = send(
            operator,
            "remove_from_segment",
            "ann",
            segment=str(segment.segment_id),
            confirmed="yes",
            query=query,
        )

        assert strip(operator, done) == "1 lead is kept out of “To call” now."
        assert names_in(operator.get(f"/app/leads?{query}").text) == ["bob"]

    @pytest.mark.parametrize(
        "sent", [{}, {"segment": "nonsense"}, {"new_segment": "a" * 101}, {"new_segment": "a\nb"}]
    )
    def test_no_segment_is_no_place_to_add_to(self, operator, listed, sent):
        answer = send(operator, "add_to_segment", "ann", confirmed="yes", **sent)

        assert "alert-bad" in operator.get(answer.location).text
        assert list_segments(listed.scope) == []

    def test_viewers_pick_nobody(self, browse, people, listed):
        viewer = browse(people.viewer)

        assert "Add to segment" not in viewer.get("/app/leads").text
        assert send(viewer, "add_to_segment", "ann", confirmed="yes").status_code == 403
