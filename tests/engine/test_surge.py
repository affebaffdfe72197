"""How a run of events raises what each is worth: the count, the bands and what they multiply."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leadvibe.engine.policies import (
    SURGE_GENTLE,
    SURGE_OFF,
    SURGE_STANDARD,
    EventTypePolicy,
    Reach,
)
from leadvibe.engine.replay import advance, replay
from leadvibe.engine.surge import make_multiplier, next_place

from .factories import (
    MONDAY,
    after,
    make_config,
    make_event,
    make_history,
    make_policies,
    make_rule,
    make_ruleset,
    make_surge,
    make_velocity,
)

HALF_HOUR = timedelta(minutes=30)


def history_with(*rules, **policies):
    """Let one config with these rules and policies always be in force."""
    return make_history(make_config(make_ruleset(*rules), policies=make_policies(**policies)))


def percents(outcome):
    return [entry.multiplier_percent for entry in outcome.entries]


def deltas(outcome):
    return [entry.delta for entry in outcome.entries]


# --- The place in the run ---


@pytest.mark.parametrize(
    ("gap", "place"),
    [
        (timedelta(0), 5),
        (HALF_HOUR - timedelta(microseconds=1), 5),
        (HALF_HOUR, 5),
        (HALF_HOUR + timedelta(microseconds=1), 1),
        (timedelta(days=900), 1),
    ],
)
def test_only_a_gap_longer_than_the_idle_reset_starts_the_run_again(gap, place):
    assert next_place(4, MONDAY, MONDAY + gap, HALF_HOUR) == place


def test_a_leads_first_event_begins_a_run():
    assert next_place(0, None, MONDAY, HALF_HOUR) == 1


def test_the_run_is_measured_from_event_to_event_and_not_from_its_start():
    history = history_with(make_rule(weight=100), surge=make_surge((1, 100), (4, 150), idle=1800))
    events = [make_event(at=after(minutes=25 * number)) for number in range(5)]

    assert percents(replay("ana", events, history)) == [100, 100, 100, 150, 150]


# --- From a place to a percentage ---


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (SURGE_OFF, {1: 100, 3: 100, 99: 100}),
        (SURGE_STANDARD, {1: 100, 2: 100, 3: 125, 4: 125, 5: 150, 9: 150, 10: 200, 99: 200}),
        (SURGE_GENTLE, {1: 100, 4: 100, 5: 110, 9: 110, 10: 125, 19: 125, 20: 150, 99: 150}),
        (make_surge((1, 120)), {1: 120, 2: 120}),
        (make_surge((3, 125), (5, 150)), {1: 100, 2: 100, 3: 125, 5: 150}),
    ],
)
def test_an_event_uses_the_highest_band_that_its_place_has_reached(policy, expected):
    multiplier = make_multiplier(policy)

    assert {place: multiplier(place) for place in expected} == expected


def test_no_band_goes_beyond_the_cap():
    multiplier = make_multiplier(make_surge((1, 100), (2, 150), (3, 300), cap=175))

    assert [multiplier(place) for place in (1, 2, 3)] == [100, 150, 175]


def test_a_band_that_nobody_reaches_costs_nothing():
    multiplier = make_multiplier(make_surge((1, 110), (2_000_000_000, 300)))

    assert multiplier(1_999_999_999) == 110
    assert multiplier(2_000_000_000) == 300


# --- What is multiplied ---


def test_points_are_multiplied_and_rounded_half_away_from_zero():
    history = history_with(make_rule(weight=7), surge=make_surge((1, 150)))

    [entry] = replay("ana", [make_event()], history).entries

    assert (entry.weight, entry.multiplier_percent, entry.delta) == (7, 150, 11)


def test_a_surge_takes_no_more_points_than_a_rule_does():
    rules = make_rule("visit", 10), make_rule("unsubscribe", -4)
    history = history_with(*rules, surge=make_surge((1, 100), (2, 200)))
    events = [make_event("visit"), make_event("unsubscribe", after(minutes=1))]

    outcome = replay("ana", events, history)

    assert (percents(outcome), deltas(outcome)) == ([100, 100], [10, -4])


def test_each_ruleset_is_multiplied_alike():
    first, second = make_ruleset(make_rule(weight=10)), make_ruleset(make_rule(weight=3))
    policies = make_policies(surge=make_surge((1, 150)))
    history = make_history(make_config(first, second, policies=policies))

    outcome = replay("ana", [make_event()], history)

    assert {entry.ruleset_id: entry.delta for entry in outcome.entries} == {
        first.ruleset_id: 15,
        second.ruleset_id: 5,
    }


# --- Which events are in the run ---


def test_every_counted_event_is_in_the_run_even_one_that_no_rule_scores():
    history = history_with(make_rule("visit", 10), surge=make_surge((1, 100), (3, 200)))
    events = [
        make_event("unheard_of", MONDAY),
        make_event("unheard_of", after(minutes=1)),
        make_event("visit", after(minutes=2)),
    ]

    assert percents(replay("ana", events, history)) == [200]


def test_an_event_of_a_hidden_type_is_in_the_run_but_scores_nothing():
    history = history_with(
        make_rule("visit", 10),
        make_rule("secret", 10),
        surge=make_surge((1, 100), (2, 200)),
        event_types={"secret": EventTypePolicy(hidden=True)},
    )
    events = [make_event("secret"), make_event("visit", after(minutes=1))]

    outcome = replay("ana", events, history)

    assert [(it.event_id, it.delta) for it in outcome.entries] == [(events[1].event_id, 20)]


@pytest.mark.parametrize("event_type", ["watched", "DECAY", "lead_merged", "lead_unmerged"])
def test_events_that_are_only_observed_and_our_own_are_not_in_the_run(event_type):
    history = history_with(
        make_rule("visit", 10),
        make_rule(event_type, 10),
        surge=make_surge((1, 100), (2, 200)),
        event_types={"watched": EventTypePolicy(reach=Reach.OBSERVE)},
    )
    events = [make_event(event_type), make_event("visit", after(minutes=1))]

    assert percents(replay("ana", events, history)) == [100]


def test_a_suppressed_event_is_not_in_the_run_and_does_not_keep_it_going():
    history = history_with(
        make_rule("visit", 10),
        surge=make_surge((1, 100), (2, 200), idle=60),
        velocity_filters=(make_velocity(1, 3600, event_type="open"),),
    )
    events = [
        make_event("open"),
        make_event("open", after(seconds=50)),
        make_event("visit", after(seconds=61)),
    ]

    assert percents(replay("ana", events, history)) == [100]


def test_each_event_is_multiplied_under_its_own_version():
    ruleset = make_ruleset(make_rule(weight=10))
    patient = make_policies(surge=make_surge((1, 100), (2, 150), idle=3600))
    hasty = make_policies(surge=make_surge((1, 100), (2, 300), idle=60))
    history = make_history(
        make_config(ruleset, version=1, policies=patient),
        make_config(ruleset, version=2, policies=hasty),
    )
    events = [
        make_event(version=1),
        make_event(at=after(minutes=30), version=1),
        make_event(at=after(minutes=31), version=2),
        make_event(at=after(minutes=33), version=2),
        make_event(at=after(minutes=90), version=1),
    ]

    assert percents(replay("ana", events, history)) == [100, 150, 300, 100, 150]


def test_a_run_goes_on_where_the_last_batch_left_it():
    history = history_with(make_rule(weight=10), surge=make_surge((1, 100), (3, 200)))
    state = replay("ana", [make_event(), make_event()], history).state

    outcome = advance("ana", state, [make_event(at=after(minutes=30))], history)

    assert percents(outcome) == [200]
    assert outcome.state.surge_place == 3
