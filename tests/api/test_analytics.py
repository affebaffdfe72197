"""Figures about events: what counts, over which time, and that no change leaves them wrong."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from leadvibe.engine.policies import Reach
from leadvibe.events import days
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.pipeline import merging, rescore
from leadvibe.scoring import event_types, policies
from tests.factories import make_decay, make_metadata_filter

RANGES = ["all", "today", "yesterday", "last_24h", "last_7d", "last_30d", "last_90d"]


def analytics(caller, **query):
    response = caller.get("/events-analytics", **query)
    assert response.status_code == 200, response.text
    return response.json


def hide(world, name, *, hidden=True):
    event_types.decide_event_type(world.principal, world.scope, name, hidden=hidden, now=utc_now())
    commit()


@pytest.fixture
def busy(world):
    """Let two leads do five things: three today, one a week and one a year ago."""
    world.happen("page_view", "ld_1")
    world.happen("page_view", "ld_1")
    world.happen("demo_request", "ld_2")
    world.happen("page_view", "ld_2", ago=timedelta(days=8))
    world.happen("page_view", "ld_1", ago=timedelta(days=365))
    return world


def test_the_answer_has_the_shapes_of_all_versions(api, busy):
    found = analytics(api)

    assert found["totals"] == {"events": 5, "unique_leads": 2, "event_types": 2}
    assert found["by_type"] == found["events_by_type"] == {"page_view": 4, "demo_request": 1}
    assert (found["total_events"], found["unique_leads"]) == (5, 2)
    today = utc_now().date()
    assert found["daily_counts"] == [
        {"date": str(today - timedelta(days=365)), "count": 1},
        {"date": str(today - timedelta(days=8)), "count": 1},
        {"date": str(today), "count": 3},
    ]


def test_a_unit_without_events_has_zeros(api):
    found = analytics(api)
    stats = api.get("/event-stats").json

    assert found["totals"] == {"events": 0, "unique_leads": 0, "event_types": 0}
    assert (found["by_type"], found["daily_counts"]) == ({}, [])
    assert stats["last_24h"] == {"total_events": 0, "unique_leads": 0, "by_type": {}}
    assert stats["top_events"] == []


@pytest.mark.parametrize(
    ("named", "events", "leads", "listed"),
    [("today", 3, 2, 1), ("last_7d", 3, 2, 8), ("last_30d", 4, 2, 31), ("yesterday", 0, 0, 1)],
)
def test_a_range_has_its_events_and_every_one_of_its_days(
    api, busy, *, named, events, leads, listed
):
    found = analytics(api, range=named)

    assert (found["total_events"], found["unique_leads"]) == (events, leads)
    assert len(found["daily_counts"]) == listed
    assert sum(day["count"] for day in found["daily_counts"]) == events


def test_a_range_that_begins_within_a_day_takes_only_its_part_of_that_day(api, world):
    now = utc_now()
    world.happen("page_view", "ld_1", at=now - timedelta(hours=23, minutes=59))
    world.happen("page_view", "ld_2", at=now - timedelta(hours=24, minutes=1))

    found = analytics(api, range="last_24h")

    assert (found["total_events"], found["unique_leads"]) == (1, 1)


def test_yesterday_ends_at_midnight(api, world):
    midnight = datetime.combine(utc_now().date(), time(), UTC)
    world.happen("page_view", "ld_1", at=midnight)
    world.happen("page_view", "ld_2", at=midnight - timedelta(microseconds=1))
    world.happen("page_view", "ld_3", at=midnight - timedelta(days=1, microseconds=1))

    found = analytics(api, range="yesterday")

    assert (found["total_events"], found["unique_leads"]) == (1, 1)
    assert found["daily_counts"] == [{"date": str(midnight.date() - timedelta(days=1)), "count": 1}]


def test_one_type_can_be_asked_for(api, busy):
    found = analytics(api, event_type="demo_request")

    assert found["by_type"] == {"demo_request": 1}
    assert found["unique_leads"] == 1
    assert analytics(api, event_type="never_seen")["total_events"] == 0


def test_suppressed_events_do_not_count(api, world):
    make_metadata_filter(world.scope, ("agent", "exists", None))
    commit()
    world.happen("page_view", "ld_1")
    world.happen("page_view", "ld_1", agent="bot")
    world.happen("page_view", "ld_2", agent="bot")

    found = analytics(api)

    assert (found["total_events"], found["unique_leads"]) == (1, 1)


def test_hidden_types_are_left_out_until_they_are_shown_again(api, busy):
    hide(busy, "page_view")
    found, stats = analytics(api), api.get("/event-stats").json

    assert found["by_type"] == {"demo_request": 1}
    assert (found["unique_leads"], len(found["daily_counts"])) == (1, 1)
    assert stats["events_today"] == stats["total_events"] == 1

    hide(busy, "page_view", hidden=False)
    assert analytics(api)["totals"] == {"events": 5, "unique_leads": 2, "event_types": 2}


def test_leads_of_types_that_are_only_observed_are_counted_too(api, world):
    event_types.decide_event_type(
        world.principal, world.scope, _known(world, "glance"), reach=Reach.OBSERVE, now=utc_now()
    )
    commit()
    world.happen("glance", "ld_9")

    assert analytics(api)["totals"] == {"events": 2, "unique_leads": 2, "event_types": 1}


def _known(world, name):
    world.happen(name, "ld_1")
    return name


def test_what_leadvibe_wrote_itself_does_not_count(api, world):
    make_decay(world.scope, 1, "days", 3)
    world.add_rule("page_view", 5)
    world.happen("page_view", "ld_1")
    world.happen("page_view", "ld_2")
    merging.merge(world.principal, world.scope, "ld_1", ["ld_2"], now=utc_now())
    commit()
    assert sum(rescore.settle_decay(world.scope, now=utc_now() + timedelta(days=3))) == 1

    found = analytics(api)

    assert found["by_type"] == {"page_view": 2}
    assert found["unique_leads"] == 1


def test_deleted_events_are_taken_out(api, busy):
    [newest, *_] = api.get("/events").json

    api.delete("/events/batch", {"ids": [newest["id"]]})

    assert analytics(api)["total_events"] == 4
    assert days.list_days(busy.scope) == days.recount_days(busy.scope)


def test_a_burst_that_takes_back_what_had_counted_is_seen(api, world):
    body = {
        "event_type": "page_view", "count_threshold": 1, "time_window_ms": 60_000,
        "group_events": True,
    }  # fmt: skip
    assert api.post("/filters", body).status_code == 201
    now = utc_now()
    for second in range(4):
        world.happen("page_view", "ld_1", at=now - timedelta(seconds=30 - second * 5), n=second)

    found = analytics(api)

    assert found["total_events"] == 1
    assert days.list_days(world.scope) == days.recount_days(world.scope)


def test_a_rescore_counts_what_a_filter_that_is_gone_had_taken_out(api, world):
    filter_id = make_metadata_filter(world.scope, ("agent", "exists", None)).item_id
    commit()
    world.happen("page_view", "ld_1")
    world.happen("page_view", "ld_1", agent="bot")
    assert analytics(api)["total_events"] == 1

    policies.delete_metadata_filter(world.principal, world.scope, filter_id, now=utc_now())
    rescore.rescore_leads(world.scope, ["ld_1"], now=utc_now())
    commit()

    assert analytics(api)["total_events"] == 2


def test_the_usual_figures_stand_together(api, busy):
    found = api.get("/event-stats").json

    assert found["total_events"] == 5
    assert found["total_leads"] == 2
    assert found["events_today"] == 3
    assert 3 <= found["events_this_week"] <= 4
    assert found["last_24h"] == {
        "total_events": 3, "unique_leads": 2, "by_type": {"page_view": 2, "demo_request": 1},
    }  # fmt: skip
    assert found["top_events"] == found["top_event_types"] == [
        {"event_type": "page_view", "count": 4}, {"event_type": "demo_request", "count": 1},
    ]  # fmt: skip
    assert api.get("/event-stats", range="today").json["total_events"] == 3


@pytest.mark.parametrize("path", ["/events-analytics", "/event-stats"])
def test_a_range_that_is_none_is_refused(api, path):
    response = api.get(path, range="last_year")

    assert response.status_code == 400
    assert "range" in response.json["fields"]


@pytest.mark.parametrize("named", RANGES)
def test_another_units_events_are_not_in_any_figure(call_as, busy, elsewhere, named):
    elsewhere.happen("page_view", "ld_1")
    stranger = call_as("stranger")

    found = analytics(stranger, range=named)

    assert found["total_events"] == (0 if named == "yesterday" else 1)
    assert stranger.get("/event-stats", range=named).json["total_leads"] == 1


def test_figures_take_a_few_statements_however_many_events(api, busy, statements):
    api.get("/event-stats")

    assert len(statements) <= 20
