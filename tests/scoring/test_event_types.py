"""Event types: which a unit knows, and what is decided about them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from leadvibe.engine.policies import EventTypePolicy, Reach
from leadvibe.events import service as events
from leadvibe.events.errors import EventTypeNotFoundError
from leadvibe.scoring import event_types, queries, service
from leadvibe.scoring.errors import ProtectedEventTypeError
from leadvibe.scoring.types import KnownEventType
from tests.factories import make_principal, make_rule, make_ruleset, make_scope

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def scope(app):
    return make_scope(surges=True)


def see(scope, **counts):
    events.register_types(scope, counts, now=NOW)


def decide(scope, name, **choice):
    event_types.decide_event_type(make_principal(scope), scope, name, **choice, now=NOW)


def test_a_type_is_known_once_it_came_in_or_a_rule_names_it(scope):
    see(scope, rare=1, frequent=9)
    make_rule(scope, "planned")

    assert event_types.list_known_types(scope) == [
        KnownEventType("frequent", event_count=9),
        KnownEventType("rare", event_count=1),
        KnownEventType("planned", is_protected=True),
    ]


def test_types_of_active_rules_and_our_own_are_protected(scope):
    second = make_ruleset(scope, "Second")
    make_rule(scope, "scored")
    paused = make_rule(scope, "paused")
    make_rule(scope, "in a paused set", ruleset=second)
    ana = make_principal(scope)
    service.update_rule(ana, scope, paused.rule_id, {"active": False}, now=NOW)
    service.update_ruleset(ana, scope, second.ruleset_id, {"active": False}, now=NOW)

    protected = event_types.protected_types(scope)

    assert {"scored", "DECAY"} <= protected
    assert not {"paused", "in a paused set"} & protected


def test_a_decision_is_a_version_that_scoring_reads(scope):
    see(scope, ping=1)

    decide(scope, "ping", hidden=True)
    decide(scope, "ping", reach=Reach.OBSERVE)

    config = queries.get_config(scope, queries.current_version(scope))
    assert config.policies.event_types == {"ping": EventTypePolicy(True, Reach.OBSERVE)}
    summaries = [queries.get_config_version(scope, number).summary for number in (2, 3)]
    assert summaries == [
        "Event type ping is hidden and scores no more",
        "Event type ping may observe at most, instead of activate",
    ]


def test_deciding_what_is_so_already_makes_no_version(scope):
    see(scope, ping=1)

    decide(scope, "ping", hidden=False, reach=Reach.ACTIVATE)

    assert queries.current_version(scope) == 1


def test_a_type_that_only_a_rule_names_can_be_decided_about(scope):
    make_rule(scope, "planned")

    decide(scope, "planned", hidden=True)

    [known] = event_types.list_known_types(scope)
    assert (known.hidden, known.event_count) == (True, 0)


def test_an_unknown_type_and_one_of_another_unit_are_not_found(scope):
    see(make_scope(), elsewhere=1)

    for name in ("elsewhere", "never"):
        with pytest.raises(EventTypeNotFoundError):
            decide(scope, name, hidden=True)


def test_a_type_of_our_own_stays_as_it_is(scope):
    see(scope, DECAY=1)

    with pytest.raises(ProtectedEventTypeError, match="DECAY is Leadvibe's own"):
        decide(scope, "DECAY", hidden=True)
