"""What is wrong with a configuration as a whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given

from leadvibe.engine.policies import (
    SURGE_GENTLE,
    AttributeRule,
    AttributeRuleset,
    Band,
    DecayRule,
    DecayUnit,
    EventTypePolicy,
    FieldMapping,
    FieldTest,
    MetadataFilter,
    Policies,
    SurgeMode,
    SurgePolicy,
    UpdateBehavior,
    VelocityFilter,
)
from leadvibe.engine.rules import Config, Level, LevelKind, Rule, Ruleset
from leadvibe.scoring.checks import check_config, find_problems
from leadvibe.scoring.errors import BadConfigError
from tests.scoring.strategies import whole_configs

A, B = UUID(int=1), UUID(int=2)
JUNE, JULY = datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC)
LATTICE = tuple(Band(place, percent) for place, percent in ((1, 100), (3, 150), (5, 200)))


def rule(rule_id=A, event_type="page_view", **fields) -> Rule:
    return Rule(rule_id, event_type, 5, **fields)


def level(level_id=A, name="Hot", low=50, high=74, kind=LevelKind.ENGAGEMENT) -> Level:
    return Level(level_id, kind, name, low, high)


def decay(decay_id=A) -> DecayRule:
    return DecayRule(decay_id, 30, DecayUnit.DAYS, 25, JUNE)


def bots(filter_id=A, name="Bots", operator="contains", key="agent", value="bot") -> MetadataFilter:
    return MetadataFilter(filter_id, name, "", (FieldTest(key, operator, value),))


def mapping(mapping_id=A, source="size") -> FieldMapping:
    return FieldMapping(mapping_id, source, "size", UpdateBehavior.SET_ONCE)


def fit(ruleset_id=A, name="Fit", operator="gt", rule_ids=(A,), **fields) -> AttributeRuleset:
    test = FieldTest("size", operator, 50)
    rules = tuple(AttributeRule(rule_id, test, 20) for rule_id in rule_ids)
    return AttributeRuleset(ruleset_id, name, rules=rules, **fields)


def custom(*bands: Band) -> SurgePolicy:
    return SurgePolicy(SurgeMode.CUSTOM, bands, 1800, 300)


def make(*rulesets, levels=(), **policies) -> Config:
    return Config(1, rulesets, levels, policies=Policies(**policies))


@pytest.mark.parametrize(
    ("config", "field", "problem"),
    [
        (make(Ruleset(A, "X"), Ruleset(A, "Y")), "rulesets.1.ruleset_id", "given twice"),
        (make(Ruleset(A, "X"), Ruleset(B, "X")), "rulesets.1.name", "given twice"),
        (
            make(Ruleset(A, "X", is_primary=True), Ruleset(B, "Y", is_primary=True)),
            "rulesets.1.is_primary",
            "only one is primary",
        ),
        (make(Ruleset(A, "X", start_at=JULY, end_at=JUNE)), "rulesets.0.end_at", "not after"),
        (
            make(Ruleset(A, "X", rules=(rule(), rule(B)))),
            "rulesets.0.rules.1.event_type",
            "given twice",
        ),
        (
            make(Ruleset(A, "X", rules=(rule(),)), Ruleset(B, "Y", rules=(rule(),))),
            "rulesets.1.rules.0.rule_id",
            "given twice",
        ),
        (
            make(Ruleset(A, "X", rules=(rule(start_at=JUNE, end_at=JUNE),))),
            "rulesets.0.rules.0.end_at",
            "not after",
        ),
        (make(levels=(level(), level(A, "Warm", 0, 9))), "levels.1.level_id", "given twice"),
        (make(levels=(level(), level(B, "Hot", 0, 9))), "levels.1.name", "given twice"),
        (make(levels=(level(high=49),)), "levels.0.max_score", "below min_score"),
        (
            make(levels=(level(), level(B, "Very Hot", 74, None))),
            "levels.1.min_score",
            "overlaps with Hot (50 to 74)",
        ),
        (make(surge=custom()), "policies.surge.bands", "at least one band"),
        (
            make(surge=custom(Band(3, 100), Band(3, 150))),
            "policies.surge.bands.1.min_events",
            "more than",
        ),
        (
            make(surge=custom(Band(3, 150), Band(4, 125))),
            "policies.surge.bands.1.multiplier_percent",
            "not be less",
        ),
        (
            make(surge=replace(SURGE_GENTLE, bands=LATTICE)),
            "policies.surge.mode",
            "use mode custom",
        ),
        (make(decays=(decay(), decay())), "policies.decays.1.decay_id", "given twice"),
        (
            make(velocity_filters=(VelocityFilter(A, "x", 1, 1, group_events=False),) * 2),
            "policies.velocity_filters.1.filter_id",
            "given twice",
        ),
        (
            make(metadata_filters=(bots(), bots(B))),
            "policies.metadata_filters.1.name",
            "given twice",
        ),
        (
            make(metadata_filters=(bots(operator="resembles"),)),
            "policies.metadata_filters.0.conditions.0.operator",
            "unknown operator 'resembles': use one of",
        ),
        (
            make(metadata_filters=(bots(key=" "),)),
            "policies.metadata_filters.0.conditions.0.key",
            "needs a field",
        ),
        (
            make(metadata_filters=(bots(value={"a": 1}),)),
            "policies.metadata_filters.0.conditions.0.value",
            "needs text, a number, true or false",
        ),
        (
            make(profile_mappings=(mapping(), mapping(B))),
            "policies.profile_mappings.1.source_field",
            "given twice",
        ),
        (
            make(account_mappings=(mapping(), mapping(A, "other"))),
            "policies.account_mappings.1.mapping_id",
            "given twice",
        ),
        (
            make(profile_rulesets=(fit(), fit(B, rule_ids=()))),
            "policies.profile_rulesets.1.name",
            "given twice",
        ),
        (
            make(profile_rulesets=(fit(rule_ids=(A, A)),)),
            "policies.profile_rulesets.0.rules.1.rule_id",
            "given twice",
        ),
        (
            make(account_rulesets=(fit(is_primary=True), fit(B, "Y", "gt", (B,), is_primary=True))),
            "policies.account_rulesets.1.is_primary",
            "only one is primary",
        ),
        (
            make(account_rulesets=(fit(operator="resembles"),)),
            "policies.account_rulesets.0.rules.0.test.operator",
            "unknown operator",
        ),
        (
            make(event_types={"DECAY": EventTypePolicy(hidden=True)}),
            "policies.event_types.DECAY",
            "leave it out",
        ),
    ],
)
def test_a_problem_is_found_and_named_by_its_field(config, field, problem):
    [(found, words)] = find_problems(config).items()

    assert found == field
    assert problem in words


def test_levels_of_two_kinds_may_share_scores_and_a_name():
    other = level(B, kind=LevelKind.PROFILE)

    assert find_problems(make(levels=(level(), other))) == {}


def test_all_that_is_wrong_is_named_at_once():
    config = make(
        Ruleset(A, "X", start_at=JULY, end_at=JUNE),
        levels=(level(high=0),),
        surge=custom(),
        metadata_filters=(bots(operator="resembles"),),
    )

    with pytest.raises(BadConfigError, match=r"config\.rulesets.*\(3 more in fields\)") as caught:
        check_config(config, prefix="config.")
    assert set(caught.value.fields) == {
        "config.rulesets.0.end_at",
        "config.levels.0.max_score",
        "config.policies.surge.bands",
        "config.policies.metadata_filters.0.conditions.0.operator",
    }


@given(whole_configs())
def test_a_configuration_that_people_can_make_has_no_problems(config):
    assert find_problems(config) == {}
