"""The call list: whom to call, claiming them, and what a logged call leaves behind."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from leadvibe.engine.policies import Reach
from leadvibe.leadlist import sources
from leadvibe.leadlist.queries import search_leads
from leadvibe.leadlist.records import find_record
from leadvibe.leadlist.types import LeadFilter, Sort
from leadvibe.leads.notes import list_notes
from leadvibe.leads.ownership import assign_owner, claim_lead
from leadvibe.leads.queries import get_lead
from leadvibe.leads.statuses import Status, list_changes
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.lib.paging import PageRequest
from leadvibe.pipeline import process, recording
from leadvibe.pipeline.calling import CALL_LOGGED, CallOutcome, status_after
from leadvibe.scoring.event_types import decide_event_type
from tests.web.pages import htmx

CALLS = "/app/calls"
EVERYBODY = f"{CALLS}?of=all"
LOG = f"{CALLS}/ann/log?of=all"


def plan(world, lead_id, *, ago=timedelta(minutes=5), owner=None, status=None, **properties):
    """Let a lead be there whose next call is due since some time."""
    now = utc_now()
    properties = {"next_call_at": (now - ago).isoformat(), **properties}
    recording.update_lead(
        world.scope, lead_id, properties=properties, status=status, by="test", via="app", now=now
    )
    if owner:
        assign_owner(world.scope, lead_id, owner.member, now=now)
    commit()


@pytest.fixture
def ann(world):
    world.happen("visit", "ann", email="ann@acme.test")
    plan(world, "ann", company="Acme")
    return world


def names_in(page):
    return re.findall(r'class="row-name" href="[^"]*">([^<]*)<', page)


def call(**changes):
    return {"outcome": "no_answer", "note": "", "next": "1", "at": "", **changes}


def events_of(world, lead_id):
    statement = """
        SELECT source, metadata FROM events
        WHERE unit_id = %s AND lead_id = %s AND event_type = 'call_logged'
    """
    return driver().execute(statement, (world.scope.unit_id, lead_id)).fetchall()


def test_what_is_due_stands_first_the_longest_due_at_the_top(browse, people, world):
    for name in ("new", "late", "soon", "later"):
        world.happen("visit", name, email=f"{name}@acme.test")
    plan(world, "soon")
    plan(world, "late", ago=timedelta(days=2))
    plan(world, "later", ago=timedelta(days=-2))

    page = browse(people.operator).get(EVERYBODY).text

    assert names_in(page) == ["late@acme.test", "soon@acme.test", "new@acme.test"]
    assert page.count(">Overdue<") == 2
    assert 'href="mailto:late@acme.test"' in page


def test_the_best_are_those_that_can_be_reached_by_score(browse, people, world):
    world.add_rule("demo", 50)
    world.happen("visit", "cold", email="cold@acme.test")
    world.happen("demo", "hot", email="hot@acme.test")
    world.happen("demo", "unknown")

    assert names_in(browse(people.viewer).get(CALLS).text) == ["hot@acme.test", "cold@acme.test"]


def test_tabs_tell_mine_from_nobodys(browse, people, ann):
    ann.happen("visit", "bob", email="bob@acme.test")
    plan(ann, "bob", owner=people.operator)
    browser = browse(people.operator)

    assert names_in(browser.get(CALLS).text) == ["bob@acme.test"]
    assert names_in(browser.get(f"{CALLS}?of=nobody").text) == ["ann@acme.test"]
    assert len(names_in(browser.get(EVERYBODY).text)) == 2
    assert names_in(browse(people.owner).get(CALLS).text) == []


def test_an_empty_list_says_what_to_do(browse, people, world):
    page = browse(people.operator).get(EVERYBODY).text

    assert "Nobody is to be called today: plan the next call on a lead&#39;s page." in page


def test_the_phone_is_dialled(browse, people, ann):
    ann.happen("visit", "bob")
    plan(ann, "bob")
    ann.happen("identified", "bob", email="bob@acme.test")
    driver().execute("UPDATE lead_records SET phone = '+31 6 12' WHERE lead_id = 'bob'")
    commit()

    assert 'href="tel:+31612"' in browse(people.operator).get(EVERYBODY).text


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("no_answer", Status.CONTACTED),
        ("left_message", Status.CONTACTED),
        ("interested", Status.CONTACTED),
        ("not_interested", Status.LOST),
        ("wrong_number", Status.CONTACTED),
    ],
)
def test_each_outcome_leaves_a_status_and_an_event(browse, people, ann, outcome, status):
    answer = browse(people.operator).post(
        LOG, call(outcome=outcome, next="none"), follow_redirects=True
    )
    process.drain(ann.scope)

    record = find_record(ann.scope, "ann")
    assert "logged: " in answer.text
    assert "No further call is planned." in answer.text
    assert names_in(answer.text) == []
    assert (record.status, record.fields["next_call_at"]) == (status, None)
    assert record.fields["loss_reason"] == ("Not interested" if status is Status.LOST else None)
    by = people.operator.member.name
    assert events_of(ann, "ann") == [("app", {"outcome": outcome, "by": by})]
    assert list_changes(ann.scope, "ann", limit=1)[0].changed_by == by
    assert list_notes(ann.scope, "ann", limit=1) == []


def test_the_timeline_says_how_a_call_went_and_who_made_it(browse, people, ann):
    browser = browse(people.operator)
    browser.post(LOG, call(outcome="not_interested", next="none"))
    ann.happen("call_logged", "ann", outcome="connected")
    process.drain(ann.scope)

    page = browser.get("/app/leads/ann").text

    assert f"Talked: not interested · by {people.operator.member.name}" in page
    assert "connected" in page


@pytest.mark.parametrize(
    ("current", "outcome", "status"),
    [
        (Status.QUALIFIED, CallOutcome.NO_ANSWER, None),
        (Status.QUALIFIED, CallOutcome.NOT_INTERESTED, Status.LOST),
        (Status.CONVERTED, CallOutcome.NOT_INTERESTED, None),
        (Status.LOST, CallOutcome.NO_ANSWER, None),
        (Status.LOST, CallOutcome.INTERESTED, Status.CONTACTED),
    ],
)
def test_who_is_further_already_stays_so(current, outcome, status):
    assert status_after(current, outcome) is status


def test_a_note_begins_with_the_outcome(browse, people, ann):
    browse(people.operator).post(LOG, call(outcome="interested", note="Wants a trial."))

    [note] = list_notes(ann.scope, "ann", limit=9)
    assert note.text == "Talked: interested\nWants a trial."
    assert note.author_id == people.operator.member.org_member_id


def test_the_next_call_is_in_the_morning_of_the_callers_day(browse, people, ann):
    browser = browse(people.operator)
    browser.client.set_cookie("zone", "Asia/Tokyo", path=CALLS)

    browser.post(LOG, call(next="3"))

    due = find_record(ann.scope, "ann").fields["next_call_at"]
    assert (due.hour, due.minute) == (0, 0)
    assert timedelta(days=2) < due - utc_now() < timedelta(days=4)


def test_a_time_is_typed_in_the_callers_zone(browse, people, ann):
    browser = browse(people.operator)
    browser.client.set_cookie("zone", "Asia/Tokyo", path=CALLS)

    browser.post(LOG, call(next="at", at="2999-01-02T10:00"))

    due = find_record(ann.scope, "ann").fields["next_call_at"]
    assert due.isoformat() == "2999-01-02T01:00:00+00:00"


@pytest.mark.parametrize("zone", ["No/Where", "../etc/passwd", "Europe", "", "a\x00b"])
def test_a_zone_that_there_is_not_is_utc(browse, people, ann, zone):
    browser = browse(people.operator)
    browser.client.set_cookie("zone", zone, path=CALLS)

    assert browser.get(CALLS).status_code == 200


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"outcome": ""}, "Choose what came of the call."),
        ({"next": "soon"}, "Choose when to call next, or None."),
        ({"next": "at"}, "Choose a day and time that are still to come."),
        ({"next": "at", "at": "2001-01-01T10:00"}, "Choose a day and time"),
        ({"next": "at", "at": "9999-12-31T23:59"}, ""),
        ({"next": "at", "at": "soon"}, "Choose a day and a time"),
        ({"note": "x" * 10_000}, "Use at most"),
        ({"note": "a\x00"}, "NUL"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(browse, people, ann, changes, says):
    browser = browse(people.operator)
    browser.client.set_cookie("zone", "America/New_York", path=CALLS)
    answer = browser.post(LOG, call(**{"note": "Called.", **changes}), headers=htmx("call-list"))

    assert answer.status_code == 422
    assert says in answer.text or "still to come" in answer.text
    assert '<details class="call-log" open>' in answer.text
    assert find_record(ann.scope, "ann").status is Status.NOT_CONTACTED


def test_a_refused_form_of_a_lead_on_no_page_is_shown_all_the_same(browse, people, ann):
    plan(ann, "ann", ago=timedelta(days=-9))

    answer = browse(people.operator).post(LOG, call(outcome="", note="Long talk."))

    assert answer.status_code == 422
    assert "Long talk." in answer.text


def test_of_two_who_claim_at_once_one_is_told_who_has_it(browse, people, ann):
    first, second = browse(people.operator), browse(people.owner)

    won = first.post(f"{CALLS}/ann/claim?of=all", follow_redirects=True)
    lost = second.post(f"{CALLS}/ann/claim?of=all", follow_redirects=True)

    record = find_record(ann.scope, "ann")
    assert "is yours for 24 hours." in won.text
    assert "has this lead until" in lost.text
    assert record.owner_id == people.operator.member.org_member_id
    assert timedelta(hours=23) < record.claimed_until - utc_now() <= timedelta(hours=24)
    assert f"{CALLS}/ann/claim" not in lost.text


def test_a_viewer_sees_the_list_without_controls(browse, people, ann):
    browser = browse(people.viewer)
    page = browser.get(EVERYBODY).text

    assert names_in(page) == ["ann@acme.test"]
    assert f"{CALLS}/ann" not in page
    assert browser.post(f"{CALLS}/ann/claim").status_code == 403
    assert browser.post(LOG, call()).status_code == 403


def test_a_stranger_finds_nobody(browse, people, ann):
    browser = browse(people.stranger)

    assert names_in(browser.get(EVERYBODY).text) == []
    assert browser.post(f"{CALLS}/ann/claim").status_code == 404
    assert browser.post(LOG, call()).status_code == 404


def test_many_calls_are_paged(browse, people, ann):
    for number in range(27):
        ann.happen("visit", f"l{number}", email=f"l{number}@acme.test")
        plan(ann, f"l{number}", ago=timedelta(hours=number + 1))
    browser = browse(people.operator)

    first, second = browser.get(EVERYBODY).text, browser.get(f"{EVERYBODY}&page=2").text

    assert len(names_in(first)) == 25
    assert "1\N{EN DASH}25 of 28" in first
    assert "Nobody has called them yet" not in first
    assert names_in(second) == ["l1@acme.test", "l0@acme.test", "ann@acme.test"]
    assert "Nobody has called them yet" in second
    assert browser.get(f"{EVERYBODY}&page=9").location.endswith("of=all&page=2")
    assert browser.get(f"{EVERYBODY}&page=x").status_code == 200


def test_sources_say_what_has_come_of_their_leads(browse, people, ann):
    plan(ann, "ann", source="Fair", value=1200.5, status=Status.CONVERTED)
    ann.happen("visit", "bob", email="bob@acme.test")
    plan(ann, "bob", source="Fair", status=Status.QUALIFIED)
    browser = browse(people.viewer)

    page = browser.get(f"{CALLS}/sources").text
    cells = [re.findall(r'class="num">([^<]*)</td>', row) for row in page.split("<tr>")]

    fair = ["2", "0", "1", "1", "0", "1,200.50", "100 %", "50 %"]
    assert cells.count(fair) == 3
    assert '<th scope="row">Fair</th>' in page
    assert ">Fair<" not in browser.get(f"{CALLS}/sources?range=last").text
    assert ">Fair<" not in browse(people.stranger).get(f"{CALLS}/sources").text


def test_leads_of_no_source_stand_below_those_of_one(browse, people, ann, monkeypatch):
    monkeypatch.setattr(sources, "MOST_SOURCES", 1)
    plan(ann, "ann", source="Fair", value=100, status=Status.CONVERTED)
    for name, source in (("bob", "Gala"), ("cy", None)):
        ann.happen("visit", name, email=f"{name}@acme.test")
        plan(ann, name, source=source, value=50.5, status=Status.CONVERTED)

    page = browse(people.viewer).get(f"{CALLS}/sources").text
    rows = {
        name: re.findall(r'class="num">([^<]*)</td>', row)
        for row in page.partition("By source")[2].split("<tr>")
        for name in re.findall(r'<th scope="row">([^<]*)</th>', row)
    }

    assert list(rows) == ["Fair", "No or another source"]
    assert rows["No or another source"][:6] == ["2", "0", "0", "2", "0", "101"]


@pytest.mark.parametrize("query", ["from=x&to=y", "from=2026-02-01&to=2026-01-01", "from=&to=9"])
def test_a_time_that_makes_no_sense_is_said(browse, people, world, query):
    page = browse(people.viewer).get(f"{CALLS}/sources?{query}")

    assert page.status_code == 200
    assert "Choose two days" in page.text


def test_a_call_counts_as_any_event_does_unless_it_is_only_observed(browse, people, ann):
    def last_type():
        statement = "SELECT last_event_type FROM leads WHERE unit_id = %s AND lead_id = 'ann'"
        return driver().execute(statement, (ann.scope.unit_id,)).fetchone()[0]

    browser = browse(people.operator)
    browser.post(LOG, call())
    process.drain(ann.scope)
    counted = last_type()
    ann.happen("visit", "ann")

    decide_event_type(ann.principal, ann.scope, CALL_LOGGED, reach=Reach.OBSERVE, now=utc_now())
    commit()
    browser.post(LOG, call())
    process.drain(ann.scope)

    assert (counted, last_type()) == (CALL_LOGGED, "visit")
    assert len(events_of(ann, "ann")) == 2


@pytest.mark.parametrize(
    "path", ["/app/leads?columns=owner", "/app/leads/ann", "/app/leads?peek=ann", EVERYBODY]
)
def test_a_claim_that_is_over_is_shown_to_nobody_even_before_its_job_has_run(
    browse, people, ann, path
):
    name, browser = people.operator.member.name, browse(people.owner)
    claim_lead(ann.scope, "ann", people.operator.member, now=utc_now())
    commit()
    shown = owners_in(browser.get(path).text, name)

    driver().execute("UPDATE lead_records SET claimed_until = now() - interval '1 second'")
    commit()

    assert shown
    assert not owners_in(browser.get(path).text, name)


def owners_in(page, name):
    """Say whether somebody is shown as who has the lead, not merely to be chosen."""
    page = re.sub(r"<option value=[^>]*(?<!selected)>[^<]*</option>", "", page)
    return name in page


def test_whose_claim_is_over_is_no_owner_to_filter_by(ann, people):
    def found(**wanted):
        page = search_leads(ann.scope, LeadFilter(**wanted), Sort(), PageRequest(1, 9))
        return [(it.lead_id, it.owner_name) for it in page.items]

    member = people.operator.member
    claim_lead(ann.scope, "ann", member, now=utc_now())
    held = found(owner_id=member.org_member_id), found(is_unowned=True)
    driver().execute("UPDATE lead_records SET claimed_until = now() - interval '1 second'")

    assert held == ([("ann", member.name)], [])
    assert (found(owner_id=member.org_member_id), found(is_unowned=True)) == ([], [("ann", None)])
    assert get_lead(ann.scope, "ann").owner_id is None
