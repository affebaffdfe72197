"""What triggers are refused for, each time with the field that is to blame."""

from __future__ import annotations

import pytest

from leadvibe.lib.ids import new_id
from tests.api.trigger_examples import BODIES, DAY, SEQUENCE, make_channel

EACH_PATH = pytest.mark.parametrize("path", BODIES)


@pytest.fixture
def owner(call_as, world):
    return call_as("owner")


def refused(owner, path, **fields):
    """Return what is wrong with each field of a trigger that cannot be."""
    answer = owner.post(path, {**BODIES[path], **fields})
    assert answer.status_code == 400, answer.text
    return answer.json["fields"]


@pytest.mark.parametrize(
    ("path", "fields", "field"),
    [
        ("/triggers", {"score_threshold": None}, "score_threshold"),
        ("/triggers", {"score_threshold": 1.5}, "score_threshold"),
        ("/triggers", {"fire_mode": "twice"}, "fire_mode"),
        ("/triggers", {"cooldown_seconds": -1}, "cooldown_seconds"),
        ("/triggers", {"ruleset_id": str(new_id())}, "ruleset_id"),
        ("/triggers", {"engagement_levels": ["Lukewarm"]}, "engagement_levels.0"),
        ("/triggers", {"profile_levels": ["Lukewarm"]}, "profile_levels.0"),
        ("/triggers", {"channel_ids": [str(new_id())]}, "channel_ids.0"),
        ("/triggers", {"teams_target_id": str(new_id())}, "teams_target_id"),
        ("/triggers", {"teams_target_id": "Sales"}, "teams_target_id"),
        ("/triggers", {"slack_target_kind": "channel"}, "slack_target_id"),
        ("/triggers", {"emails": ["sales"]}, "emails.0"),
        ("/triggers", {"emails": [f"m{it}@acme.test" for it in range(21)]}, "emails"),
        ("/sequences", {"window_seconds": 0}, "window_seconds"),
        ("/sequences", {"window_seconds": 90 * DAY + 1}, "window_seconds"),
        ("/sequences", {"window_unit": "fortnights"}, "window_unit"),
        ("/sequences", {"event_types": []}, "event_types"),
        ("/sequences", {"event_types": ["a"] * 21}, "event_types"),
        ("/sequences", {"event_types": ["a", ""]}, "event_types.1"),
        ("/sequences", {"event_steps": [{"event_type": "other"}]}, "event_types"),
        ("/sequences", {"webhook_url": ""}, "webhook_url"),
        ("/pattern-triggers", {"conditions": []}, "conditions"),
        (
            "/pattern-triggers",
            {"conditions": [{"event_type": "a", "min_count": 0}]},
            "conditions.0.min_count",
        ),
        ("/surge-triggers", {"threshold_count": 0}, "threshold_count"),
        ("/surge-triggers", {"webhook_url": ""}, "webhook_url"),
        ("/surge-triggers", {"emails": ["ada@acme.test"]}, "webhook_url"),
    ],
)
def test_what_is_wrong_is_named(owner, path, fields, field):
    assert field in refused(owner, path, **fields)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com", "example.com/hook", "http://", "https://ada:secret@example.com",
        "https://exa mple.com", "http://[::1", "https://example.com:port/",
    ],
)  # fmt: skip
@EACH_PATH
def test_an_address_to_post_to_is_one(owner, path, url):
    assert "webhook_url" in refused(owner, path, webhook_url=url)


@pytest.mark.parametrize(
    ("condition", "blamed"),
    [
        ({"field": "plan", "operator": "resembles", "value": 1}, "operator"),
        ({"field": "a." * 40, "operator": "exists"}, "field"),
        ({"field": "plan", "operator": "in", "value": {"a": 1}}, "value"),
        ({"field": "plan", "operator": "equals"}, "value"),
    ],
)
@pytest.mark.parametrize("filters", ["profile_filters", "lead_attribute_filters"])
def test_a_filter_that_means_nothing_is_blamed_for_what_it_lacks(owner, filters, condition, blamed):
    assert f"{filters}.0.{blamed}" in refused(owner, "/triggers", **{filters: [condition]})


def test_a_filter_of_a_step_is_blamed_in_its_place(owner):
    condition = {"field": "n", "operator": "equals"}
    step = {"event_type": "page_view", "filters": [condition]}
    body = {name: value for name, value in SEQUENCE.items() if name != "event_types"}

    answer = owner.post("/sequences", {**body, "event_steps": [step]})

    assert "event_steps.0.filters.0.value" in answer.json["fields"]
    assert "conditions.0.filters.0.value" in refused(owner, "/pattern-triggers", conditions=[step])


@pytest.mark.parametrize("path", ["/sequences", "/pattern-triggers", "/surge-triggers"])
def test_a_window_is_required(owner, path):
    body = {name: value for name, value in BODIES[path].items() if name != "window_seconds"}

    assert "window_seconds" in owner.post(path, body).json["fields"]


def test_steps_are_required(owner):
    body = {name: value for name, value in SEQUENCE.items() if name != "event_types"}

    assert "event_types" in owner.post("/sequences", body).json["fields"]


def test_a_ruleset_or_channel_of_another_unit_is_none(owner, elsewhere):
    theirs = str(elsewhere.add_ruleset("Theirs").ruleset_id)

    assert "ruleset_id" in refused(owner, "/triggers", ruleset_id=theirs)
    channel_id = make_channel(elsewhere.scope)
    assert "channel_ids.0" in refused(owner, "/triggers", channel_ids=[channel_id])
