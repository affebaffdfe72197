"""Scores by attributes, made anew when rules change."""

from __future__ import annotations

import threading

import pytest

from leadvibe.engine.policies import FieldTest
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver, held_lock
from leadvibe.pipeline import attributes as rescoring
from leadvibe.pipeline import editing, process
from leadvibe.scoring import attributes, profiles
from leadvibe.scoring.profiles import Side
from tests.factories import make_principal, make_scope
from tests.pipeline.describing import Describing

PEOPLE = ("ada", "bob", "eve")


@pytest.fixture
def unit(app) -> Describing:
    made = Describing(make_scope())
    for name in PEOPLE:
        make_lead(made, name, {"tier": "pro"})
    return made


def make_lead(unit: Describing, lead_id: str, metadata: dict) -> None:
    editing.create_lead(
        unit.scope,
        lead_id=lead_id,
        metadata=metadata,
        account_id=None,
        source="api",
        now=utc_now(),
    )
    commit()


def change(unit: Describing, what, *args, side: Side = Side.PROFILE, **kwargs) -> None:
    what(make_principal(unit.scope), unit.scope, side, *args, now=utc_now(), **kwargs)
    commit()


def scores(unit: Describing) -> list[dict]:
    return [unit.scores(name) for name in PEOPLE]


def test_a_new_rule_and_a_changed_one_score_everybody_anew(unit):
    fit = unit.add_set()
    rule = unit.add_rule(fit, "tier", "equals", "pro", weight=10)
    assert scores(unit) == [{fit: 10}] * 3

    change(unit, attributes.update_rule, rule, {"weight": 25}, ruleset_id=fit)
    assert scores(unit) == [{fit: 10}] * 3
    unit.rescore()

    assert scores(unit) == [{fit: 25}] * 3


def test_deleting_a_rule_or_a_set_leaves_its_scores(unit):
    fit = unit.add_set()
    rule = unit.add_rule(fit, "tier", "equals", "pro", weight=10)

    change(unit, attributes.delete_rule, rule, ruleset_id=fit)
    unit.rescore()
    assert scores(unit) == [{fit: 10}] * 3

    change(unit, attributes.delete_ruleset, fit)
    unit.rescore()
    editing.patch_lead(unit.scope, "ada", {"tier": "free"}, now=utc_now())
    assert scores(unit) == [{fit: 10}] * 3


def test_a_disabled_set_is_frozen_until_it_is_enabled_again(unit):
    fit = unit.add_set()
    unit.add_rule(fit, "tier", "equals", "pro", weight=10)
    change(unit, attributes.update_ruleset, fit, {"enabled": False})

    unit.add_rule(fit, "tier", "exists", weight=5)
    editing.patch_lead(unit.scope, "ada", {"tier": "free"}, now=utc_now())
    assert scores(unit) == [{fit: 10}] * 3

    change(unit, attributes.update_ruleset, fit, {"enabled": True})
    unit.rescore()
    assert scores(unit) == [{fit: 5}, {fit: 15}, {fit: 15}]


def test_one_set_is_scored_anew_and_the_others_are_not(unit):
    first, second = unit.add_set(), unit.add_set("Other", is_primary=False)
    rule = unit.add_rule(first, "tier", "equals", "pro", weight=10)
    change(unit, attributes.delete_rule, rule, ruleset_id=first)

    unit.add_rule(second, "tier", "equals", "pro", weight=1)

    assert scores(unit) == [{first: 10, second: 1}] * 3


def test_a_walk_goes_on_where_it_stopped(unit):
    fit = unit.add_set()
    unit.add_rule(fit, "tier", "equals", "pro", weight=10)
    profiles.erase_scores(unit.scope, Side.PROFILE, PEOPLE)
    change(unit, attributes.create_rule, fit, test=exists("tier"), weight=1, order=0)

    assert rescoring.rescore_some(unit.scope, now=utc_now(), limit=2)
    commit()
    assert scores(unit) == [{fit: 11}, {fit: 11}, {}]
    profiles.erase_scores(unit.scope, Side.PROFILE, PEOPLE)
    unit.rescore(limit=2)

    assert scores(unit) == [{}, {}, {fit: 11}]


def test_a_walk_begins_again_when_the_rules_change_meanwhile(unit):
    fit = unit.add_set()
    change(unit, attributes.create_rule, fit, test=exists("tier"), weight=1, order=0)
    rescoring.rescore_some(unit.scope, now=utc_now(), limit=2)
    commit()

    change(unit, attributes.create_rule, fit, test=exists("tier"), weight=2, order=0)
    unit.rescore(limit=2)

    assert scores(unit) == [{fit: 3}] * 3


