"""Who has which of the scores that levels divide."""

from __future__ import annotations

from leadvibe.engine.policies import FieldTest
from leadvibe.engine.rules import LevelKind
from leadvibe.lib.clock import utc_now
from leadvibe.scoring import attributes
from leadvibe.scoring.distribution import read_distribution
from leadvibe.scoring.profiles import Side
from leadvibe.web.level_chart import draw


def test_engagement_scores_are_counted_without_asking_each_lead(world):
    world.score_leads(ann=80, bob=30, cem=30)

    assert read_distribution(world.scope, LevelKind.ENGAGEMENT) == {30: 2, 80: 1}


def test_who_meets_no_profile_rule_has_a_score_of_zero(world):
    now = utc_now()
    fields = {"name": "Fit", "enabled": True, "is_primary": True}
    ruleset = attributes.create_ruleset(world.principal, world.scope, Side.PROFILE, fields, now=now)
    attributes.create_rule(
        world.principal, world.scope, Side.PROFILE, ruleset.item_id,
        test=FieldTest("title", "equals", "CTO"), weight=40, order=0, now=now,
    )  # fmt: skip
    mapping = {
        "source_field": "title", "target_property": "title", "update_behavior": "always_latest",
    }  # fmt: skip
    attributes.create_mapping(world.principal, world.scope, Side.PROFILE, mapping, now=now)

    world.happen("form", "ann", title="CTO")
    world.happen("form", "bob")

    assert read_distribution(world.scope, LevelKind.PROFILE) == {0: 1, 40: 1}


def test_nobody_has_a_profile_score_without_a_primary_profile_ruleset(world):
    world.happen("form", "ann")

    assert read_distribution(world.scope, LevelKind.PROFILE) == {}
    assert read_distribution(world.scope, LevelKind.ACCOUNT) == {}


def test_everybody_is_in_some_bar_of_the_chart():
    distribution = {-30: 1, 0: 50, 10: 5, 5_000: 2, 1_000_000: 1}

    chart = draw(distribution, [], "leads")

    told = [int(bar.label.rsplit(": ", 1)[1].split()[0]) for bar in chart.bars]
    assert sum(told) == 59
    assert len(chart.bars) <= 80
