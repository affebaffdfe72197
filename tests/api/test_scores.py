"""Scores and the reasons behind them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from leadvibe.engine.policies import SURGE_STANDARD
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.pipeline.rescore import settle_decay
from leadvibe.scoring import service as scoring
from tests.factories import make_decay, make_velocity_filter, set_surge

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
HALF_A_DAY = timedelta(hours=12)
NOW = utc_now()


@pytest.fixture
def second(world):
    """Return a ruleset in which a page view is worth more than in the primary one."""
    ruleset = world.add_ruleset("Experimental")
    world.add_rule("page_view", 5)
    world.add_rule("page_view", 8, ruleset)
    return ruleset


def change(world, ruleset, **changes):
    scoring.update_ruleset(world.principal, world.scope, ruleset.ruleset_id, changes, now=utc_now())
    commit()


@pytest.mark.parametrize("path", ["/score/ld_1", "/leads/ld_1/score"])
def test_the_score_is_the_highest_of_all_active_rulesets(api, world, second, path):
    world.happen("page_view", "ld_1")

    score = api.get(path).json

    assert (score["lead_id"], score["score"]) == ("ld_1", 8)
    assert score["ruleset_id"] == str(second.ruleset_id)
    assert score["engagement_scores"] == {
        str(world.primary.ruleset_id): 5,
        str(second.ruleset_id): 8,
    }


def test_a_paused_ruleset_is_not_the_highest(api, world, second):
    world.happen("page_view", "ld_1")
    change(world, second, active=False)

    assert api.get("/score/ld_1").json["score"] == 5


def test_a_ruleset_can_be_asked_for(api, world, second):
    world.happen("page_view", "ld_1")
    primary = world.primary.ruleset_id

    assert api.get("/score/ld_1", ruleset_id=primary).json["score"] == 5
    unknown = api.get("/score/ld_1", ruleset_id="00000000-0000-0000-0000-000000000000")
    assert unknown.status_code == 404
    assert api.get("/score/ld_1", ruleset_id="rs").json["fields"].keys() == {"ruleset_id"}


def test_a_batch_of_scores_is_of_the_primary_ruleset_in_the_order_asked_for(api, world, second):
    world.happen("page_view", "ld_1")
    world.happen("page_view", "ld_2")
    world.happen("page_view", "ld_2")

    response = api.post("/scores/batch", {"lead_ids": ["ld_2", "nobody", "ld_1", "ld_2"]})

    assert response.json == [{"lead_id": "ld_2", "score": 10}, {"lead_id": "ld_1", "score": 5}]


@pytest.mark.parametrize("spelling", ["id", "name"])
def test_a_batch_can_be_of_another_ruleset(api, world, second, spelling):
    world.happen("page_view", "ld_1")
    ruleset = str(second.ruleset_id) if spelling == "id" else second.name

    response = api.post("/leads/scores", {"lead_ids": ["ld_1"], "ruleset": ruleset})

    assert response.json == [{"lead_id": "ld_1", "score": 8}]


def test_without_a_primary_ruleset_all_scores_of_a_batch_are_zero(api, world, second):
    world.happen("page_view", "ld_1")
    change(world, world.primary, is_primary=False)

    response = api.post("/scores/batch", {"lead_ids": ["ld_1"], "ruleset": "primary"})

    assert response.json == [{"lead_id": "ld_1", "score": 0}]


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, "lead_ids"),
        ({"lead_ids": []}, "lead_ids"),
        ({"lead_ids": ["x"] * 501}, "lead_ids"),
        ({"lead_ids": [1]}, "lead_ids.0"),
        ({"lead_ids": ["x"], "ruleset": "No such"}, "ruleset"),
    ],
)
def test_a_bad_batch_of_scores_is_refused_by_field(api, document, field):
    response = api.post("/scores/batch", document)

    assert response.status_code == 400
    assert list(response.json["fields"]) == [field]


def test_an_explanation_adds_up_to_the_score(api, world):
    world.add_rule("page_view", 5)
    world.add_rule("unsubscribe", -3)
    for event_type in ("page_view", "page_view", "unsubscribe", "unscored"):
        world.happen(event_type, "ld_1")

    reasons = api.get("/lead/ld_1/score-explain").json

    assert reasons["score"] == 7
    assert reasons["ruleset_id"] == str(world.primary.ruleset_id)
    drivers = [(it["event_type"], it["total"], it["count"]) for it in reasons["top_drivers"]]
    assert drivers == [("page_view", 10, 2), ("unsubscribe", -3, 1)]
    assert sum(total for _, total, _ in drivers) == reasons["score"]
    assert reasons["waterfall"][-1]["running_total"] == reasons["score"]
    assert sum(len(step["entries"]) for step in reasons["waterfall"]) == 3
    assert (reasons["surge_boost"], reasons["surge_total"], reasons["surge_event_count"]) == (
        [],
        0,
        0,
    )
    assert (reasons["decay_applied"], reasons["range_hours"]) == (0, 24)


def test_the_snapshot_names_the_rules_in_force_heaviest_first(api, world):
    world.add_rule("page_view", 5)
    world.add_rule("spam", -20)
    world.happen("page_view", "ld_1")

    snapshot = api.get("/lead/ld_1/score-explain").json["snapshot"]

    assert [(it["event_type"], it["weight"]) for it in snapshot] == [
        ("spam", -20),
        ("page_view", 5),
    ]


def test_what_was_before_the_hours_is_brought_forward(api, world):
    world.add_rule("page_view", 5)
    world.happen("page_view", "ld_1", ago=timedelta(hours=30))
    world.happen("page_view", "ld_1", ago=timedelta(hours=1))

    def steps(hours):
        reasons = api.get("/lead/ld_1/score-explain", hours=hours).json
        assert reasons["range_hours"] == hours
        return [(it["label"], it["delta"]) for it in reasons["waterfall"]]

    assert steps(24) == [("Brought forward", 5), ("page_view", 5)]
    assert steps(48) == [("page_view", 10)]


def test_a_score_that_did_not_move_is_all_brought_forward(api, world):
    world.add_rule("page_view", 5)
    world.happen("page_view", "ld_1", ago=timedelta(hours=30))

    reasons = api.get("/lead/ld_1/score-explain").json

    assert [(it["label"], it["running_total"]) for it in reasons["waterfall"]] == [
        ("Brought forward", 5)
    ]
    assert reasons["top_drivers"] == []


@pytest.mark.parametrize("hours", [0, -1, "day", 10**9])
def test_bad_hours_are_refused(api, world, hours):
    world.happen("page_view", "ld_1")

    response = api.get("/lead/ld_1/score-explain", hours=hours)

    assert response.status_code == 400
    assert list(response.json["fields"]) == ["hours"]


@pytest.mark.parametrize("path", ["/score/ld_1", "/leads/ld_1/score"])
def test_the_score_of_any_past_time_can_be_asked_for(api, world, second, path):
    world.happen("page_view", "ld_1", at=NOON)
    world.happen("page_view", "ld_1", at=NOON + timedelta(hours=2))
    primary, other = str(world.primary.ruleset_id), str(second.ruleset_id)

    def score(hours, **query):
        as_of = (NOON + timedelta(hours=hours)).isoformat()
        return api.get(path, as_of=as_of, **query).json

    assert (score(-1)["score"], score(-1)["engagement_scores"]) == (0, {})
    assert (score(0)["score"], score(0)["ruleset_id"]) == (8, other)
    assert score(1)["engagement_scores"] == {primary: 5, other: 8}
    assert score(2, ruleset_id=primary)["score"] == 10
    assert score(99)["score"] == api.get(path).json["score"] == 16


def test_a_past_score_is_explained_as_of_then(api, world):
    world.add_rule("page_view", 5)
    world.add_rule("unsubscribe", -3)
    world.happen("page_view", "ld_1", at=NOON - timedelta(days=3))
    world.happen("page_view", "ld_1", at=NOON)
    world.happen("unsubscribe", "ld_1", at=NOON + timedelta(hours=1))

    reasons = api.get("/lead/ld_1/score-explain", as_of=NOON.isoformat()).json

    assert (reasons["score"], reasons["range_hours"]) == (10, 24)
    assert [(it["event_type"], it["total"]) for it in reasons["top_drivers"]] == [("page_view", 5)]
    steps = [(it["label"], it["delta"]) for it in reasons["waterfall"]]
    assert steps == [("Brought forward", 5), ("page_view", 5)]
    assert reasons["snapshot"] == []


def test_the_rules_of_an_explanation_are_those_of_its_time(api, world):
    rule = world.add_rule("page_view", 5)
    world.happen("page_view", "ld_1")
    then = utc_now()
    scoring.update_rule(world.principal, world.scope, rule.rule_id, {"weight": 9}, now=utc_now())
    commit()

    def weights(**query):
        found = api.get("/lead/ld_1/score-explain", **query).json["snapshot"]
        return [it["weight"] for it in found]

    assert (weights(as_of=then.isoformat()), weights()) == ([5], [9])


def test_all_time_can_be_explained(api, world):
    world.add_rule("page_view", 5)
    world.happen("page_view", "ld_1", at=NOON - timedelta(days=999))
    world.happen("page_view", "ld_1")

    reasons = api.get("/lead/ld_1/score-explain", range="all").json

    assert (reasons["score"], reasons["range_hours"]) == (10, 0)
    assert [it["delta"] for it in reasons["waterfall"]] == [10]


@pytest.mark.parametrize(
    ("name", "hours", "delta"), [("last_7d", 168, 5), ("last_30d", 720, 10), ("last_24h", 24, 0)]
)
def test_a_named_range_can_be_explained(api, world, name, hours, delta):
    world.add_rule("page_view", 5)
    for days in (2, 20, 60):
        world.happen("page_view", "ld_1", at=NOON - timedelta(days=days))

    reasons = api.get("/lead/ld_1/score-explain", range=name, as_of=NOON.isoformat()).json

    assert (reasons["score"], reasons["range_hours"]) == (15, hours)
    assert sum(it["total"] for it in reasons["top_drivers"]) == delta
    assert reasons["waterfall"][-1]["running_total"] == 15


def test_yesterday_ends_at_midnight(api, world):
    world.add_rule("page_view", 5)
    for hours in (-1, 0, 13):
        world.happen("page_view", "ld_1", at=MIDNIGHT - timedelta(hours=hours))

    reasons = api.get(
        "/lead/ld_1/score-explain", range="yesterday", as_of=(MIDNIGHT + HALF_A_DAY).isoformat()
    ).json

    assert (reasons["score"], reasons["range_hours"]) == (5, 24)
    assert sum(it["total"] for it in reasons["top_drivers"]) == 5


def test_another_ruleset_can_be_explained(api, world, second):
    world.happen("page_view", "ld_1")

    reasons = api.get("/lead/ld_1/score-explain", ruleset_id=second.ruleset_id).json

    assert (reasons["score"], reasons["ruleset_id"]) == (8, str(second.ruleset_id))
    assert [it["delta"] for it in reasons["waterfall"]] == [8]
    unknown = "01890000-0000-7000-8000-000000000000"
    assert api.get("/lead/ld_1/score-explain", ruleset_id=unknown).status_code == 404


def test_suppressed_events_are_counted_and_explain_no_points(api, world):
    make_velocity_filter(world.scope, 1, 3600)
    world.add_rule("page_view", 5)
    for minute in range(3):
        world.happen("page_view", "ld_1", at=NOON + timedelta(minutes=minute), page=minute)

    reasons = api.get("/lead/ld_1/score-explain", range="all").json

    assert (reasons["inorganic_count"], reasons["score"]) == (2, 5)
    assert reasons["top_drivers"][0]["count"] == 1
    assert api.get("/lead/ld_1/score-explain").json["inorganic_count"] == 0
    events = api.get("/events/ld_1").json
    assert [it["suppression_reason"] for it in events] == ["inorganic", "inorganic", None]
    assert [it["suppressed"] for it in events] == [True, True, False]


def test_surge_and_decay_are_explained_to_the_point(api, world):
    set_surge(world.scope, SURGE_STANDARD)
    make_decay(world.scope, 1, "days", 4)
    world.add_rule("page_view", 10)
    for second in range(5):
        world.happen("page_view", "ld_1", at=NOW + timedelta(seconds=second), page=second)
    sum(settle_decay(world.scope, now=NOW + timedelta(days=2, hours=1)))

    as_of = (NOW + timedelta(days=3)).isoformat()
    reasons = api.get("/lead/ld_1/score-explain", range="all", as_of=as_of).json

    # Two at 10, two at 12.5 (rounded to 13), one at 15; then two days of inactivity.
    assert reasons["surge_boost"] == [
        {"event_type": "page_view", "base": 20, "multiplier": 1.25, "boost": 6},
        {"event_type": "page_view", "base": 10, "multiplier": 1.5, "boost": 5},
    ]
    assert (reasons["surge_total"], reasons["surge_event_count"]) == (11, 3)
    assert (reasons["decay_applied"], reasons["score"]) == (-8, 53)
    entries = [entry for step in reasons["waterfall"] for entry in step["entries"]]
    assert sum(entry["delta"] for entry in entries) == reasons["score"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"as_of": "then"}, "as_of"),
        ({"range": "ages"}, "range"),
        ({"ruleset_id": "rs"}, "ruleset_id"),
    ],
)
def test_a_bad_question_is_refused_by_field(api, world, query, field):
    world.happen("page_view", "ld_1")

    response = api.get("/lead/ld_1/score-explain", **query)

    assert response.status_code == 400
    assert list(response.json["fields"]) == [field]
