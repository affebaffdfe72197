"""What scoring all profiles anew would change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from leadvibe.engine.policies import FieldTest
from leadvibe.engine.rules import Config
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.pipeline import editing
from leadvibe.rescoring.types import PreviewKind
from leadvibe.scoring import attributes, profiles
from leadvibe.scoring.profiles import Side
from tests.factories import make_principal, make_scope
from tests.pipeline.describing import Describing
from tests.rescoring.walks import affected, checksums, current_config, preview, rescore

PEOPLE = {
    "ana": {"country": "DE", "seats": 500},
    "bo": {"country": "FR", "seats": 20},
    "cy": {"country": "DE"},
}


@pytest.fixture
def unit(app) -> Describing:
    """Return a unit with a primary profile ruleset of two rules, and three leads."""
    unit = Describing(make_scope())
    ruleset_id = unit.add_set()
    unit.add_rule(ruleset_id, "country", "equals", "DE", weight=30)
    unit.add_rule(ruleset_id, "seats", "gte", 100, weight=25)
    for lead_id, metadata in PEOPLE.items():
        editing.create_lead(
            unit.scope, lead_id=lead_id, metadata=metadata, account_id=None, source="test",
            now=utc_now(),
        )  # fmt: skip
    commit()
    return unit


def scores(unit: Describing) -> dict[str, int]:
    found = profiles.list_scores(unit.scope, Side.PROFILE, list(PEOPLE))
    return {lead_id: sum(found.get(lead_id, {}).values()) for lead_id in PEOPLE}


def with_rules(config: Config, **weights: int) -> Config:
    """Return a configuration whose one profile ruleset asks whether these properties exist."""
    [ruleset] = config.policies.profile_rulesets
    rules = tuple(
        replace(ruleset.rules[0], test=FieldTest(key, "exists"), weight=weight)
        for key, weight in weights.items()
    )
    changed = replace(ruleset, rules=rules)
    return replace(config, policies=replace(config.policies, profile_rulesets=(changed,)))


def test_a_profile_preview_says_lead_by_lead_what_would_change(unit):
    assert scores(unit) == {"ana": 55, "bo": 0, "cy": 30}

    found = preview(unit.scope, with_rules(current_config(unit.scope), seats=40),
                    kind=PreviewKind.PROFILE)  # fmt: skip

    assert {it.lead_id: (it.old_score, it.new_score) for it in affected(unit.scope, found)} == {
        "bo": (0, 40), "cy": (30, 0), "ana": (55, 40),
    }  # fmt: skip
    moved = found.findings.movement
    assert (moved.increases, moved.decreases, moved.total) == (1, 2, -5)
    assert found.findings.new_levels == {"Okay Fit": 2, "Poor Fit": 1}
    [of_set] = found.findings.rulesets.values()
    assert of_set == moved


def test_a_profile_preview_writes_nothing_but_its_own_result(unit):
    mine = frozenset({"scoring_previews", "scoring_preview_leads"})
    before = checksums(but=mine)

    preview(unit.scope, with_rules(current_config(unit.scope), seats=40), kind=PreviewKind.PROFILE)

    assert checksums(but=mine) == before


def test_rules_that_were_deleted_keep_what_they_gave_until_a_rescore(unit):
    [ruleset] = current_config(unit.scope).policies.profile_rulesets
    for rule in ruleset.rules:
        attributes.delete_rule(
            make_principal(unit.scope), unit.scope, Side.PROFILE, rule.rule_id,
            ruleset_id=ruleset.ruleset_id, now=utc_now(),
        )  # fmt: skip
    commit()
    unit.rescore()
    assert scores(unit) == {"ana": 55, "bo": 0, "cy": 30}

    found = preview(unit.scope, kind=PreviewKind.PROFILE)
    rescore(unit.scope)
    unit.rescore()

    assert {it.lead_id: it.new_score for it in affected(unit.scope, found)} == {"ana": 0, "cy": 0}
    assert scores(unit) == {"ana": 0, "bo": 0, "cy": 0}


def test_a_disabled_ruleset_keeps_its_scores(unit):
    config = current_config(unit.scope)
    [ruleset] = config.policies.profile_rulesets
    frozen = replace(ruleset, enabled=False, rules=())
    policies = replace(config.policies, profile_rulesets=(frozen,))

    found = preview(unit.scope, replace(config, policies=policies), kind=PreviewKind.PROFILE)

    assert (found.findings.leads, found.findings.affected) == (3, 0)
