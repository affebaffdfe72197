"""Templates: whole, sensible rule sets that fold into any configuration without breaking it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadvibe.engine.policies import SYSTEM_TYPES, AttributeRuleset
from leadvibe.engine.rules import Config, LevelKind, Rule, Ruleset
from leadvibe.lib.ids import new_id
from leadvibe.scoring.changes import changes_between
from leadvibe.scoring.checks import find_problems
from leadvibe.scoring.templates import TEMPLATES, apply_template, find_template
from tests.scoring.strategies import whole_configs

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = datetime(2026, 4, 1, tzinfo=UTC)
each_template = pytest.mark.parametrize("template", TEMPLATES, ids=lambda it: it.key)


@each_template
def test_a_template_makes_a_whole_configuration_of_nothing(template):
    config = apply_template(Config(version=1), template, now=NOW)

    primary = config.find_primary()
    assert find_problems(config) == {}
    assert primary is not None
    assert [rule.event_type for rule in primary.rules] == [it.event_type for it in template.rules]
    assert config.policies.decays
    for kind in template.levels:
        levels = config.levels_of(kind)
        assert levels[0].min_score == 0
        assert levels[-1].max_score is None


@given(config=whole_configs(), template=st.sampled_from(TEMPLATES))
def test_a_template_breaks_no_configuration_and_twice_is_once(config, template):
    once = apply_template(config, template, now=NOW)
    twice = apply_template(once, template, now=LATER)

    assert find_problems(once) == {}
    assert changes_between(once, twice) == []


@given(config=whole_configs(), template=st.sampled_from(TEMPLATES))
def test_rules_that_a_template_does_not_name_stay(config, template):
    named = {it.event_type for it in template.rules}
    kept = [
        (ruleset.ruleset_id, rule)
        for ruleset in config.rulesets
        for rule in ruleset.rules
        if not ruleset.is_primary or rule.event_type not in named
    ]

    after = {it.ruleset_id: it for it in apply_template(config, template, now=NOW).rulesets}

    assert all(rule in after[ruleset_id].rules for ruleset_id, rule in kept)


def test_a_rule_keeps_its_id_and_takes_the_templates_points():
    rule = Rule(new_id(), "demo_request", 3, active=False)
    config = Config(1, (Ruleset(new_id(), "Mine", is_primary=True, rules=(rule,)),))

    applied = apply_template(config, TEMPLATES[0], now=NOW)

    assert applied.rulesets[0].name == "Mine"
    assert applied.rulesets[0].rules[0] == replace(rule, weight=40, active=True)


def test_a_new_ruleset_does_not_take_a_name_that_is_taken():
    config = Config(1, (Ruleset(new_id(), "Engagement"),))

    applied = apply_template(config, TEMPLATES[0], now=NOW)

    assert [(it.name, it.is_primary) for it in applied.rulesets] == [
        ("Engagement", False),
        ("Engagement 2", True),
    ]


def test_rules_about_leads_join_the_primary_ruleset():
    fit = AttributeRuleset(new_id(), "Who they are", enabled=False, is_primary=True)
    config = Config(1)
    config = replace(config, policies=replace(config.policies, profile_rulesets=(fit,)))

    [filled] = apply_template(config, TEMPLATES[0], now=NOW).policies.profile_rulesets

    assert (filled.ruleset_id, filled.name, filled.enabled) == (fit.ruleset_id, fit.name, True)
    assert [rule.weight for rule in filled.rules] == [it.weight for it in TEMPLATES[0].fit]


@each_template
def test_one_strong_sign_counts_more_than_a_day_of_browsing(template):
    weights = [it.weight for it in template.rules]
    strongest = max(weights)
    engaged = template.levels[LevelKind.ENGAGEMENT][1].min_score

    assert strongest >= engaged, "the strongest sign alone should leave the lowest level"
    assert strongest < template.levels[LevelKind.ENGAGEMENT][-1].min_score
    assert min(weights) < 0
    assert not SYSTEM_TYPES & {it.event_type for it in template.rules}
    assert all(it.reason for it in template.rules)


def test_templates_are_found_by_their_keys():
    assert [find_template(it.key) for it in TEMPLATES] == list(TEMPLATES)
    assert find_template("none") is None
