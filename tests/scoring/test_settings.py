"""Scoring settings: the organisation's make a version in each of its units."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from leadvibe.identity import service as identity
from leadvibe.pipeline import setup
from leadvibe.scoring import queries
from leadvibe.scoring.settings import update_settings
from leadvibe.scoring.types import ScoringSettings
from tests.factories import make_organization, make_principal, make_scope

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def organization(app):
    return make_organization()


@pytest.fixture
def scope(organization):
    return make_scope(organization)


def change(scope, **wanted):
    update_settings(make_principal(scope), scope, wanted, now=NOW)


def last_summary(scope):
    return queries.get_config_version(scope, queries.current_version(scope)).summary


def test_nobody_having_chosen_the_settings_are_the_usual(scope):
    assert queries.get_settings(scope) == ScoringSettings(
        allow_negative_scores=False, abm_enabled=False, session_timeout_minutes=30
    )


def test_a_setting_of_the_organisation_makes_a_version_in_each_of_its_units(organization, scope):
    sibling, stranger = make_scope(organization), make_scope()
    before = queries.current_version(stranger)

    change(scope, allow_negative_scores=True)

    for unit in (scope, sibling):
        config = queries.get_config(unit, queries.current_version(unit))
        assert config.allow_negative_scores
        assert last_summary(unit) == "Scores may go below 0, in the whole organisation"
    assert queries.current_version(stranger) == before
    assert not queries.get_settings(stranger).allow_negative_scores


def test_a_setting_of_the_unit_leaves_its_siblings_alone(organization, scope):
    sibling = make_scope(organization)
    before = queries.current_version(sibling)

    change(scope, session_timeout_minutes=45)

    assert queries.read_config(scope).session_timeout_seconds == 45 * 60
    assert last_summary(scope) == "A session ends after 45 minutes without an event"
    assert queries.current_version(sibling) == before
    assert queries.get_settings(sibling).session_timeout_minutes == 30


def test_settings_changed_together_make_one_version(organization, scope):
    sibling = make_scope(organization)
    before = queries.current_version(scope)

    change(scope, abm_enabled=True, session_timeout_minutes=45)

    assert queries.current_version(scope) == before + 1
    assert last_summary(scope) == (
        "Accounts are scored, in the whole organisation;"
        " a session ends after 45 minutes without an event"
    )
    assert last_summary(sibling) == "Accounts are scored, in the whole organisation"


def test_settings_that_are_so_already_make_no_version(scope):
    before = queries.current_version(scope)

    change(scope, allow_negative_scores=False, session_timeout_minutes=30)

    assert queries.current_version(scope) == before


def test_a_setting_can_be_taken_back(scope):
    change(scope, abm_enabled=True)
    change(scope, abm_enabled=False)

    assert not queries.get_settings(scope).abm_enabled
    assert last_summary(scope) == "Accounts are not scored, in the whole organisation"


def test_a_unit_that_is_not_set_up_yet_begins_with_what_holds_then(organization, scope):
    bare = identity.create_unit(organization.org_id, name="Bare", now=NOW).scope

    change(scope, allow_negative_scores=True)
    assert queries.current_version(bare) == 0

    later = setup.create_unit(organization.org_id, name="Later", by="ana", now=NOW).scope
    assert queries.get_config(later, 1).allow_negative_scores
