"""What scoring all accounts anew would change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from leadvibe.engine.policies import FieldTest
from leadvibe.engine.rules import Config
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.pipeline import editing
from leadvibe.rescoring.reasons import explain_moves
from leadvibe.rescoring.types import PreviewKind, kinds_affected
from leadvibe.scoring.profiles import Side
from tests.factories import make_scope
from tests.pipeline.describing import Describing
from tests.rescoring.walks import affected, checksums, current_config, preview


@pytest.fixture
def unit(app) -> Describing:
    """Return a unit with two accounts of three leads, one rule about accounts, and a third lead."""
    unit = Describing(make_scope())
    unit.enable_accounts()
    unit.map("plan", "plan", side=Side.ACCOUNT)
    unit.map("seats", "seats", side=Side.ACCOUNT)
    ruleset_id = unit.add_set(side=Side.ACCOUNT)
    unit.add_rule(ruleset_id, "plan", "equals", "pro", weight=30, side=Side.ACCOUNT)
    unit.happen("ana", account_id="acme", plan="pro", seats=50)
    unit.happen("bo", account_id="acme")
    unit.happen("cy", account_id="bolt", plan="free", seats=9, hours=1)
    editing.create_lead(
        unit.scope, lead_id="dan", metadata={}, account_id=None, source="test", now=utc_now()
    )
    commit()
    return unit


def with_rule(config: Config, key: str, *, weight: int) -> Config:
    """Return a configuration whose one account ruleset asks whether a property exists."""
    [ruleset] = config.policies.account_rulesets
    rule = replace(ruleset.rules[0], test=FieldTest(key, "exists"), weight=weight)
    changed = replace(ruleset, rules=(rule,))
    return replace(config, policies=replace(config.policies, account_rulesets=(changed,)))


def test_an_account_preview_says_account_by_account_what_would_change(unit):
    wanted = with_rule(current_config(unit.scope), "seats", weight=20)

    found = preview(unit.scope, wanted, kind=PreviewKind.ACCOUNT)

    assert {it.lead_id: (it.old_score, it.new_score) for it in affected(unit.scope, found)} == {
        "acme": (30, 20), "bolt": (0, 20),
    }  # fmt: skip
    moved = found.findings.movement
    assert (found.leads_total, found.findings.leads) == (2, 2)
    assert (moved.increases, moved.decreases, moved.total) == (1, 1, 10)
    [of_set] = found.findings.rulesets.values()
    assert of_set == moved


def test_an_account_preview_writes_nothing_but_its_own_result(unit):
    mine = frozenset({"scoring_previews", "scoring_preview_leads"})
    before = checksums(but=mine)

    preview(
        unit.scope,
        with_rule(current_config(unit.scope), "seats", weight=20),
        kind=PreviewKind.ACCOUNT,
    )

    assert checksums(but=mine) == before


def test_an_account_preview_names_the_rules_behind_a_move(unit):
    wanted = with_rule(current_config(unit.scope), "seats", weight=20)

    found = preview(unit.scope, wanted, kind=PreviewKind.ACCOUNT)

    [shift] = explain_moves(unit.scope, found, ["bolt"])["bolt"]
    assert (shift.subject, shift.before, shift.after) == (FieldTest("seats", "exists"), 0, 20)


def test_a_change_of_account_rules_is_previewed_as_one_of_account_scores(unit):
    config = current_config(unit.scope)

    assert kinds_affected(config, with_rule(config, "seats", weight=20)) == [PreviewKind.ACCOUNT]
