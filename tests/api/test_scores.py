"""Scores and the reasons behind them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.scoring import service as scoring


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
