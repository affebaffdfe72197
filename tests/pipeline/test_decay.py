"""Points that fade: settled by the hour or by the next event, and the same either way."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from leadvibe.events import queries as event_queries
from leadvibe.identity.types import Scope
from leadvibe.lib.db import commit, driver
from leadvibe.pipeline import rescore
from leadvibe.scoring import lead_scores, policies, settings
from leadvibe.scoring import queries as score_queries
from tests.factories import (
    make_decay,
    make_event,
    make_principal,
    make_rule,
    make_ruleset,
    make_scope,
)

from .conftest import NOON
from .stored import (
    StoredEntry,
    count,
    deltas,
    discrepancies,
    get_lead,
    list_events,
    list_ledger,
    receive,
    rescore_all,
    settle,
)


@pytest.fixture
def scope(app, clock) -> Scope:
    """Return a unit where a page view is worth 100 and a day without any event costs 30.

    The clock stands at noon.
    """
    scope = make_scope()
    make_rule(scope, "page_view", 100)
    make_decay(scope, 1, "days", 30)
    return scope


def view(lead_id="ana", **after_noon):
    return make_event("page_view", lead_id=lead_id, timestamp=NOON + timedelta(**after_noon))


def days(number: float):
    return NOON + timedelta(days=number)


def taken(scope, lead_id="ana"):
    """Return when decay took how much of a lead, in days after noon."""
    return [
        ((entry.occurred_at - NOON) / timedelta(days=1), entry.delta)
        for entry in list_ledger(scope, lead_id)
        if entry.kind == "decay"
    ]


# --- Settling ---


def test_settling_takes_points_and_says_so_in_an_event_of_the_system(scope):
    receive(scope, view())

    assert settle(scope, days(1)) == 1

    assert list_ledger(scope, "ana")[1] == StoredEntry("decay", -30, 100, days(1))
    [event] = list_events(scope, "DECAY")
    [decay] = score_queries.read_policies(scope).decays
    assert (event.lead_id, event.occurred_at, event.reason) == ("ana", days(1), None)
    assert event.metadata == {
        "channel": "system",
        "decay_id": str(decay.decay_id),
        "decrease": 30,
    }
    assert discrepancies(scope) == []


def test_decay_is_no_activity(scope):
    receive(scope, view())

    settle(scope, days(1))

    assert get_lead(scope, "ana") == (70, NOON, "page_view", 1, 1, days(1))
    assert count(scope, "lead_sessions") == 1


def test_nothing_is_taken_before_a_period_is_over(scope):
    receive(scope, view())

    assert settle(scope, days(1) - timedelta(microseconds=1)) == 0

    assert get_lead(scope, "ana").score == 100


def test_settling_twice_takes_nothing_twice(scope):
    receive(scope, view())
    settle(scope, days(2.5))

    assert settle(scope, days(2.5)) == 0

    assert taken(scope) == [(1, -30), (2, -30)]
    assert discrepancies(scope) == []


@pytest.mark.parametrize("moments", [(9,), (1, 2, 3, 9), (0.5, 1, 1.5, 2.99, 3.01, 9), (2, 1, 9)])
def test_points_fade_the_same_whenever_somebody_settles(scope, moments):
    receive(scope, view(), view("bo", hours=5))

    for moment in moments:
        settle(scope, days(moment))

    assert taken(scope) == [(1, -30), (2, -30), (3, -30), (4, -10)]
    assert [delta for _, delta in taken(scope, "bo")] == [-30, -30, -30, -10]
    assert discrepancies(scope) == []


def test_leads_without_points_or_without_events_are_left_alone(scope):
    receive(scope, make_event("unscored", lead_id="bo", timestamp=NOON))

    assert settle(scope, days(9)) == 0
    assert count(scope, "score_entries") == 0


def test_all_leads_are_settled_however_many(scope, monkeypatch):
    monkeypatch.setattr(rescore, "LEADS_AT_ONCE", 2)
    receive(scope, *(view(f"lead{number}") for number in range(5)))

    assert list(rescore.settle_decay(scope, now=days(1))) == [2, 2, 1]

    assert {get_lead(scope, f"lead{number}").score for number in range(5)} == {70}


def test_a_unit_without_decay_settles_nothing(app, clock):
    plain = make_scope()
    make_rule(plain, "page_view", 100)
    receive(plain, view())

    assert list(rescore.settle_decay(plain, now=days(99))) == []


def test_another_units_points_do_not_fade(scope):
    elsewhere = make_scope()
    make_rule(elsewhere, "page_view", 100)
    receive(elsewhere, view())
    receive(scope, view())

    settle(scope, days(1))
    settle(elsewhere, days(1))

    assert get_lead(elsewhere, "ana").score == 100


def test_points_fade_in_every_ruleset_that_has_any(scope):
    second = make_ruleset(scope)
    make_rule(scope, "page_view", 20, ruleset=second)
    receive(scope, view())

    settle(scope, days(2))

    scores = {it.ruleset_id: it.score for it in lead_scores.list_scores(scope, ["ana"])}
    assert sorted(scores.values()) == [0, 40]
    assert discrepancies(scope) == []


def test_points_fade_below_zero_where_that_is_allowed(scope):
    who = make_principal(scope)
    settings.update_settings(who, scope, {"allow_negative_scores": True}, now=NOON)
    receive(scope, view())

    settle(scope, days(5))

    assert get_lead(scope, "ana").score == -50
    assert discrepancies(scope) == []


# --- Events in between ---


def test_the_next_event_settles_what_was_due_before_it(scope, clock):
    receive(scope, view())
    clock.forward(days=3)

    receive(scope, view(days=2.5))

    assert deltas(scope, "ana") == [100, -30, -30, 100]
    assert get_lead(scope, "ana").last_decay_at is None
    assert discrepancies(scope) == []


def test_an_event_at_the_very_instant_comes_after_the_decay(scope, clock):
    receive(scope, view())
    clock.forward(days=1)
    settle(scope, clock.now)

    receive(scope, view(days=1))

    assert deltas(scope, "ana") == [100, -30, 100]
    assert discrepancies(scope) == []


def test_a_late_event_from_before_a_decay_takes_it_back(scope, clock):
    receive(scope, view())
    clock.forward(days=2)
    settle(scope, clock.now)
    assert get_lead(scope, "ana").score == 40

    receive(scope, view(hours=12))

    assert taken(scope) == [(1.5, -30)]
    assert get_lead(scope, "ana").score == 170
    assert [event.occurred_at for event in list_events(scope, "DECAY")] == [days(1.5)]
    assert discrepancies(scope) == []


def test_the_events_of_decay_are_counted_by_type_as_they_come_and_go(scope, clock):
    receive(scope, view())
    clock.forward(days=2)
    settle(scope, clock.now)
    receive(scope, view(hours=12))

    counts = {it.name: it.event_count for it in event_queries.list_event_types(scope)}

    assert counts == {"page_view": 2, "DECAY": 1}


def test_a_replay_keeps_the_ids_of_what_decay_wrote(scope, clock):
    receive(scope, view())
    clock.forward(days=2)
    settle(scope, clock.now)
    before = ids_of_decay(scope)

    for _ in rescore.rebuild(scope):
        pass

    assert ids_of_decay(scope) == before
    assert len(before) == 2


def ids_of_decay(scope):
    statement = "SELECT event_id FROM events WHERE unit_id = %s AND event_type = 'DECAY'"
    return {event_id for (event_id,) in driver().execute(statement, (scope.unit_id,))}


# --- Rules that change ---


def test_nothing_is_taken_that_was_due_before_the_rule_was_made(app, clock):
    scope = make_scope()
    make_rule(scope, "page_view", 100)
    receive(scope, view())
    clock.forward(days=2.5)
    make_decay(scope, 1, "days", 30)
    commit()

    settle(scope, days(4))

    assert taken(scope) == [(3, -30), (4, -30)]
    assert discrepancies(scope) == []


def test_what_a_deleted_rule_took_stays_taken_and_no_more_follows(scope, clock):
    receive(scope, view())
    clock.forward(days=1.5)
    settle(scope, clock.now)
    delete_decay(scope, clock.now)

    settle(scope, days(9))

    assert taken(scope) == [(1, -30)]
    assert discrepancies(scope) == []


def test_what_was_due_before_a_rule_was_deleted_is_taken_even_if_somebody_looks_later(scope, clock):
    receive(scope, view())
    clock.forward(days=2.5)
    delete_decay(scope, clock.now)

    settle(scope, days(9))

    assert taken(scope) == [(1, -30), (2, -30)]
    assert discrepancies(scope) == []


def test_a_rule_that_was_changed_takes_more_only_from_then_on(scope, clock):
    receive(scope, view())
    clock.forward(days=1.5)
    [decay] = score_queries.read_policies(scope).decays
    who = make_principal(scope)
    policies.update_decay(who, scope, decay.decay_id, {"decrease": 1}, now=clock.now)
    commit()

    settle(scope, days(3))

    assert taken(scope) == [(1, -30), (2, -1), (3, -1)]
    assert discrepancies(scope) == []


def test_a_rescore_lets_points_fade_as_if_the_rules_of_now_had_always_been_in_force(scope, clock):
    receive(scope, view())
    clock.forward(days=2.5)
    [decay] = score_queries.read_policies(scope).decays
    who = make_principal(scope)
    policies.update_decay(who, scope, decay.decay_id, {"decrease": 1}, now=clock.now)
    commit()

    rescore_all(scope, clock.now)

    assert taken(scope) == [(1, -1), (2, -1)]
    assert discrepancies(scope) == []
    settle(scope, days(3))
    assert taken(scope) == [(1, -1), (2, -1), (3, -1)]
    assert discrepancies(scope) == []


def test_a_lead_that_was_rescored_while_it_had_no_events_is_scored_like_any_other(scope, clock):
    make_rule(scope, "visit", 50)
    receive(scope, make_event("DECAY", lead_id="ana", timestamp=NOON))
    rescore_all(scope, clock.now)
    assert discrepancies(scope) == []
    delete_decay(scope, clock.now)
    clock.forward(days=2)

    receive(scope, view())

    assert taken(scope) == []
    assert discrepancies(scope) == []


def test_a_change_does_not_undo_what_an_event_dated_ahead_has_settled(scope, clock):
    receive(scope, view())
    clock.forward(hours=20)
    receive(scope, view(days=1.5))
    assert deltas(scope, "ana") == [100, -30, 100]
    clock.forward(hours=1)
    delete_decay(scope, clock.now)

    assert discrepancies(scope) == []
    clock.forward(hours=1)
    receive(scope, view(hours=1))

    # A day after this late event it was deleted, but not yet for the one dated ahead.
    assert deltas(scope, "ana") == [100, 100, -30, 100]
    assert discrepancies(scope) == []


def delete_decay(scope, now):
    [decay] = score_queries.read_policies(scope).decays
    policies.delete_decay(make_principal(scope), scope, decay.decay_id, now=now)
    commit()


# --- Tampering ---


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE score_entries SET delta = -20, after = 80 WHERE kind = 'decay'",
        "DELETE FROM score_entries WHERE kind = 'decay' AND seq = 3",
        "UPDATE leads SET last_decay_at = NULL",
        "UPDATE leads SET last_decay_at = last_decay_at + interval '1 day'",
        "DELETE FROM events WHERE event_type = 'DECAY'",
        "UPDATE events SET occurred_at = received_at WHERE event_type = 'DECAY'",
        "UPDATE events SET metadata = '{}' WHERE event_type = 'DECAY'",
    ],
)
def test_tampering_with_decay_is_found_and_repaired(scope, clock, tampering):
    receive(scope, view())
    clock.forward(days=2.5)
    settle(scope, clock.now)
    assert discrepancies(scope) == []

    driver().execute(tampering)
    commit()

    assert "ana" in {lead_id for lead_id, _ in discrepancies(scope)}
    for _ in rescore.rebuild(scope):
        pass
    assert discrepancies(scope) == []
    assert taken(scope) == [(1, -30), (2, -30)]


# --- At the same time ---


def test_several_who_settle_at_once_take_everything_once(app, fresh_database, clock, monkeypatch):
    monkeypatch.setattr(rescore, "LEADS_AT_ONCE", 3)
    scope = make_scope()
    make_rule(scope, "page_view", 100)
    make_decay(scope, 1, "days", 30)
    receive(scope, *(view(f"lead{number:02}", minutes=number) for number in range(30)))
    failures: list[BaseException] = []

    def settle_all() -> None:
        with app.app_context():
            try:
                settle(scope, days(2.5))
            except BaseException as error:
                failures.append(error)
                raise

    threads = [threading.Thread(target=settle_all) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert failures == []
    assert count(scope, "score_entries") == 90
    assert len(list_events(scope, "DECAY")) == 60
    assert discrepancies(scope) == []
