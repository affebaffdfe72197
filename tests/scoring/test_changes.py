"""What is different between two configurations, in words."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadvibe.engine.policies import (
    SURGE_GENTLE,
    SURGE_STANDARD,
    AttributeRule,
    AttributeRuleset,
    DecayRule,
    DecayUnit,
    EventTypePolicy,
    FieldMapping,
    FieldTest,
    MetadataFilter,
    Policies,
    Reach,
    UpdateBehavior,
    VelocityFilter,
)
from leadvibe.engine.rules import Config, Level, LevelKind, Rule, Ruleset
from leadvibe.scoring.changes import ChangeKind, changes_between
from tests.scoring.strategies import whole_configs

ID = UUID(int=1)
JUNE = datetime(2025, 6, 1, tzinfo=UTC)
RULE = Rule(ID, "demo_request", 50)
RULESET = Ruleset(ID, "Engagement", is_primary=True, rules=(RULE,))
HOT = Level(ID, LevelKind.ENGAGEMENT, "Hot", 50, 74)
DECAY = DecayRule(ID, 30, DecayUnit.DAYS, 25, JUNE)
VELOCITY = VelocityFilter(ID, "email_open", 5, 10_000, group_events=True)
BOTS = MetadataFilter(ID, "Bots", "", (FieldTest("agent", "contains", "bot"),))
MAPPING = FieldMapping(ID, "company.size", "size", UpdateBehavior.SET_ONCE)
FIT = AttributeRuleset(ID, "Fit", rules=(AttributeRule(ID, FieldTest("size", "gt", 50), 20),))


def make(*rulesets, levels=(), allow_negative_scores=False, timeout=1800, **policies) -> Config:
    return Config(1, rulesets, levels, allow_negative_scores, timeout, Policies(**policies))


def sentences(before: Config, after: Config) -> list[str]:
    return [change.sentence for change in changes_between(before, after)]


def with_rule(**changes) -> Config:
    return make(replace(RULESET, rules=(replace(RULE, **changes),)))


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (
            with_rule(),
            with_rule(weight=80),
            "Rule demo_request in Engagement: +80 points instead of +50 points",
        ),
        (
            with_rule(),
            with_rule(weight=-5, active=False),
            (
                "Rule demo_request in Engagement: \N{MINUS SIGN}5 points instead of +50 points,"
                " paused instead of active"
            ),
        ),
        (
            with_rule(),
            with_rule(start_at=JUNE),
            "Rule demo_request in Engagement: from 1 Jun 2025 instead of none",
        ),
        (
            make(replace(RULESET, rules=())),
            make(RULESET),
            "Added rule demo_request in Engagement: +50 points",
        ),
        (
            make(RULESET),
            make(replace(RULESET, rules=())),
            "Removed rule demo_request in Engagement (+50 points)",
        ),
        (make(), make(replace(RULESET, rules=())), "Added ruleset Engagement: primary"),
        (
            make(RULESET),
            make(replace(RULESET, name="Marketing")),
            "Ruleset Engagement: name Marketing instead of Engagement",
        ),
        (make(), make(levels=(HOT,)), "Added engagement level Hot: scores 50 to 74"),
        (
            make(levels=(HOT,)),
            make(levels=(replace(HOT, max_score=None),)),
            "Engagement level Hot: scores 50 and more instead of 50 to 74",
        ),
        (make(), make(decays=(DECAY,)), "Added decay after 30 days: 25 points less"),
        (
            make(decays=(DECAY,)),
            make(decays=(replace(DECAY, inactive_for=1, unit=DecayUnit.WEEKS),)),
            "Decay after 30 days: after 1 week instead of 30 days",
        ),
        (
            make(),
            make(velocity_filters=(VELOCITY,)),
            "Added filter for email_open: at most 5 within 10 s, keeps the first of a burst",
        ),
        (
            make(metadata_filters=(BOTS,)),
            make(metadata_filters=(replace(BOTS, enabled=False),)),
            "Metadata filter Bots: off instead of on",
        ),
        (
            make(),
            make(metadata_filters=(BOTS,)),
            "Added metadata filter Bots: events any, where agent contains bot",
        ),
        (
            make(profile_mappings=(MAPPING,)),
            make(),
            "Removed profile mapping company.size to size (behaviour set once)",
        ),
        (
            make(account_rulesets=(FIT,)),
            make(account_rulesets=(replace(FIT, rules=()),)),
            "Removed account rule size is more than 50 in Fit (+20 points)",
        ),
        (
            make(),
            make(event_types={"ping": EventTypePolicy(hidden=True, reach=Reach.OBSERVE)}),
            "Event type ping: hidden instead of shown, processing observe instead of activate",
        ),
        (
            make(),
            make(allow_negative_scores=True),
            "Setting negative scores: allowed instead of not allowed",
        ),
        (make(), make(timeout=2700), "Setting session time-out: 2700 s instead of 1800 s"),
        (make(), make(abm_enabled=True), "Setting account scoring: on instead of off"),
    ],
)
def test_a_change_is_told_in_a_plain_sentence(before, after, sentence):
    assert sentences(before, after) == [sentence]


def test_a_change_of_surge_tells_all_that_the_mode_brings():
    [change] = changes_between(make(surge=SURGE_STANDARD), make(surge=SURGE_GENTLE))

    assert change.kind is ChangeKind.SURGE_POLICY
    assert change.sentence.startswith("Session surge: gentle instead of standard, bands 1x from")
    assert change.after.endswith("cap 1.5x")


def test_a_change_says_what_it_is_about_and_how_it_was_and_is():
    [change] = changes_between(with_rule(), with_rule(weight=80))

    assert (change.kind, change.name) == (ChangeKind.RULE, "demo_request in Engagement")
    assert (change.before, change.after) == ("+50 points", "+80 points")


def test_what_is_new_has_no_before_and_what_is_gone_no_after():
    [added] = changes_between(make(), make(levels=(HOT,)))
    [removed] = changes_between(make(levels=(HOT,)), make())

    assert (added.before, added.after) == (None, "scores 50 to 74")
    assert (removed.before, removed.after) == ("scores 50 to 74", None)


def test_a_number_and_the_text_that_spells_it_are_different_values():
    texts, numbers = (
        make(metadata_filters=(replace(BOTS, conditions=(FieldTest("n", "equals", value),)),))
        for value in ("5", 5)
    )

    assert sentences(texts, numbers) == [
        'Metadata filter Bots: where n equals 5 instead of n equals "5"'
    ]


def test_what_somebody_said_anew_in_other_words_is_no_change():
    said = make(event_types={"ping": EventTypePolicy()})

    assert changes_between(make(), said) == []


@given(whole_configs(), whole_configs())
def test_there_are_no_changes_exactly_when_both_mean_the_same(before, after):
    assert (changes_between(before, after) == []) == (written(before) == written(after))


@given(whole_configs(), st.randoms(use_true_random=False))
def test_order_and_number_make_no_difference(config, random):
    def shuffled(items):
        return tuple(random.sample(items, len(items)))

    rulesets = tuple(replace(it, rules=shuffled(it.rules)) for it in shuffled(config.rulesets))
    other = replace(config, version=9, rulesets=rulesets, levels=shuffled(config.levels))

    assert changes_between(config, other) == []


@given(whole_configs(), whole_configs())
def test_going_back_changes_the_same_things(before, after):
    there, back = changes_between(before, after), changes_between(after, before)

    assert sorted((it.kind, it.before or "", it.after or "") for it in there) == sorted(
        (it.kind, it.after or "", it.before or "") for it in back
    )


def written(config: Config) -> str:
    """Return the configuration as text, without number and order."""
    return json.dumps(ordered(replace(config, version=0).to_json()), sort_keys=True)


def ordered(value):
    if isinstance(value, dict):
        return {key: ordered(each) for key, each in value.items() if key != "conditions"} | {
            key: each for key, each in value.items() if key == "conditions"
        }
    if isinstance(value, list):
        return sorted(map(ordered, value), key=json.dumps)
    return value
