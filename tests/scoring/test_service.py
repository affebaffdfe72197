"""Changing what steers scoring: every change is a version, and none rewrites history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from leadvibe.identity.types import OrgRole, Principal, Via
from leadvibe.lib.clock import utc_now
from leadvibe.lib.ids import new_id
from leadvibe.pipeline import setup
from leadvibe.scoring import queries, service
from leadvibe.scoring.errors import (
    BadWindowError,
    RuleExistsError,
    RuleNotFoundError,
    RulesetExistsError,
    RulesetNotFoundError,
)
from tests.factories import make_organization

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def unit(app):
    return setup.create_unit(make_organization().org_id, name="Sales", by="ana", now=NOW)


@pytest.fixture
def scope(unit):
    return unit.scope


@pytest.fixture
def ana(unit):
    return Principal(
        org_id=unit.org_id,
        via=Via.SESSION,
        org_role=OrgRole.ADMIN,
        unit_id=unit.unit_id,
        label="ana@acme.test",
    )


def add_rule(ana, scope, event_type="demo_request", weight=50, **fields):
    ruleset = queries.find_primary(scope)
    fields = {"event_type": event_type, "weight": weight, **fields}
    return service.create_rule(ana, scope, ruleset.ruleset_id, fields, now=NOW)


def test_a_new_unit_has_levels_a_primary_ruleset_and_a_first_version(scope):
    levels = [
        (level.name, level.min_score, level.max_score) for level in queries.list_levels(scope)
    ]

    assert levels == [("Cold", 0, 24), ("Warm", 25, 49), ("Hot", 50, 74), ("Very Hot", 75, None)]
    assert queries.find_primary(scope).name == "Engagement"
    assert queries.current_version(scope) == 1


def test_every_change_makes_a_version_that_says_what_changed_and_who_did_it(ana, scope):
    rule = add_rule(ana, scope)
    service.update_rule(ana, scope, rule.rule_id, {"weight": 80}, now=NOW)
    service.update_rule(ana, scope, rule.rule_id, {"active": False}, now=NOW)
    service.delete_rule(ana, scope, rule.rule_id, now=NOW)

    versions = [queries.get_config_version(scope, number) for number in range(1, 6)]

    assert [version.summary for version in versions] == [
        "Set up the unit",
        "Engagement: demo_request is worth +50",
        "Engagement: demo_request is worth +80 instead of +50",
        "Engagement: demo_request is paused",
        "Engagement: demo_request gives no points any more",
    ]
    assert {version.created_by for version in versions[1:]} == {"ana@acme.test"}


def test_a_version_is_a_snapshot_that_later_changes_do_not_touch(ana, scope):
    rule = add_rule(ana, scope)
    before = queries.current_version(scope)
    service.update_rule(ana, scope, rule.rule_id, {"weight": 1}, now=NOW)

    old = queries.get_config(scope, before)
    current = queries.get_config(scope, queries.current_version(scope))

    assert [it.weight for it in old.rulesets[0].rules] == [50]
    assert [it.weight for it in current.rulesets[0].rules] == [1]


def test_an_event_type_is_scored_once_in_a_ruleset_but_in_several_rulesets(ana, scope):
    add_rule(ana, scope)
    other = service.create_ruleset(ana, scope, {"name": "Other"}, now=NOW)
    fields = {"event_type": "demo_request", "weight": 5}
    service.create_rule(ana, scope, other.ruleset_id, fields, now=NOW)

    with pytest.raises(RuleExistsError, match="Change that rule instead"):
        add_rule(ana, scope)
    moved, changes = add_rule(ana, scope, "page_view"), {"event_type": "demo_request"}
    with pytest.raises(RuleExistsError):
        service.update_rule(ana, scope, moved.rule_id, changes, now=NOW)


def test_a_ruleset_name_is_taken_once(ana, scope):
    with pytest.raises(RulesetExistsError):
        service.create_ruleset(ana, scope, {"name": "Engagement"}, now=NOW)


def test_a_window_must_not_end_before_it_starts(ana, scope):
    with pytest.raises(BadWindowError) as caught:
        add_rule(ana, scope, start_at=NOW, end_at=NOW - timedelta(days=1))

    assert caught.value.fields == {"end_at": "is not after start_at"}


def test_a_new_primary_takes_the_place_of_the_old_one(ana, scope):
    made = service.create_ruleset(ana, scope, {"name": "New", "is_primary": True}, now=NOW)

    primaries = [it.ruleset_id for it in queries.list_rulesets(scope) if it.is_primary]

    assert primaries == [made.ruleset_id]


def test_deleting_a_ruleset_deletes_its_rules(ana, scope):
    rule = add_rule(ana, scope)
    service.delete_ruleset(ana, scope, rule.ruleset_id, now=NOW)

    assert queries.list_rules(scope) == []
    with pytest.raises(RulesetNotFoundError):
        queries.get_ruleset(scope, rule.ruleset_id)


def test_what_another_unit_has_is_not_there(ana, scope):
    rule = add_rule(ana, scope)
    elsewhere = setup.create_unit(scope.org_id, name="Other", by="ana", now=NOW).scope

    with pytest.raises(RuleNotFoundError):
        queries.get_rule(elsewhere, rule.rule_id)
    with pytest.raises(RuleNotFoundError):
        service.delete_rule(ana, elsewhere, rule.rule_id, now=NOW)
    with pytest.raises(RulesetNotFoundError):
        service.create_rule(
            ana, elsewhere, rule.ruleset_id, {"event_type": "x", "weight": 1}, now=NOW
        )
    with pytest.raises(RuleNotFoundError):
        queries.get_rule(scope, new_id())


def test_the_defaults_of_a_unit_are_installed_once(app):
    organization = setup.ensure_organization("Twice", by="ana", now=utc_now())
    again = setup.ensure_organization("Twice", by="ana", now=utc_now())

    assert again == organization
    rulesets = queries.list_rulesets(setup.default_scope(organization.org_id))
    assert [it.name for it in rulesets] == ["Engagement"]
