"""The events page: narrowed by its address, each event explained, and chosen ones deleted."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest

from leadvibe.events import exploring
from leadvibe.events.queries import get_events
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.scoring import lead_scores
from tests.factories import make_metadata_filter, make_velocity_filter
from tests.web.pages import htmx, links_in

EVENTS = "/app/events"
DELETE = f"{EVENTS}/delete"
HOUR = timedelta(hours=1)


@pytest.fixture
def viewer(browse, people):
    return browse(people.viewer)


@pytest.fixture
def operator(browse, people):
    return browse(people.operator)


def events_in(response) -> list[str]:
    """Return what an answer lists: the type of each event, in order."""
    return re.findall(r'class="event-link"[^>]*>([^<]*)<', response.text)


@pytest.fixture
def three(world):
    """Let three events happen, the first one the oldest."""
    world.add_rule("demo_request", 20)
    return [
        world.happen("page_view", "ann", ago=3 * HOUR, page="/pricing", visits=3),
        world.happen("demo_request", "bob", email="bob@acme.com", ago=2 * HOUR, plan="Pro"),
        world.happen("call", "ann", ago=HOUR, outcome="won", paid=True),
    ]


def test_a_unit_without_events_says_how_to_get_some(viewer):
    page = viewer.get(EVENTS).text

    assert "No events yet" in page
    assert "event-filters" not in page


def test_the_newest_come_first_with_their_points(viewer, three):
    answer = viewer.get(EVENTS)

    assert events_in(answer) == ["call", "demo_request", "page_view"]
    assert ">+20</span>" in answer.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("type=call&type=page_view", ["call", "page_view"]),
        ("channel=crm", ["call"]),
        ("lead=bob", ["demo_request"]),
        ("lead=BOB@acme.com", ["demo_request"]),
        ("q=PRICING", ["page_view"]),
        ("q=nothing-like-it", []),
        ("state=suppressed", []),
        ("state=counted&type=call", ["call"]),
        ("m0=visits&m0-op=gte&m0-value=3", ["page_view"]),
        ("m0=plan&m0-value=pro", ["demo_request"]),
        ("m0=page&m0-op=contains&m0-value=RICIN", ["page_view"]),
        ("m0=paid&m0-value=true", ["call"]),
        ("m0=plan&m0-value=pro&m1=visits&m1-op=exists", []),
        ("m0=plan&m0-value=pro&m1=visits&m1-op=exists&logic=or", ["demo_request", "page_view"]),
        ("range=24h", ["call", "demo_request", "page_view"]),
    ],
)
def test_the_address_narrows_the_list(viewer, three, query, found):
    answer = viewer.get(f"{EVENTS}?{query}")

    assert answer.status_code == 200
    assert events_in(answer) == found


@pytest.mark.parametrize(
    "query",
    [
        "range=fortnight", "from=tomorrow", "from=2026-02-01&to=2026-01-01", "state=maybe",
        "lead=nobody-knows", "m0=plan", f"q={'x' * 201}", "m0=visits&m0-op=gt&m0-value=many",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_explained(viewer, three, query):
    answer = viewer.get(f"{EVENTS}?{query}")

    assert answer.status_code == 422
    assert "alert-bad" in answer.text
    assert events_in(answer) == []


def test_both_days_of_a_time_are_included(viewer, world):
    world.happen("early", "ann", at=datetime(2026, 3, 1, tzinfo=UTC))
    world.happen("late", "ann", at=datetime(2026, 3, 2, 23, 59, tzinfo=UTC))
    world.happen("after", "ann", at=datetime(2026, 3, 3, tzinfo=UTC))

    answer = viewer.get(f"{EVENTS}?from=2026-03-01&to=2026-03-02")

    assert events_in(answer) == ["late", "early"]


def test_pages_follow_one_another_without_a_gap(viewer, world, monkeypatch):
    monkeypatch.setattr("leadvibe.web.events.SIZE", 2)
    at = utc_now()
    for number in range(5):
        world.happen(f"step_{number}", "ann", at=at)
    seen, url = [], EVENTS
    while url:
        answer = viewer.get(url)
        seen += events_in(answer)
        url = next((it for it in links_in(answer.text, "before=") if "event=" not in it), "")

    assert seen == ["step_4", "step_3", "step_2", "step_1", "step_0"]


@pytest.mark.parametrize(("bound", "query"), [("MOST_ROWS", "q=rare"), ("MOST_KEYS", "type=rare")])
def test_a_search_says_how_far_it_came_and_goes_on(viewer, world, monkeypatch, bound, query):
    monkeypatch.setattr(exploring, bound, 2)
    world.happen("rare", "ann", ago=4 * HOUR)
    for number in range(3):
        world.happen("often", "ann", ago=number * HOUR)

    first = viewer.get(f"{EVENTS}?{query}")
    [onward] = set(links_in(first.text, "before="))
    second = viewer.get(onward)

    assert events_in(first) == []
    assert "Searched back to" in first.text
    assert "No event here" not in first.text
    assert events_in(second) == ["rare"]


@pytest.mark.parametrize("written", ["\N{KELVIN SIGN}ELVIN", 'say "kelvin"', "a\\kelvin"])
def test_the_database_sieves_out_nothing_that_a_condition_means(viewer, world, written):
    world.happen("measured", "ann", unit=written)

    found = viewer.get(f"{EVENTS}?m0=unit&m0-op=contains&m0-value=kelvin")
    same = viewer.get(EVENTS, query_string={"m0": "unit", "m0-value": written})

    assert events_in(found) == events_in(same) == ["measured"]


def test_bars_count_by_day_and_lead_into_the_day(viewer, world):
    world.happen("page_view", "ann", at=datetime(2026, 3, 1, 12, tzinfo=UTC))
    world.happen("page_view", "bob", at=datetime(2026, 3, 1, 13, tzinfo=UTC))

    page = viewer.get(f"{EVENTS}?from=2026-03-01&to=2026-03-04").text

    assert 'aria-label="1 Mar 2026: 2 events"' in page
    assert "2 counted events" in page
    assert f"{EVENTS}?from=2026-03-01&to=2026-03-01" in links_in(page, "to=2026-03-01")


def test_one_lead_is_counted_by_itself(viewer, three):
    page = viewer.get(f"{EVENTS}?lead=ann&range=7d").text

    assert ">2 events</b>" in page


def test_suppressed_events_come_with_their_reasons(viewer, world):
    make_metadata_filter(world.scope, ("bot", "exists", None), event_type="page_view")
    make_velocity_filter(world.scope, event_type="click")
    commit()
    at = utc_now() - HOUR
    world.happen("page_view", "ann", at=at, bot="yes")
    for second in range(3):
        world.happen("click", "ann", at=at + timedelta(seconds=5 * second), n=second)

    every = viewer.get(f"{EVENTS}?state=suppressed").text
    filtered = viewer.get(f"{EVENTS}?reason=metadata_filter")

    assert "Attribute filter 1<" in every
    assert "Too fast" in every
    assert events_in(filtered) == ["page_view"]


def test_an_event_is_explained_in_a_panel_of_the_page(viewer, three):
    whole = viewer.get(f"{EVENTS}?event={three[1]}").text
    alone = viewer.get(f"{EVENTS}?event={three[1]}", headers=htmx("aside#event-panel")).text

    for text in (whole, alone):
        assert "It counts, and gave 20 points." in text
        assert "0 → 20" in text
        assert "bob" in text
        assert "&#34;plan&#34;: &#34;Pro&#34;" in text
    assert "event-filters" not in alone
    assert "event-filters" in whole


def test_an_event_without_a_rule_says_what_to_do(viewer, three):
    page = viewer.get(f"{EVENTS}?event={three[2]}").text

    assert "no rule scored its type" in page
    assert "Add a rule for the type" in page


def test_a_suppressed_event_names_the_filter(viewer, world):
    item = make_metadata_filter(world.scope, ("bot", "exists", None))
    commit()
    world.add_rule("page_view", 5)
    event_id = world.happen("page_view", "ann", bot="yes")

    page = viewer.get(f"{EVENTS}?event={event_id}").text

    assert "Not counted" in page
    assert item.body["name"] in page


def test_events_of_others_are_not_found(viewer, browse, people, elsewhere, three):
    theirs = elsewhere.happen("secret", "eve")

    assert viewer.get(f"{EVENTS}?event={theirs}").status_code == 404
    assert "secret" not in viewer.get(f"{EVENTS}?range=all").text
    assert events_in(browse(people.stranger).get(EVENTS)) == ["secret"]


def test_the_export_holds_what_is_shown_and_no_formulas(viewer, world):
    world.happen("=cmd()", "ann", ago=HOUR, page="/a")
    world.happen("call", "ann")

    answer = viewer.get(f"{EVENTS}.csv?q=cmd")
    [header, row] = csv.reader(io.StringIO(answer.text))

    assert header[2] == "event_type"
    assert row[2] == "'=cmd()"
    assert row[-1] == '{"page": "/a"}'


def test_a_deletion_says_first_what_it_does_to_scores(operator, world, three):
    world.add_rule("page_view", 3)
    asked = operator.get(f"{DELETE}?id={three[1]}&id={three[0]}")

    assert "Delete 2 events" in asked.text
    assert "\N{MINUS SIGN}20" in asked.text
    assert "1 lead keeps every score." in asked.text
    assert len(get_events(world.scope, three)) == 3
    [score] = lead_scores.list_scores(world.scope, ["bob"])
    assert score.score == 20


def test_chosen_events_are_deleted_and_scores_follow(operator, world, three):
    answer = operator.post(DELETE, {"id": [str(three[1])], "next": f"{EVENTS}?range=7d"})

    assert answer.status_code == 303
    assert answer.location == f"{EVENTS}?range=7d"
    assert three[1] not in get_events(world.scope, three)
    assert not any(it.score for it in lead_scores.list_scores(world.scope, ["bob"]))


def test_nothing_chosen_leads_back(operator, three):
    answer = operator.get(f"{DELETE}?id=nonsense")

    assert answer.status_code == 302
    assert answer.location == EVENTS


def test_a_viewer_is_offered_no_deletion_and_refused_it(viewer, world, three):
    page = viewer.get(f"{EVENTS}?event={three[0]}").text

    assert "Delete" not in page
    assert viewer.get(f"{DELETE}?id={three[0]}").status_code == 403
    assert viewer.post(DELETE, {"id": [str(three[0])]}).status_code == 403
    assert len(get_events(world.scope, three)) == 3


def test_another_units_events_cannot_be_deleted(browse, people, world, three):
    browse(people.stranger).post(DELETE, {"id": [str(it) for it in three]})

    assert len(get_events(world.scope, three)) == 3


def test_more_events_take_no_more_statements(viewer, world, statements):
    world.happen("page_view", "ann")
    viewer.get(EVENTS)
    statements.clear()
    viewer.get(EVENTS)
    few = len(statements)
    for number in range(5):
        world.happen("page_view", f"lead_{number}")
    statements.clear()
    viewer.get(EVENTS)

    assert len(statements) == few


def test_an_unknown_type_has_no_properties_looked_for(viewer, three, statements):
    viewer.get(f"{EVENTS}?type=nosuch")

    assert not any("jsonb_object_keys" in it for it in statements)
    viewer.get(f"{EVENTS}?type=call")
    assert any("jsonb_object_keys" in it for it in statements)
