"""What steers scoring beside rules, written into snapshots and read from those of any age."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from leadvibe.engine.engagement import compile_config
from leadvibe.engine.policies import (
    SURGE_GENTLE,
    SURGE_OFF,
    SURGE_STANDARD,
    AttributeRule,
    AttributeRuleset,
    DecayUnit,
    EventTypePolicy,
    FieldMapping,
    FieldTest,
    Policies,
    Reach,
    UpdateBehavior,
)
from leadvibe.engine.rules import PLAIN, Config

from .factories import (
    make_config,
    make_decay,
    make_id,
    make_metadata_filter,
    make_rule,
    make_ruleset,
    make_surge,
    make_velocity,
)


def everything() -> Policies:
    """Return policies in which nothing has its default."""
    rule = AttributeRule(make_id(), FieldTest("title", "in", ["CEO", "CTO"]), 30, order=2)
    attributes = AttributeRuleset(make_id(), "Fit", enabled=False, is_primary=True, rules=(rule,))
    mapping = FieldMapping(make_id(), "utm.source", "source", UpdateBehavior.APPEND)
    return Policies(
        surge=make_surge((1, 100), (4, 275), idle=60, cap=250),
        decays=(make_decay(2, DecayUnit.WEEKS, 15),),
        velocity_filters=(make_velocity(3, 1.5, group_events=True), make_velocity(9)),
        metadata_filters=(make_metadata_filter(("a.b", "gt", 1.5), enabled=False),),
        profile_mappings=(mapping,),
        account_mappings=(mapping, mapping),
        profile_rulesets=(attributes,),
        account_rulesets=(attributes, attributes),
        event_types={"page_view": EventTypePolicy(hidden=True, reach=Reach.DECIDE)},
        abm_enabled=True,
    )


def through_json(document):
    return json.loads(json.dumps(document))


@pytest.mark.parametrize("policies", [Policies(), PLAIN, everything()], ids=["new", "old", "all"])
def test_policies_come_back_from_json_exactly(policies):
    assert Policies.from_json(through_json(policies.to_json())) == policies


def test_a_config_carries_its_policies():
    config = make_config(make_ruleset(make_rule()), version=3, policies=everything())

    assert Config.from_json(through_json(config.to_json())) == config


def test_json_is_plain_and_says_what_things_are_called():
    policies = everything()

    written = policies.to_json()

    assert written["surge"] == {
        "mode": "custom",
        "bands": [
            {"min_events": 1, "multiplier_percent": 100},
            {"min_events": 4, "multiplier_percent": 275},
        ],
        "idle_reset_seconds": 60,
        "cap_percent": 250,
    }
    assert written["decays"] == [
        {
            "decay_id": str(policies.decays[0].decay_id),
            "inactive_for": 2,
            "unit": "weeks",
            "decrease": 15,
            "created_at": "2025-06-02T09:00:00Z",
        }
    ]
    assert written["velocity_filters"][0] == {
        "filter_id": str(policies.velocity_filters[0].filter_id),
        "event_type": "email_open",
        "count_threshold": 3,
        "time_window_ms": 1500,
        "group_events": True,
        "enabled": True,
    }
    assert written["metadata_filters"] == [
        {
            "filter_id": str(policies.metadata_filters[0].filter_id),
            "name": "Machines",
            "event_type": "",
            "conditions": [{"key": "a.b", "operator": "gt", "value": 1.5}],
            "enabled": False,
        }
    ]
    assert written["event_types"] == {"page_view": {"hidden": True, "reach": "decide"}}


def test_what_is_missing_takes_its_default_and_what_is_unknown_is_left_out():
    assert Policies.from_json({}) == Policies()
    assert Policies.from_json({"horoscope": "leo", "abm_enabled": True}) == Policies(
        abm_enabled=True
    )


def test_a_new_unit_surges_by_the_standard():
    assert Policies().surge is SURGE_STANDARD


def test_a_snapshot_from_before_there_were_policies_means_rules_and_nothing_else():
    config = Config.from_json({"version": 1})

    assert config.policies == PLAIN
    assert config.policies.surge.mode == "off"
    awarder = compile_config(config)
    assert {awarder.multiplier(place) for place in range(100)} == {100}
    assert not awarder.velocity_filters
    assert not awarder.metadata_test


@pytest.mark.parametrize("policy", [SURGE_OFF, SURGE_STANDARD, SURGE_GENTLE])
def test_presets_have_ascending_bands_within_their_cap(policy):
    places = [band.min_events for band in policy.bands]
    percents = [band.multiplier_percent for band in policy.bands]

    assert places == sorted(set(places))
    assert percents == sorted(percents)
    assert max(percents, default=100) <= policy.cap_percent


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        (DecayUnit.HOURS, timedelta(hours=3)),
        (DecayUnit.DAYS, timedelta(days=3)),
        (DecayUnit.WEEKS, timedelta(days=21)),
    ],
)
def test_a_decay_period_is_so_many_of_its_unit(unit, expected):
    assert make_decay(3, unit).period == expected


def test_a_velocity_window_is_told_in_milliseconds():
    assert make_velocity(1, 1.5).window == timedelta(milliseconds=1500)


def test_types_that_are_only_observed_and_our_own_do_not_count():
    policies = Policies(
        event_types={
            "seen": EventTypePolicy(reach=Reach.OBSERVE),
            "scored": EventTypePolicy(reach=Reach.DECIDE),
            "hidden": EventTypePolicy(hidden=True),
        }
    )

    awarder = compile_config(make_config(policies=policies))

    assert awarder.uncounted == {"seen", "DECAY", "lead_merged", "lead_unmerged"}


def test_a_filter_lets_none_of_a_type_count_only_when_it_allows_none_and_keeps_no_first():
    filters = (
        make_velocity(0, event_type="none"),
        make_velocity(0, event_type="first", group_events=True),
        make_velocity(1, event_type="one"),
    )

    awarder = compile_config(make_config(policies=Policies(velocity_filters=filters)))

    assert awarder.banned == {"none"}
