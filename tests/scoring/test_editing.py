"""Editing a configuration thing by thing, and bringing two people's edits together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from leadvibe.engine.policies import AttributeRule, AttributeRuleset, FieldTest
from leadvibe.engine.rules import Config, LevelKind, Rule, Ruleset
from leadvibe.lib.ids import new_id
from leadvibe.scoring import editing
from leadvibe.scoring.changes import changes_between
from leadvibe.scoring.errors import (
    BadConfigError,
    DraftItemChangedError,
    RuleExistsError,
    RuleNotFoundError,
    RulesetExistsError,
    RulesetNotFoundError,
)
from leadvibe.scoring.merging import merge_configs
from tests.scoring.strategies import whole_configs

ENGAGEMENT, PROFILE, ACCOUNT = LevelKind.ENGAGEMENT, LevelKind.PROFILE, LevelKind.ACCOUNT
VIEW, LOGIN = Rule(new_id(), "page_view", 1), Rule(new_id(), "login", 2)
MAIN = Ruleset(new_id(), "Main", is_primary=True, rules=(VIEW, LOGIN))
OTHER = Ruleset(new_id(), "Other")
BASE = Config(1, (MAIN, OTHER))


def weights(config: Config) -> dict[str, int]:
    return {rule.event_type: rule.weight for it in config.rulesets for rule in it.rules}


def set_weight(config: Config, rule: Rule, weight: int) -> Config:
    return editing.change_rule(config, ENGAGEMENT, rule.rule_id, {"weight": weight})


@pytest.mark.parametrize("kind", [PROFILE, ACCOUNT])
def test_rules_about_properties_are_edited_like_those_about_events(kind):
    rule = AttributeRule(new_id(), FieldTest("country", "equals", "DE"), 10)
    ruleset = AttributeRuleset(new_id(), "Fit")
    config = editing.add_ruleset(BASE, kind, ruleset)
    config = editing.add_rule(config, kind, ruleset.ruleset_id, rule)
    config = editing.change_rule(config, kind, rule.rule_id, {"weight": 20})
    config = editing.change_ruleset(config, kind, ruleset.ruleset_id, {"enabled": False})

    [changed] = editing.rulesets_of(config, kind)
    assert changed == replace(ruleset, enabled=False, rules=(replace(rule, weight=20),))
    assert config.rulesets == BASE.rulesets
    config = editing.remove_rule(config, kind, rule.rule_id)
    config = editing.remove_ruleset(config, kind, ruleset.ruleset_id)
    assert config == BASE


def test_a_rule_that_means_nothing_is_refused():
    config = editing.add_ruleset(BASE, PROFILE, AttributeRuleset(new_id(), "Fit"))
    [fit] = editing.rulesets_of(config, PROFILE)
    rule = AttributeRule(new_id(), FieldTest("country", "resembles", "DE"), 10)

    with pytest.raises(BadConfigError, match="unknown operator"):
        editing.add_rule(config, PROFILE, fit.ruleset_id, rule)


def test_an_event_type_is_scored_once_in_a_ruleset():
    with pytest.raises(RuleExistsError, match="Main scores 'login' already"):
        editing.add_rule(BASE, ENGAGEMENT, MAIN.ruleset_id, Rule(new_id(), "login", 3))
    with pytest.raises(RuleExistsError):
        editing.change_rule(BASE, ENGAGEMENT, VIEW.rule_id, {"event_type": "login"})

    elsewhere = editing.add_rule(BASE, ENGAGEMENT, OTHER.ruleset_id, Rule(new_id(), "login", 3))

    assert len(elsewhere.rulesets[1].rules) == 1


def test_a_new_primary_takes_the_place_of_the_old():
    config = editing.change_ruleset(BASE, ENGAGEMENT, OTHER.ruleset_id, {"is_primary": True})

    assert [it.is_primary for it in config.rulesets] == [False, True]


def test_names_are_unique_and_what_is_gone_is_not_found():
    with pytest.raises(RulesetExistsError):
        editing.change_ruleset(BASE, ENGAGEMENT, OTHER.ruleset_id, {"name": "Main"})
    with pytest.raises(RulesetNotFoundError):
        editing.remove_ruleset(BASE, ENGAGEMENT, new_id())
    with pytest.raises(RuleNotFoundError):
        editing.remove_rule(BASE, PROFILE, VIEW.rule_id)


def test_who_saw_an_older_state_replaces_nothing_unseen():
    seen = editing.state_of(VIEW)
    theirs = set_weight(BASE, VIEW, 5)

    with pytest.raises(DraftItemChangedError, match="Nothing of yours is saved yet"):
        editing.change_rule(theirs, ENGAGEMENT, VIEW.rule_id, {"weight": 7}, state=seen)
    same = editing.change_rule(theirs, ENGAGEMENT, VIEW.rule_id, {"weight": 5}, state=seen)
    other = editing.change_rule(
        theirs, ENGAGEMENT, LOGIN.rule_id, {"weight": 9}, state=editing.state_of(LOGIN)
    )

    assert same == theirs
    assert weights(other) == {"page_view": 5, "login": 9}


def test_a_ruleset_is_in_the_same_state_whatever_its_rules():
    assert editing.state_of(MAIN) == editing.state_of(replace(MAIN, rules=()))
    assert editing.state_of(MAIN) != editing.state_of(replace(MAIN, active=False))


def test_changes_of_two_people_come_together():
    theirs = set_weight(replace(BASE, version=2), VIEW, 5)
    mine = set_weight(BASE, LOGIN, 9)

    merged = merge_configs(BASE, theirs, mine)

    assert merged.version == 2
    assert weights(merged) == {"page_view": 5, "login": 9}


def test_where_both_changed_the_same_the_draft_is_kept():
    theirs, mine = set_weight(BASE, VIEW, 5), set_weight(BASE, VIEW, 7)
    added = Rule(new_id(), "demo", 10)
    theirs = editing.add_rule(theirs, ENGAGEMENT, MAIN.ruleset_id, Rule(new_id(), "demo", 20))
    mine = editing.add_rule(mine, ENGAGEMENT, MAIN.ruleset_id, added)

    merged = merge_configs(BASE, theirs, mine)

    assert weights(merged) == {"page_view": 7, "login": 2, "demo": 10}


def test_what_one_of_them_took_away_stays_away():
    theirs = editing.remove_rule(BASE, ENGAGEMENT, VIEW.rule_id)
    mine = editing.remove_ruleset(BASE, ENGAGEMENT, OTHER.ruleset_id)

    merged = merge_configs(BASE, theirs, mine)

    assert [(it.name, it.rules) for it in merged.rulesets] == [("Main", (LOGIN,))]


@given(base=whole_configs(), other=whole_configs())
def test_who_changed_nothing_gets_what_the_other_made(base, other):
    assert changes_between(merge_configs(base, other, base), other) == []
    assert changes_between(merge_configs(base, base, other), other) == []
