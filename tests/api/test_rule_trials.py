"""A rule tried over the API."""

from __future__ import annotations

import pytest

from leadvibe.engine.policies import SURGE_OFF
from leadvibe.lib.db import driver
from tests.factories import set_surge


@pytest.fixture
def path(people):
    return f"/api/v1/ou/{people.unit.unit_id}/scoring-rules/test"


@pytest.fixture
def lead(world):
    set_surge(world.scope, SURGE_OFF)
    world.add_rule("page_view", 5)
    for plan in ("pro", "pro", "free"):
        world.happen("page_view", "ld_1", plan=plan, seats=12)
    return "ld_1"


def test_a_rule_is_tried_on_the_events_of_a_lead(api, path, lead, world):
    found = api.post(path, {"lead_id": lead, "rule": {"event_type": "page_view", "weight": 7}}).json

    assert (found["matches"], found["matchingEvents"], found["suppressedEvents"]) == (True, 3, 0)
    assert (found["currentScore"], found["projectedScore"]) == (15, 21)
    assert found["rulesetId"] == str(world.primary.ruleset_id)
    assert [it["delta"] for it in found["events"]] == [7, 7, 7]
    assert found["reason"].startswith("3 of 3 page_view events")


@pytest.mark.parametrize(
    ("operator", "value", "matching"),
    [("equals", "pro", 2), ("contains", "RE", 1), ("starts_with", "p", 2), ("in", ["free"], 1)],
)
def test_attribute_filters_choose_the_events(api, path, lead, *, operator, value, matching):
    one = {"field": "plan", "operator": operator, "value": value}
    two = {"field": "seats", "operator": "gte", "value": 10}
    three = {"field": "seats", "operator": "lte", "value": 12}
    rule = {"event_type": "page_view", "weight": 7, "attribute_filters": [one, two, three]}

    found = api.post(path, {"lead_id": lead, "rule": rule}).json

    assert (found["matchingEvents"], found["projectedScore"]) == (matching, matching * 7)


def test_trying_a_rule_stores_nothing(api, path, lead):
    statement = "SELECT (SELECT count(*) FROM rules), (SELECT count(*) FROM score_entries)"
    before = driver().execute(statement).fetchone()

    api.post(path, {"lead_id": lead, "rule": {"event_type": "demo", "weight": 7}})

    assert driver().execute(statement).fetchone() == before


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"weight": 7}, "rule.event_type"),
        ({"event_type": "x"}, "rule.weight"),
        ({"event_type": "x", "weight": 1.5}, "rule.weight"),
        (
            {"event_type": "x", "weight": 1, "attribute_filters": [{"field": "a"}]},
            "rule.attribute_filters.0.operator",
        ),
        (
            {
                "event_type": "x",
                "weight": 1,
                "attribute_filters": [{"field": "a", "operator": "resembles"}],
            },
            "rule.attribute_filters.0.operator",
        ),
        (
            {
                "event_type": "x",
                "weight": 1,
                "attribute_filters": [{"field": "a", "operator": "equals", "value": {}}],
            },
            "rule.attribute_filters.0.value",
        ),
    ],
)
def test_a_bad_rule_is_refused_by_field(api, path, lead, rule, field):
    response = api.post(path, {"lead_id": lead, "rule": rule})

    assert response.status_code == 400
    assert list(response.json["fields"]) == [field]


def test_a_lead_that_is_not_there_cannot_try_anything(api, path, world):
    rule = {"event_type": "page_view", "weight": 7}

    assert api.post(path, {"lead_id": "nobody", "rule": rule}).json["code"] == "lead_not_found"
