from __future__ import annotations

import pytest

from leadvibe.engine.engagement import compile_config
from leadvibe.engine.facts import EMPTY, LeadState, Session, Standing
from leadvibe.engine.organic import NOTHING_SUPPRESSED
from leadvibe.engine.replay import (
    History,
    LateEventError,
    Outcome,
    advance,
    history_under,
    is_late,
    replay,
    score_of,
)

from .factories import (
    MONDAY,
    after,
    make_awarder,
    make_config,
    make_event,
    make_history,
    make_rule,
    make_ruleset,
)


def deltas(entries):
    return [entry.delta for entry in entries]


def test_events_go_on_from_where_the_lead_stands():
    ruleset = make_ruleset(make_rule("demo_request", 40))
    history = make_history(make_config(ruleset))
    state = LeadState(
        standings={ruleset.ruleset_id: Standing(5, 2)},
        last_at=MONDAY,
        last_receipt=8,
        session=Session(MONDAY, MONDAY, 1),
    )

    outcome = advance("ana", state, [make_event(at=after(minutes=10), receipt=9)], history)

    assert outcome.state == LeadState(
        standings={ruleset.ruleset_id: Standing(45, 3)},
        last_at=after(minutes=10),
        last_receipt=9,
        session=Session(MONDAY, after(minutes=10), 2),
        surge_place=1,
    )
    assert outcome.sessions == [Session(MONDAY, after(minutes=10), 2)]


def test_a_state_is_never_changed_in_place():
    standings = {}
    state = EMPTY._replace(standings=standings)

    advance("ana", state, [make_event()], History({1: make_awarder(make_rule())}))

    assert standings == {}


def test_no_events_change_nothing():
    state = EMPTY._replace(last_at=MONDAY)

    outcome = advance("ana", state, [], History({}))

    assert outcome == Outcome(state, [], [], [], [], NOTHING_SUPPRESSED)


def test_an_event_that_no_rule_scores_still_counts_as_activity():
    outcome = replay("ana", [make_event("page_view", receipt=3)], History({1: make_awarder()}))

    assert outcome.entries == []
    assert outcome.state == LeadState({}, MONDAY, 3, Session(MONDAY, MONDAY, 1), surge_place=1)


def test_events_are_scored_in_order_of_time_and_then_of_receipt():
    history = History({1: make_awarder(make_rule("win", 30), make_rule("loss", -50))})
    loss_first = [make_event("win", receipt=2), make_event("loss", receipt=1)]
    win_first = [make_event("loss", after(minutes=1), receipt=1), make_event("win", receipt=2)]

    assert deltas(replay("ana", loss_first, history).entries) == [0, 30]
    assert deltas(replay("ana", win_first, history).entries) == [30, -30]


def test_each_event_is_scored_under_its_own_version():
    ruleset = make_ruleset(make_rule(weight=10))
    raised = make_ruleset(make_rule(weight=25))
    history = make_history(make_config(ruleset, version=1), make_config(raised, version=2))
    events = [make_event(version=1), make_event(at=after(days=1), version=2)]

    entries = replay("ana", events, history).entries

    assert [(entry.version, entry.delta) for entry in entries] == [(1, 10), (2, 25)]


def test_a_ruleset_that_was_deleted_keeps_the_score_it_had():
    ruleset = make_ruleset(make_rule(weight=10))
    history = make_history(make_config(ruleset, version=1), make_config(version=2))
    events = [make_event(version=1), make_event(at=after(days=1), version=2)]

    assert replay("ana", events, history).state.standings == {ruleset.ruleset_id: Standing(10, 1)}


def test_a_rescore_puts_all_events_under_one_version_and_says_so():
    draft = make_config(make_ruleset(make_rule(weight=25)), version=9)
    events = [make_event(at=after(days=1), version=2), make_event(version=1)]

    history = history_under(draft, compile_config(draft), events)
    entries = replay("ana", events, history).entries

    assert [(entry.version, entry.delta) for entry in entries] == [(9, 25), (9, 25)]


@pytest.mark.parametrize(
    ("at", "receipt", "expected"),
    [
        (after(seconds=-1), 99, True),
        (MONDAY, 4, True),
        (MONDAY, 6, False),
        (after(seconds=1), 1, False),
    ],
)
def test_an_event_is_late_when_it_precedes_the_last_counted_one(at, receipt, expected):
    state = EMPTY._replace(last_at=MONDAY, last_receipt=5)

    assert is_late(state, make_event(at=at, receipt=receipt)) is expected


def test_no_event_is_late_for_a_lead_without_any():
    assert not is_late(EMPTY, make_event(receipt=-1))


def test_a_late_event_is_refused_and_asks_for_a_replay():
    history = History({1: make_awarder()})
    state = replay("ana", [make_event(receipt=5)], history).state
    on_time, late = make_event(at=after(days=1)), make_event(at=after(days=-1))

    with pytest.raises(LateEventError, match=f"{late.event_id}.*replay the lead"):
        advance("ana", state, [on_time, late], history)


def test_the_primary_ruleset_speaks_for_the_lead_even_when_another_is_higher():
    primary, other = make_ruleset(is_primary=True), make_ruleset()
    standings = {primary.ruleset_id: Standing(5, 1), other.ruleset_id: Standing(80, 1)}

    assert score_of(standings, make_config(other, primary)) == (5, primary.ruleset_id)


def test_a_paused_primary_ruleset_keeps_speaking_for_the_lead():
    primary, other = make_ruleset(is_primary=True, active=False), make_ruleset()
    standings = {primary.ruleset_id: Standing(5, 1), other.ruleset_id: Standing(80, 1)}

    assert score_of(standings, make_config(primary, other)) == (5, primary.ruleset_id)


def test_without_a_primary_the_highest_active_ruleset_speaks_for_the_lead():
    low, high, paused = make_ruleset(), make_ruleset(), make_ruleset(active=False)
    standings = {
        low.ruleset_id: Standing(5, 1),
        high.ruleset_id: Standing(30, 1),
        paused.ruleset_id: Standing(90, 1),
    }

    assert score_of(standings, make_config(low, high, paused)) == (30, high.ruleset_id)


def test_a_lead_that_the_primary_ruleset_never_scored_has_no_points_and_no_ruleset():
    primary, other = make_ruleset(is_primary=True), make_ruleset()

    headline = score_of({other.ruleset_id: Standing(80, 1)}, make_config(primary, other))

    assert (headline.score, headline.ruleset_id) == (0, None)
    assert score_of({}, make_config()) == (0, None)