def test_account_lists_show_the_score_of_the_primary_set(unit):
    unit.enable_accounts()
    unit.happen("ada", email="ada@acme.test")
    first = unit.add_set("First", side=Side.ACCOUNT)
    unit.add_rule(first, "size", "not_exists", weight=3, side=Side.ACCOUNT)
    second = unit.add_set("Second", side=Side.ACCOUNT, is_primary=False)
    unit.add_rule(second, "size", "not_exists", weight=9, side=Side.ACCOUNT)
    assert unit.account("acme.test").score == 3

    change(unit, attributes.update_ruleset, second, {"is_primary": True}, side=Side.ACCOUNT)
    unit.rescore()
    assert unit.account("acme.test").score == 9

    change(unit, attributes.update_ruleset, second, {"is_primary": False}, side=Side.ACCOUNT)
    unit.rescore()
    assert unit.account("acme.test").score == 0


def test_nothing_is_stale_when_nothing_says_more(unit):
    unit.add_set()
    unit.map("plan", "tier")

    assert profiles.next_rescore(unit.scope) is None
    assert unit.scope.unit_id not in profiles.units_with_stale_scores()


def test_two_workers_do_not_walk_the_same_unit(app, fresh_database):
    unit = Describing(make_scope())
    make_lead(unit, "ada", {"tier": "pro"})
    fit = unit.add_set()
    change(unit, attributes.create_rule, fit, test=exists("tier"), weight=1, order=0)

    with held_lock(rescoring.lock_key(unit.scope.unit_id)) as lock:
        assert lock is not None
        rescoring.advance_rescores(unit.scope, is_stopping=lambda: False)
        assert unit.scores("ada") == {}
    rescoring.advance_rescores(unit.scope, is_stopping=lambda: False)

    assert unit.scores("ada") == {fit: 1}
    assert profiles.next_rescore(unit.scope) is None


def test_batches_changes_by_hand_and_rule_changes_at_once_leave_the_right_scores(
    app, fresh_database
):
    """All of them touch one account and its leads; whoever comes last must see the others."""
    unit = Describing(make_scope())
    unit.enable_accounts()
    unit.map("plan", "tier")
    unit.map("size", "size", side=Side.ACCOUNT)
    fit = unit.add_set()
    of_accounts = unit.add_set(side=Side.ACCOUNT)
    failures: list[BaseException] = []

    def run(work) -> threading.Thread:
        def act() -> None:
            with app.app_context():
                try:
                    for number in range(12):
                        work(number)
                        commit()
                except BaseException as error:
                    failures.append(error)
                    raise

        thread = threading.Thread(target=act)
        thread.start()
        return thread

    def ingest(number: int) -> None:
        email = f"p{number}@acme.test"
        unit.happen(f"p{number}", hours=number, email=email, plan="pro", size=number)

    def patch(number: int) -> None:
        editing.create_lead(
            unit.scope,
            lead_id=f"h{number}",
            metadata={"tier": "pro"},
            account_id="acme.test",
            source="api",
            now=utc_now(),
        )

    def add_rules(number: int) -> None:
        if number % 4 == 0:
            change(unit, attributes.create_rule, fit, test=exists("tier"), weight=1, order=0)
            test, side = exists("size"), Side.ACCOUNT
            change(
                unit, attributes.create_rule, of_accounts, test=test, weight=2, order=0, side=side
            )
        rescoring.advance_rescores(unit.scope, is_stopping=lambda: False)

    for thread in [run(ingest), run(patch), run(add_rules)]:
        thread.join(timeout=60)
    process.drain(unit.scope)  # what came in while somebody else had the unit
    rescoring.advance_rescores(unit.scope, is_stopping=lambda: False)

    assert failures == []
    names = [f"{kind}{number}" for kind in "ph" for number in range(12)]
    assert [unit.scores(name) for name in names] == [{fit: 3}] * 24
    assert unit.account("acme.test").leads_count == 24
    assert unit.account("acme.test").score == 6
    assert unit.account("acme.test").metadata == {"size": 11}
    assert unit.wrong_roll_ups() == []
    waiting = driver().execute("SELECT count(*) FROM attribute_rescores").fetchone()
    assert waiting == (0,)


def exists(key: str) -> FieldTest:
    return FieldTest(key, "exists")


def test_a_walk_is_not_over_when_rules_change_at_its_last_step(unit):
    fit = unit.add_set()
    rule = unit.add_rule(fit, "tier", "equals", "pro", weight=10)
    change(unit, attributes.update_rule, rule, {"weight": 25}, ruleset_id=fit)
    walk = profiles.next_rescore(unit.scope)

    change(unit, attributes.update_rule, rule, {"weight": 30}, ruleset_id=fit)
    profiles.note_rescored(unit.scope, walk, after="eve")
    profiles.note_rescored(unit.scope, walk, after=None)
    commit()

    again = profiles.next_rescore(unit.scope)
    assert (again.ruleset_id, again.after) == (fit, "")
    unit.rescore()
    assert scores(unit) == [{fit: 30}] * 3
