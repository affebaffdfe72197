"""Whom a trigger may fire for, by levels and attributes as they are now."""

from __future__ import annotations

import pytest

from leadvibe.engine.levels import UNCLASSIFIED, level_of
from leadvibe.engine.policies import FieldTest
from leadvibe.engine.rules import LevelKind
from leadvibe.engine.triggers import Filters
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.pipeline import editing, process
from leadvibe.scoring import queries as scoring
from leadvibe.scoring import settings
from leadvibe.triggers.filtering import passing
from tests.factories import make_event, make_principal, make_rule, make_scope, send

EVERYBODY = ["ana", "bo", "cy"]


@pytest.fixture
def scope(app):
    """Return a unit with Ana, who has 60 points and a plan, Bo with 5, and Cy with none."""
    scope = make_scope()
    make_rule(scope, "big", 60)
    make_rule(scope, "small", 5)
    for lead_id in EVERYBODY:
        editing.create_lead(
            scope,
            lead_id=lead_id,
            metadata={"plan": "Pro", "score": "mine"} if lead_id == "ana" else {},
            account_id=None,
            source="test",
            now=utc_now(),
        )
    send(
        scope,
        make_event("big", lead_id="ana", email="ana@acme.test"),
        make_event("small", lead_id="bo"),
    )
    commit()
    process.drain(scope)
    return scope


def who(scope, **filters):
    return sorted(passing(scope, Filters(**filters), EVERYBODY))


def by(key, operator, value=None):
    return {"attribute_tests": (FieldTest(key, operator, value),)}


def test_without_filters_all_pass_and_nothing_is_read(scope, statements):
    assert who(scope) == EVERYBODY
    assert statements == []


def test_levels_are_those_that_scores_have_now(scope):
    levels = scoring.list_levels(scope, LevelKind.ENGAGEMENT)
    high, low = level_of(levels, 60), level_of(levels, 5)

    assert high is not None
    assert low is not None
    assert who(scope, engagement_levels=(high.name,)) == ["ana"]
    assert who(scope, engagement_levels=(low.name, high.name)) == EVERYBODY
    assert who(scope, engagement_levels=("no such level",)) == []


def test_where_levels_leave_a_gap_a_lead_is_unclassified(scope):
    found = level_of(scoring.list_levels(scope, LevelKind.PROFILE), 0)

    assert who(scope, profile_levels=(found.name if found else UNCLASSIFIED,)) == EVERYBODY


def test_who_has_no_account_has_no_account_level(scope):
    assert who(scope, account_levels=(UNCLASSIFIED,)) == []


def test_an_account_has_the_level_of_its_score(scope):
    settings.update_settings(make_principal(scope), scope, {"abm_enabled": True}, now=utc_now())
    send(scope, make_event("small", lead_id="cy", email="cy@globex.com"))
    commit()
    process.drain(scope)
    found = level_of(scoring.list_levels(scope, LevelKind.ACCOUNT), 0)

    assert "cy" in who(scope, account_levels=(found.name if found else UNCLASSIFIED,))


def test_attributes_are_those_of_the_metadata(scope):
    assert who(scope, **by("plan", "equals", "pro")) == ["ana"]
    assert who(scope, **by("plan", "not_exists")) == ["bo", "cy"]


@pytest.mark.parametrize(
    ("field", "operator", "value", "expected"),
    [
        ("score", "gte", 5, ["bo"]),
        ("score", "equals", "mine", ["ana"]),
        ("email", "ends_with", "@acme.test", ["ana"]),
        ("lead_id", "in", ["bo", "cy"], ["bo", "cy"]),
        ("owner_name", "not_exists", None, EVERYBODY),
    ],
)
def test_what_leadvibe_knows_itself_is_an_attribute_unless_metadata_has_it(
    scope, field, operator, value, expected
):
    assert who(scope, **by(field, operator, value)) == expected


def test_all_filters_must_let_a_lead_through(scope):
    plan = (FieldTest("plan", "equals", "pro"),)

    assert who(scope, profile_tests=plan, **by("lead_id", "equals", "ana")) == ["ana"]
    assert who(scope, profile_tests=plan, **by("lead_id", "equals", "bo")) == []


def test_any_number_of_leads_takes_as_few_statements(scope, statements):
    passing(scope, Filters(**by("email", "exists")), EVERYBODY)
    few = len(statements)
    statements.clear()

    passing(scope, Filters(**by("email", "exists")), [*EVERYBODY, *map(str, range(1_000))])

    assert len(statements) == few <= 3


def test_leads_of_another_unit_are_not_there(scope):
    assert who(make_scope(), **by("lead_id", "exists")) == []
