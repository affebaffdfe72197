"""Points that inactivity takes: at which instants, how much, and whoever looks when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from leadvibe.engine.decay import BEGINNING, END, Fading, Reign, event_id_of, foresee
from leadvibe.engine.facts import EMPTY, EntryKind, Standing
from leadvibe.engine.policies import DecayUnit, EventTypePolicy, Reach
from leadvibe.engine.replay import LateEventError, advance, is_late, replay

from .factories import (
    MONDAY,
    after,
    make_config,
    make_decay,
    make_event,
    make_history,
    make_metadata_filter,
    make_policies,
    make_rule,
    make_ruleset,
)

LONG_AGO = after(days=-400)


def reign(*rules, version=1, starts_at=BEGINNING, has_floor=True):
    return Reign(version, starts_at, rules, has_floor)


def days_of(firings):
    return [(firing.at - MONDAY) / timedelta(days=1) for firing in firings]


def fire(*reigns, until, last_at=MONDAY, after=None):
    return list(Fading.of(reigns).firings(last_at, after=after, until=until))


def history_with(*decays, weights=(100,), starts_at=LONG_AGO, **fields):
    """Let one config be in force, with a ruleset for each weight of `visit`."""
    rulesets = [make_ruleset(make_rule("visit", weight)) for weight in weights]
    config = make_config(*rulesets, policies=make_policies(decays=decays), **fields)
    return make_history(config, starts_at=starts_at)


def taken(outcome):
    """Return what decay took, as (days since Monday, points)."""
    entries = [it for it in outcome.entries if it.kind == EntryKind.DECAY]
    return [((it.occurred_at - MONDAY) / timedelta(days=1), it.delta) for it in entries]


# --- When a rule fires ---


@pytest.mark.parametrize(
    ("until", "days"),
    [
        (MONDAY, []),
        (after(days=3, microseconds=-1), []),
        (after(days=3), [3]),
        (after(days=6, microseconds=-1), [3]),
        (after(days=10), [3, 6, 9]),
    ],
)
def test_a_rule_fires_at_the_end_of_every_full_period_without_an_event(until, days):
    rule = make_decay(3, created_at=LONG_AGO)

    assert days_of(fire(reign(rule), until=until)) == days


@pytest.mark.parametrize(
    ("unit", "days"),
    [(DecayUnit.HOURS, [1 / 12, 2 / 12]), (DecayUnit.DAYS, [2, 4]), (DecayUnit.WEEKS, [14, 28])],
)
def test_a_period_is_told_in_hours_days_or_weeks(unit, days):
    rule = make_decay(2, unit, created_at=LONG_AGO)

    assert days_of(fire(reign(rule), until=MONDAY + 2 * rule.period)) == pytest.approx(days)


@pytest.mark.parametrize(
    ("created_at", "days"),
    [
        (LONG_AGO, [2, 4, 6]),
        (MONDAY, [2, 4, 6]),
        (after(days=4, microseconds=-1), [4, 6]),
        (after(days=4), [4, 6]),
        (after(days=4, microseconds=1), [6]),
        (after(days=7), []),
    ],
)
def test_nothing_is_taken_that_was_due_before_the_rule_was_made(created_at, days):
    rule = make_decay(2, created_at=created_at)

    assert days_of(fire(reign(rule), until=after(days=7))) == days


@pytest.mark.parametrize(
    ("deleted_at", "days"),
    [
        (after(days=4, microseconds=1), [2, 4]),
        (after(days=4), [2]),
        (after(days=1), []),
    ],
)
def test_nothing_is_taken_from_the_instant_on_at_which_a_rule_was_deleted(deleted_at, days):
    made = reign(make_decay(2, created_at=LONG_AGO))
    deleted = reign(version=2, starts_at=deleted_at)

    assert days_of(fire(made, deleted, until=after(days=9))) == days


def test_each_firing_says_what_was_in_force_at_its_instant():
    mild = make_decay(1, decrease=5, created_at=LONG_AGO)
    harsh = replace(mild, decrease=50)

    firings = fire(
        reign(mild, version=3, has_floor=True),
        reign(harsh, version=4, starts_at=after(days=2), has_floor=False),
        until=after(days=3),
    )

    assert [(it.rule.decrease, it.version, it.has_floor) for it in firings] == [
        (5, 3, True),
        (50, 4, False),
        (50, 4, False),
    ]


def test_a_period_that_was_changed_is_measured_from_the_last_event_all_the_same():
    weekly = make_decay(7, created_at=LONG_AGO)
    daily = replace(weekly, inactive_for=1)

    firings = fire(
        reign(weekly), reign(daily, version=2, starts_at=after(days=2.5)), until=after(days=5)
    )

    assert days_of(firings) == [3, 4, 5]


def test_several_rules_fire_in_order_of_time_then_of_age():
    older = make_decay(2, decrease=1, created_at=LONG_AGO)
    younger = make_decay(1, decrease=2, created_at=after(days=-9))

    firings = fire(reign(younger, older), until=after(days=2))

    assert [(it.at, it.rule) for it in firings] == [
        (after(days=1), younger),
        (after(days=2), older),
        (after(days=2), younger),
    ]


def test_firings_go_on_after_the_last_one():
    rule = make_decay(1, created_at=LONG_AGO)

    firings = fire(reign(rule), after=after(days=2), until=after(days=4))

    assert days_of(firings) == [3, 4]


def test_reigns_come_in_the_order_of_their_versions_though_a_clock_went_backwards():
    rule = make_decay(1, created_at=LONG_AGO)
    first = reign(rule, version=1, starts_at=after(days=3))
    second = reign(version=2, starts_at=after(days=2))

    fading = Fading.of([second, first])

    assert [(it.version, it.starts_at) for it in fading.reigns] == [
        (1, after(days=3)),
        (2, after(days=3)),
    ]
    assert list(fading.firings(MONDAY, after=None, until=after(days=9))) == []


def test_a_history_without_any_rule_is_no_fading_at_all():
    assert Fading.of([reign(), reign(version=2)]) == Fading()


def test_firings_end_with_the_calendar():
    century = make_decay(5_000, DecayUnit.WEEKS, created_at=LONG_AGO)
    late = datetime(9990, 1, 1, tzinfo=UTC)

    assert fire(reign(century), last_at=late, until=END) == []


def test_the_event_of_a_firing_has_an_id_of_its_own_that_stays():
    rules = make_decay(1, created_at=LONG_AGO), make_decay(1, created_at=LONG_AGO)

    firings = fire(reign(*rules), until=after(days=2))
    ids = [event_id_of(it, lead_id) for it in firings for lead_id in ("ana", "bo")]

    assert len(set(ids)) == 8
    assert event_id_of(firings[0], "ana") == ids[0]


def test_spells_say_when_which_periods_cost_points():
    old, new = make_decay(1, created_at=MONDAY), make_decay(2, created_at=after(days=5))

    fading = Fading.of(
        [
            reign(old, starts_at=after(days=-1)),
            reign(old, new, version=2, starts_at=after(days=5)),
            reign(version=3, starts_at=after(days=9)),
        ]
    )

    assert fading.spells() == [
        (old.period, MONDAY, after(days=5)),
        (old.period, after(days=5), after(days=9)),
        (new.period, after(days=5), after(days=9)),
    ]


# --- What it takes ---


def test_decay_is_written_into_the_ledger_and_as_an_event():
    rule = make_decay(1, decrease=30, created_at=LONG_AGO)

    outcome = replay("ana", [make_event("visit")], history_with(rule), until=after(days=1))

    [decay], [_, entry] = outcome.decays, outcome.entries
    assert decay._asdict() == {
        "event_id": entry.event_id,
        "occurred_at": after(days=1),
        "version": 1,
        "decay_id": rule.decay_id,
        "decrease": 30,
    }
    assert entry._asdict() == {
        "ruleset_id": entry.ruleset_id,
        "seq": 2,
        "event_id": decay.event_id,
        "rule_id": rule.decay_id,
        "version": 1,
        "kind": "decay",
        "weight": -30,
        "multiplier_percent": 100,
        "before": 100,
        "delta": -30,
        "after": 70,
        "occurred_at": after(days=1),
    }
    assert outcome.state.last_decay_at == after(days=1)
    assert outcome.state.last_at == MONDAY


def test_decay_stops_at_zero_and_there_it_leaves_no_more_traces():
    rule = make_decay(1, decrease=60, created_at=LONG_AGO)

    outcome = replay("ana", [make_event("visit")], history_with(rule), until=after(days=9))

    assert taken(outcome) == [(1, -60), (2, -40)]
    assert outcome.state.last_decay_at == after(days=2)
    assert len(outcome.decays) == 2


def test_decay_takes_points_below_zero_where_that_is_allowed():
    rule = make_decay(1, decrease=60, created_at=LONG_AGO)
    history = history_with(rule, allow_negative_scores=True)

    outcome = replay("ana", [make_event("visit")], history, until=after(days=3))

    assert taken(outcome) == [(1, -60), (2, -60), (3, -60)]


def test_decay_leaves_alone_a_score_that_is_exactly_zero_even_where_less_is_allowed():
    rule = make_decay(1, decrease=50, created_at=LONG_AGO)
    history = history_with(rule, allow_negative_scores=True)

    outcome = replay("ana", [make_event("visit")], history, until=after(days=9))

    assert taken(outcome) == [(1, -50), (2, -50)]


def test_a_score_below_zero_from_before_the_floor_is_neither_lifted_nor_lowered():
    rule = make_decay(1, decrease=50, created_at=LONG_AGO)
    free = make_config(make_ruleset(make_rule("visit", -30)), version=1, allow_negative_scores=True)
    floored = make_config(version=2, policies=make_policies(decays=(rule,)))
    history = make_history(free, floored, starts_at=LONG_AGO)

    outcome = replay("ana", [make_event("visit")], history, until=after(days=9))

    assert taken(outcome) == []
    assert outcome.state.last_decay_at is None


def test_decay_takes_from_every_ruleset_that_has_points():
    rule = make_decay(1, decrease=30, created_at=LONG_AGO)
    history = history_with(rule, weights=(100, 20, 0))

    outcome = replay("ana", [make_event("visit")], history, until=after(days=2))

    assert sorted(taken(outcome)) == [(1, -30), (1, -20), (2, -30)]
    assert [decay.occurred_at for decay in outcome.decays] == [after(days=1), after(days=2)]
    assert sorted(it.score for it in outcome.state.standings.values()) == [0, 0, 40]


def test_a_lead_without_events_or_points_owes_nothing():
    rule = make_decay(1, created_at=LONG_AGO)

    for events in ([], [make_event("unscored")]):
        outcome = replay("ana", events, history_with(rule), until=after(days=9))

        assert (outcome.entries, outcome.decays) == ([], [])


# --- From event to event ---


def test_decay_that_was_due_is_settled_before_the_event():
    rule = make_decay(1, decrease=30, created_at=LONG_AGO)
    events = [make_event("visit"), make_event("visit", after(days=2.5))]

    outcome = replay("ana", events, history_with(rule))

    assert [it.delta for it in outcome.entries] == [100, -30, -30, 100]
    assert outcome.state.last_decay_at is None


def test_a_period_that_ends_exactly_at_the_event_is_over():
    rule = make_decay(1, decrease=30, created_at=LONG_AGO)
    events = [make_event("visit"), make_event("visit", after(days=1))]

    outcome = replay("ana", events, history_with(rule))

    assert [it.delta for it in outcome.entries] == [100, -30, 100]


def test_an_event_starts_the_periods_again():
    rule = make_decay(2, decrease=30, created_at=LONG_AGO)
    events = [make_event("visit"), make_event("visit", after(days=1.5))]

    outcome = replay("ana", events, history_with(rule), until=after(days=4))

    assert taken(outcome) == [(3.5, -30)]


def test_an_event_settles_by_what_was_known_when_it_came_in():
    """Dated ahead, it has settled what a later version would not take; that stays taken."""
    rule = make_decay(1, decrease=30, created_at=LONG_AGO)
    ruleset = make_ruleset(make_rule("visit", 100))
    fading = make_config(ruleset, version=1, policies=make_policies(decays=(rule,)))
    history = make_history(fading, make_config(ruleset, version=2), starts_at=MONDAY)
    ahead = make_event("visit", after(days=3.5), version=1)

    outcome = replay("ana", [make_event("visit"), ahead], history, until=after(days=9))

    assert taken(outcome) == [(1, -30), (2, -30), (3, -30)]
    later = replay("ana", [make_event("visit"), ahead._replace(version=2)], history)
    assert taken(later) == []


def test_which_version_an_event_knows_is_said_by_its_rules_whatever_their_number():
    rule = make_decay(1, decrease=30, created_at=LONG_AGO)
    ruleset = make_ruleset(make_rule("visit", 100))
    plain = make_config(ruleset, version=1)
    fading = make_config(ruleset, version=2, policies=make_policies(decays=(rule,)))
    history = make_history(plain, fading, starts_at=LONG_AGO)
    tried = history._replace(awarders={-3: history.awarders[2]})
    events = [make_event("visit", day, version=-3) for day in (MONDAY, after(days=1.5))]

    assert taken(replay("ana", events, tried)) == [(1, -30)]


def test_an_event_that_does_not_count_lets_decay_go_on():
    rule = make_decay(1, decrease=30, created_at=LONG_AGO)
    policies = make_policies(
        decays=(rule,),
        metadata_filters=(make_metadata_filter(("bot", "exists", None)),),
        event_types={"seen": EventTypePolicy(reach=Reach.OBSERVE)},
    )
    config = make_config(make_ruleset(make_rule("visit", 100)), policies=policies)
    events = [
        make_event("visit"),
        make_event("visit", after(days=0.9), is_filtered=True),
        make_event("seen", after(days=0.9)),
        make_event("DECAY", after(days=0.9)),
    ]

    outcome = replay("ana", events, make_history(config, starts_at=LONG_AGO), until=after(days=1))

    assert taken(outcome) == [(1, -30)]


def test_an_event_of_a_hidden_type_stops_decay_for_it_shows_that_somebody_is_there():
    rule = make_decay(1, decrease=30, created_at=LONG_AGO)
    policies = make_policies(decays=(rule,), event_types={"secret": EventTypePolicy(hidden=True)})
    config = make_config(make_ruleset(make_rule("visit", 100)), policies=policies)
    events = [make_event("visit"), make_event("secret", after(days=0.9))]

    outcome = replay("ana", events, make_history(config, starts_at=LONG_AGO), until=after(days=1.8))

    assert taken(outcome) == []


def test_settling_again_takes_nothing_twice_and_goes_on_later():
    rule = make_decay(1, decrease=30, created_at=LONG_AGO)
    history = history_with(rule)
    state = replay("ana", [make_event("visit")], history, until=after(days=2)).state

    again = advance("ana", state, [], history, until=after(days=2.9))
    later = advance("ana", again.state, [], history, until=after(days=3))

    assert (again.entries, again.state) == ([], state)
    assert taken(later) == [(3, -30)]


def test_since_an_event_decay_has_taken_nothing():
    history = history_with(make_decay(1, decrease=30, created_at=LONG_AGO))
    state = replay("ana", [make_event("visit")], history, until=after(days=2)).state

    outcome = advance("ana", state, [make_event("visit", after(days=2.5))], history)

    assert outcome.state.last_decay_at is None


def test_settling_for_an_earlier_instant_changes_nothing():
    rule = make_decay(1, decrease=30, created_at=LONG_AGO)
    history = history_with(rule)
    state = replay("ana", [make_event("visit")], history, until=after(days=3)).state

    assert advance("ana", state, [], history, until=after(days=1)).state == state


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (after(days=2, microseconds=-1), True),
        (after(days=2), False),
        (after(days=2.5), False),
    ],
)
def test_an_event_from_before_decay_was_taken_is_late(at, expected):
    history = history_with(make_decay(1, decrease=30, created_at=LONG_AGO))
    state = replay("ana", [make_event("visit", receipt=1)], history, until=after(days=2.7)).state
    event = make_event("visit", at)

    assert is_late(state, event) is expected
    if expected:
        with pytest.raises(LateEventError):
            advance("ana", state, [event], history)
    else:
        outcome = advance("ana", state, [event], history)
        assert [it.score for it in outcome.state.standings.values()] == [140]


def test_a_late_event_takes_decay_back():
    history = history_with(make_decay(1, decrease=30, created_at=LONG_AGO))
    first, late = make_event("visit"), make_event("visit", after(hours=12))

    before = replay("ana", [first], history, until=after(days=2))
    outcome = replay("ana", [first, late], history, until=after(days=2))

    assert taken(before) == [(1, -30), (2, -30)]
    assert taken(outcome) == [(1.5, -30)]
    assert [it.score for it in outcome.state.standings.values()] == [170]


def test_where_a_state_stands_is_enough_to_settle_it():
    rule = make_decay(1, decrease=30, created_at=LONG_AGO)
    ruleset = make_ruleset()
    config = make_config(ruleset, policies=make_policies(decays=(rule,)))
    state = EMPTY._replace(
        standings={ruleset.ruleset_id: Standing(50, 7)}, last_at=MONDAY, last_decay_at=after(days=1)
    )

    history = make_history(config, starts_at=LONG_AGO)
    outcome = advance("ana", state, [], history, until=after(days=2))

    assert outcome.state.standings == {ruleset.ruleset_id: Standing(20, 8)}


def test_what_a_quiet_lead_would_lose_is_what_a_replay_takes():
    rule = make_decay(inactive_for=10, decrease=30)
    then = MONDAY + timedelta(days=45)

    foreseen = [
        ((firing.at - MONDAY).days, score)
        for firing, score in foresee(70, reign(rule, starts_at=MONDAY), until=then)
    ]

    assert foreseen == [(10, 40), (20, 10), (30, 0)]


def test_without_a_floor_a_quiet_lead_is_foreseen_to_fall_below_zero():
    rule = make_decay(inactive_for=10, decrease=30)
    under = reign(rule, starts_at=MONDAY, has_floor=False)

    scores = [score for _, score in foresee(40, under, until=MONDAY + timedelta(days=25))]

    assert scores == [10, -20]
