"""Scores over time: history, gains and the top."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.scoring import snapshots

HOUR = timedelta(hours=1)


def read(text):
    return datetime.fromisoformat(text)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def lead(world):
    world.add_rule("page_view", 5)
    for text in ("2026-03-02T09:30", "2026-03-02T10:00", "2026-03-03T23:30"):
        world.happen("page_view", "ld_1", at=at(text))
    return "ld_1"


def test_the_history_is_hourly_and_exact(api, world, lead):
    found = api.get(
        f"/lead/{lead}/score-history", start_date="2026-03-02T09:00:00Z",
        end_date="2026-03-02T11:30:00Z",
    ).json  # fmt: skip

    assert found["lead_id"] == lead
    assert [(it["snapshot_at"][11:16], it["score"]) for it in found["snapshots"]] == [
        ("09:00", 0), ("10:00", 10), ("11:00", 10), ("11:30", 10),
    ]  # fmt: skip
    assert {it["ruleset_id"] for it in found["snapshots"]} == {str(world.primary.ruleset_id)}
    assert found["count"] == 4
    assert found["period"] == {"start": "2026-03-02T09:00:00Z", "end": "2026-03-02T11:30:00Z"}


def test_a_mere_date_at_the_end_takes_in_its_whole_day(api, lead):
    found = api.get(
        f"/lead/{lead}/score-history", start_date="2026-03-02", end_date="2026-03-03"
    ).json

    assert found["count"] == 49
    assert found["snapshots"][-1]["score"] == 15
    assert read(found["period"]["end"]).date() == at("2026-03-03").date()


def test_the_last_thirty_days_are_shown_when_nothing_is_asked(api, world, lead):
    world.happen("page_view", lead, ago=timedelta(days=2))

    found = api.get(f"/lead/{lead}/score-history").json

    start, end = (read(found["period"][name]) for name in ("start", "end"))
    assert end - start == timedelta(days=30)
    assert abs(end - utc_now()) < timedelta(minutes=1)
    scores = [it["score"] for it in found["snapshots"]]
    assert (scores[0], scores[-1], scores.count(20) in {48, 49, 50}) == (15, 20, True)


def test_another_ruleset_has_a_history_of_its_own(api, world, lead):
    second = world.add_ruleset("Second")
    world.add_rule("page_view", 2, second)
    world.happen("page_view", lead, ago=timedelta(hours=2))

    found = api.get(f"/lead/{lead}/score-history", days=1, ruleset_id=second.ruleset_id).json

    assert found["snapshots"][-1] == {
        "snapshot_at": found["period"]["end"], "score": 2, "ruleset_id": str(second.ruleset_id),
    }  # fmt: skip


def test_what_was_shown_at_the_time_can_be_asked_for(api, world, lead):
    snapshots.take_snapshots(world.scope, now=utc_now())
    commit()

    found = api.get(f"/lead/{lead}/score-history", days=1, source="snapshots").json

    assert [it["score"] for it in found["snapshots"]] == [15]


def test_a_lead_without_points_has_a_history_of_nothing(api, world):
    world.happen("page_view", "ld_2")

    found = api.get("/lead/ld_2/score-history", days=1).json

    assert {it["score"] for it in found["snapshots"]} == {0}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"days": 0}, "days"),
        ({"days": 91}, "days"),
        ({"start_date": "yesterday"}, "start_date"),
        ({"start_date": "2999-01-01"}, "start_date"),
        ({"start_date": "2026-03-03", "end_date": "2026-03-01"}, "start_date"),
        ({"start_date": "2020-01-01"}, "start_date"),
        ({"ruleset_id": "rs"}, "ruleset_id"),
        ({"source": "memory"}, "source"),
    ],
)
def test_a_bad_period_is_refused_by_field(api, lead, query, field):
    response = api.get(f"/lead/{lead}/score-history", **query)

    assert response.status_code == 400
    assert list(response.json["fields"]) == [field]


def test_a_ruleset_or_lead_that_is_not_there_has_no_history(api, lead):
    unknown = "01890000-0000-7000-8000-000000000000"

    assert api.get(f"/lead/{lead}/score-history", ruleset_id=unknown).status_code == 404
    assert api.get("/lead/nobody/score-history").json["code"] == "lead_not_found"


def test_the_top_leads_have_the_highest_scores(api, world):
    world.score_leads(ld_1=10, ld_2=30, ld_3=20)

    top = api.get("/top-leads", limit=2).json

    assert [(it["lead_id"], it["score"]) for it in top] == [("ld_2", 30), ("ld_3", 20)]
    assert set(top[0]) == {"lead_id", "score", "last_event_at"}


@pytest.mark.parametrize("path", ["/score-gains", "/recent-score-gains"])
def test_gains_are_of_the_last_week_unless_another_range_is_named(api, world, path):
    world.add_rule("page_view", 5)
    for lead_id, days in (("ld_1", (20, 2, 1)), ("ld_2", (20, 19)), ("ld_3", (3,))):
        for ago in days:
            world.happen("page_view", lead_id, ago=timedelta(days=ago))

    def gains(**query):
        return [
            (it["lead_id"], it["score"], it["score_gain"]) for it in api.get(path, **query).json
        ]

    assert gains() == [("ld_1", 15, 10), ("ld_3", 5, 5)]
    assert gains(limit=1) == [("ld_1", 15, 10)]
    assert gains(range="all") == [("ld_1", 15, 15), ("ld_2", 10, 10), ("ld_3", 5, 5)]
    assert gains(range="today") == []


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 501}])
def test_a_bad_number_of_leads_is_refused(api, world, query):
    for path in ("/top-leads", "/score-gains"):
        assert api.get(path, **query).status_code == 400
