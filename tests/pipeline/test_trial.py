"""A rule tried on one lead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from leadvibe.engine.conditions import Condition, parse_operator
from leadvibe.identity.types import Scope
from leadvibe.leads import service as leads
from leadvibe.leads.queries import get_lead
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.lib.errors import InvalidError
from leadvibe.pipeline import process
from leadvibe.pipeline.trial import TriedRule, try_rule
from leadvibe.scoring import lead_scores
from leadvibe.scoring import queries as scoring_queries
from leadvibe.scoring import service as scoring
from tests.factories import (
    make_event,
    make_principal,
    make_rule,
    make_scope,
    make_velocity_filter,
    send,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def scope(app) -> Scope:
    """Return a unit with a lead of three visits and a refusal, between which rules changed."""
    scope = make_scope()
    make_rule(scope, "spam", -8)
    receive(scope, visit(0, plan="pro"), visit(1, plan="free"))
    make_rule(scope, "page_view", 5)
    receive(scope, make_event("spam", lead_id="ana", timestamp=at(2)), visit(3, plan="pro"))
    return scope


def at(hour: float) -> datetime:
    return NOON + timedelta(hours=hour)


def visit(hour: float, **metadata):
    return make_event(lead_id="ana", timestamp=at(hour), metadata=metadata)


def receive(scope: Scope, *events) -> None:
    send(scope, *events)
    commit()
    process.drain(scope)


def attempt(scope: Scope, event_type: str, weight: int, *conditions):
    tests = tuple(Condition(key, parse_operator(word), value) for key, word, value in conditions)
    return try_rule(scope, get_lead(scope, "ana"), TriedRule(event_type, weight, tests))


def test_the_score_is_what_it_would_be_had_the_rule_always_been_there(scope):
    # 10, 20, then 8 less, then 10 more; the floor and the order count.
    found = attempt(scope, "page_view", 10)

    assert (found.matches, found.current_score, found.projected_score) == (True, 5, 22)
    assert found.matching_events == 3
    assert [(it.occurred_at, it.delta) for it in found.events] == [
        (at(3), 10), (at(1), 10), (at(0), 10),
    ]  # fmt: skip
    assert found.reason == (
        "3 of 3 page_view events match and count; the score would be 22 instead of 5."
    )


def test_a_rule_that_is_there_already_changes_nothing(scope):
    found = attempt(scope, "spam", -8)

    assert (found.matching_events, found.current_score, found.projected_score) == (1, 5, 5)
    assert found.reason.endswith("the score would stay at 5.")


def test_only_events_that_meet_all_conditions_score(scope):
    found = attempt(scope, "page_view", 10, ("plan", "equals", "PRO"))

    assert (found.matching_events, found.projected_score) == (2, 12)


def test_a_condition_may_be_about_the_lead(scope):
    leads.patch_metadata(scope, "ana", {"country": "DE", "plan": "none"}, now=utc_now())

    assert attempt(scope, "page_view", 1, ("country", "equals", "de")).matching_events == 3
    assert attempt(scope, "page_view", 1, ("plan", "equals", "none")).matching_events == 0


def test_conditions_that_nothing_meets_are_said_so(scope):
    found = attempt(scope, "page_view", 10, ("plan", "equals", "gold"))

    assert (found.matches, found.projected_score) == (False, 0)
    assert found.reason == "None of the 3 page_view events meets all conditions."


def test_a_type_that_the_lead_has_no_events_of_is_said_so(scope):
    found = attempt(scope, "demo", 10)

    assert (found.matches, found.projected_score, found.events) == (False, 5, ())
    assert found.reason == "The lead has no demo events."


def test_suppressed_events_match_without_counting(scope):
    make_velocity_filter(scope, 0, 60, event_type="email_open")
    receive(scope, *(make_event("email_open", lead_id="ana") for _ in range(2)))

    found = attempt(scope, "email_open", 10)

    assert (found.matches, found.suppressed_events, found.projected_score) == (False, 2, 5)
    assert "keep all of them from counting" in found.reason


def test_trying_stores_nothing_and_other_rules_stay(scope):
    before = lead_scores.list_entries(scope, "ana")

    attempt(scope, "page_view", 500)

    assert lead_scores.list_entries(scope, "ana") == before
    assert [rule.event_type for rule in scoring_queries.list_rules(scope)] == ["spam", "page_view"]


def test_without_any_ruleset_there_is_nothing_to_try_it_in(scope):
    primary = scoring_queries.find_primary(scope)
    scoring.delete_ruleset(make_principal(scope), scope, primary.ruleset_id, now=utc_now())

    with pytest.raises(InvalidError, match="no primary ruleset"):
        attempt(scope, "page_view", 10)
