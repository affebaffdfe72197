"""The session multiplier in the ledger, however the events came in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leadvibe.engine.policies import SURGE_GENTLE, SURGE_OFF, Reach
from leadvibe.identity.types import Scope
from leadvibe.lib.db import commit
from leadvibe.pipeline import process
from leadvibe.scoring import event_types
from tests.factories import (
    make_event,
    make_principal,
    make_rule,
    make_scope,
    make_velocity_filter,
    set_surge,
)

from .conftest import NOON
from .stored import discrepancies, get_lead, list_ledger, receive, rescore_all


@pytest.fixture
def scope(app, clock) -> Scope:
    """Return a unit with standard surge, where a page view is worth 10; it is three o'clock."""
    scope = make_scope(surges=True)
    make_rule(scope, "page_view", 10)
    clock.forward(hours=3)
    return scope


def view(minute: float, event_type="page_view", **metadata):
    at = NOON + timedelta(minutes=minute)
    return make_event(event_type, lead_id="ana", timestamp=at, metadata=metadata)


def views(*minutes: float):
    return [view(minute) for minute in minutes]


def percents(scope):
    return [entry.multiplier_percent for entry in list_ledger(scope, "ana")]


@pytest.mark.parametrize("limit", [1, 3, process.BATCH_SIZE])
def test_a_run_of_events_is_multiplied_by_the_standard_of_a_new_unit(scope, limit):
    receive(scope, *views(0, 1, 2, 3, 4, 5), limit=limit)

    assert percents(scope) == [100, 100, 125, 125, 150, 150]
    assert [entry.delta for entry in list_ledger(scope, "ana")] == [10, 10, 13, 13, 15, 15]
    assert discrepancies(scope) == []


def test_a_gap_longer_than_the_idle_reset_starts_the_run_again(scope):
    receive(scope, *views(0, 1, 31, 62), limit=1)

    assert percents(scope) == [100, 100, 125, 100]
    assert discrepancies(scope) == []


def test_a_late_event_raises_those_after_it(scope):
    receive(scope, *views(0, 2))

    receive(scope, *views(1))

    assert percents(scope) == [100, 100, 125]
    assert discrepancies(scope) == []


def test_events_that_do_not_count_are_in_no_run(scope):
    make_velocity_filter(scope, 1, 60, event_type="email_open")
    receive(scope, view(0, "seen"))
    who = make_principal(scope)
    event_types.decide_event_type(who, scope, "seen", reach=Reach.OBSERVE, now=NOON)
    commit()

    receive(scope, view(1, "email_open", n=1), view(1.5, "email_open", n=2), view(2, "seen"))
    receive(scope, *views(3, 4))

    # Before them, one thing that was seen when that still counted, and one e-mail.
    assert percents(scope) == [125, 125]
    assert discrepancies(scope) == []


def test_a_new_policy_multiplies_later_events_and_the_run_goes_on(scope):
    receive(scope, *views(0, 1, 2))
    set_surge(scope, SURGE_GENTLE)
    commit()

    receive(scope, *views(3, 4))

    assert percents(scope) == [100, 100, 125, 100, 110]
    assert discrepancies(scope) == []


def test_a_rescore_multiplies_all_events_by_the_policy_of_now(scope, clock):
    receive(scope, *views(0, 1, 2, 3, 4))
    set_surge(scope, SURGE_OFF)
    commit()

    rescore_all(scope, clock.now)

    assert percents(scope) == [100] * 5
    assert get_lead(scope, "ana").score == 50
    assert discrepancies(scope) == []
