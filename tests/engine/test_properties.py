"""What must hold for any configuration and any events, before any screen exists."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from leadvibe.engine.engagement import award, compile_config
from leadvibe.engine.explain import Reason, build_waterfall
from leadvibe.engine.facts import EMPTY, Standing
from leadvibe.engine.levels import LevelCut, find_overlap, level_of
from leadvibe.engine.replay import advance, is_late, replay, replay_as
from leadvibe.engine.rules import Config, LevelKind

from . import strategies as some

engine_property = settings(max_examples=60, deadline=None)


def compiled(history):
    return {version: compile_config(config) for version, config in history.items()}


def in_order(events):
    return sorted(events, key=lambda event: (event.occurred_at, event.receipt))


def by_ruleset(entries):
    ledgers = {}
    for entry in entries:
        ledgers.setdefault(entry.ruleset_id, []).append(entry)
    return ledgers


def matching_rules(config, ruleset, event):
    """What the rules award, said the plain way, without any of the engine's preparation."""
    return [
        rule
        for rule in ruleset.rules
        if ruleset.active
        and rule.active
        and rule.event_type == event.event_type
        and all(
            limit is None or limit <= event.occurred_at
            for limit in (ruleset.start_at, rule.start_at)
        )
        and all(
            limit is None or event.occurred_at < limit for limit in (ruleset.end_at, rule.end_at)
        )
    ]


def scores_by_hand(history, events):
    """Each ruleset's score, added up event by event without a ledger."""
    scores = {}
    for event in in_order(events):
        config = history[event.version]
        for ruleset in config.rulesets:
            if rules := matching_rules(config, ruleset, event):
                score = scores.get(ruleset.ruleset_id, 0)
                reached = score + sum(rule.weight for rule in rules)
                floor = reached if config.allow_negative_scores else min(score, 0)
                scores[ruleset.ruleset_id] = max(reached, floor)
    return scores


# --- The ledger is the score ---


@engine_property
@given(some.leads())
def test_the_ledger_is_the_score(lead):
    history, events = lead

    outcome = replay(events, compiled(history))

    ledgers = by_ruleset(outcome.entries)
    assert ledgers.keys() == outcome.state.standings.keys()
    for ruleset_id, ledger in ledgers.items():
        assert [entry.seq for entry in ledger] == list(range(1, len(ledger) + 1))
        assert ledger[0].before == 0
        assert all(later.before == earlier.after for earlier, later in pairwise(ledger))
        assert all(entry.after == entry.before + entry.delta for entry in ledger)
        total = sum(entry.delta for entry in ledger)
        assert outcome.state.standings[ruleset_id] == Standing(total, len(ledger))


@engine_property
@given(some.leads())
def test_the_floor_holds_for_every_event_under_a_version_that_has_one(lead):
    history, events = lead

    entries = replay(events, compiled(history)).entries

    for (_, ruleset_id), group in groupby(entries, key=lambda it: (it.event_id, it.ruleset_id)):
        steps = list(group)
        if not history[steps[0].version].allow_negative_scores:
            assert min(step.after for step in steps) >= min(steps[0].before, 0), ruleset_id


@engine_property
@given(some.leads())
def test_scores_never_go_below_zero_where_no_version_allows_it(lead):
    history, events = lead
    floored = {
        version: Config(version=version, rulesets=config.rulesets)
        for version, config in history.items()
    }

    entries = replay(events, compiled(floored)).entries

    assert all(entry.after >= 0 for entry in entries)


@engine_property
@given(some.leads())
def test_scores_are_what_adding_up_by_hand_gives(lead):
    history, events = lead

    standings = replay(events, compiled(history)).state.standings

    by_hand = scores_by_hand(history, events)
    assert {ruleset_id: standing.score for ruleset_id, standing in standings.items()} == by_hand


@engine_property
@given(some.leads())
def test_every_rule_that_scores_an_event_has_one_entry_and_no_other_does(lead):
    history, events = lead

    entries = replay(events, compiled(history)).entries

    expected = [
        (event.event_id, ruleset.ruleset_id, rule.rule_id, event.version)
        for event in in_order(events)
        for ruleset in history[event.version].rulesets
        for rule in matching_rules(history[event.version], ruleset, event)
    ]
    found = [(it.event_id, it.ruleset_id, it.rule_id, it.version) for it in entries]
    assert sorted(found) == sorted(expected)


@engine_property
@given(some.configs(), some.percents, st.integers(-50, 200), st.data())
def test_an_event_moves_a_score_by_its_rounded_total_however_many_rules_it_meets(
    config, percent, start, data
):
    [event, *_] = data.draw(some.events({1: config}, min_size=1))
    standings = {ruleset_id: Standing(start, 9) for ruleset_id in some.RULESET_IDS}

    entries = award(compile_config(config), event, standings, percent)

    for ruleset_id, steps in by_ruleset(entries).items():
        exact = sum(
            Decimal(step.weight) * (percent if step.weight > 0 else 100) / 100 for step in steps
        )
        reached = start + int(exact.quantize(Decimal(1), ROUND_HALF_UP))
        floor = reached if config.allow_negative_scores else min(start, 0)
        assert steps[-1].after == max(reached, floor), ruleset_id
        assert sum(step.delta for step in steps) == steps[-1].after - start


@engine_property
@given(some.leads())
def test_a_waterfall_always_ends_in_the_score(lead):
    history, events = lead
    outcome = replay(events, compiled(history))
    types = {event.event_id: event.event_type for event in events}

    for ruleset_id, ledger in by_ruleset(outcome.entries).items():
        for tail in (ledger, ledger[len(ledger) // 2 :]):
            steps = build_waterfall([Reason(it, types[it.event_id]) for it in tail])

            assert steps[-1].running_total == outcome.state.standings[ruleset_id].score
            assert sum(step.delta for step in steps) == steps[-1].running_total
            assert sorted(it for step in steps for it in step.entries) == sorted(tail)


# --- Replay agrees ---


@engine_property
@given(some.leads(), st.data())
def test_any_split_into_batches_gives_what_one_replay_gives(lead, data):
    history, events = lead
    configs = compiled(history)
    whole = replay(events, configs)

    state, entries, sessions = EMPTY, [], {}
    for batch in data.draw(some.batches_of(in_order(events))):
        outcome = advance(state, batch, configs)
        state = outcome.state
        entries += outcome.entries
        sessions |= {session.started_at: session for session in outcome.sessions}

    assert state == whole.state
    assert entries == whole.entries
    assert list(sessions.values()) == whole.sessions


@engine_property
@given(some.leads(), st.data())
def test_any_order_of_arrival_ends_in_the_same_state(lead, data):
    history, events = lead
    configs = compiled(history)

    state, counted, ledger = EMPTY, [], []
    for batch in data.draw(some.batches_of(events)):
        counted += batch
        if any(is_late(state, event) for event in batch):
            state, ledger, _ = replay(counted, configs)
        else:
            outcome = advance(state, batch, configs)
            state, ledger = outcome.state, ledger + outcome.entries

    whole = replay(events, configs)
    assert state == whole.state
    assert ledger == whole.entries


@engine_property
@given(some.leads(), st.data())
def test_a_rescore_is_what_scoring_under_that_version_would_have_been(lead, data):
    history, events = lead
    version = data.draw(st.sampled_from(sorted(history)))
    configs = compiled(history)

    rescored = replay_as(events, configs[version])

    assert rescored == replay([event._replace(version=version) for event in events], configs)


@engine_property
@given(some.leads())
def test_sessions_hold_every_event_once_and_part_only_at_long_gaps(lead):
    history, events = lead

    outcome = replay(events, compiled(history))

    ordered = in_order(events)
    assert sum(session.event_count for session in outcome.sessions) == len(events)
    for session in outcome.sessions:
        members, ordered = ordered[: session.event_count], ordered[session.event_count :]
        assert (members[0].occurred_at, members[-1].occurred_at) == session[:2]
        assert all(_gap(*pair) <= _timeout(history, pair[1]) for pair in pairwise(members))
        assert not ordered or _gap(members[-1], ordered[0]) > _timeout(history, ordered[0])
    assert outcome.state.session == (outcome.sessions[-1] if outcome.sessions else None)


def _gap(earlier, later):
    return (later.occurred_at - earlier.occurred_at).total_seconds()


def _timeout(history, event):
    return history[event.version].session_timeout_seconds


# --- Snapshots and levels ---


@engine_property
@given(some.configs(), st.lists(some.levels(), max_size=4))
def test_a_config_comes_back_from_its_stored_snapshot_exactly(rulesets, levels):
    config = replace(rulesets, levels=tuple(levels))

    assert Config.from_json(json.loads(json.dumps(config.to_json()))) == config


@engine_property
@given(st.lists(some.levels(), max_size=6), st.integers(-60, 200))
def test_cut_levels_answer_as_levels_do(levels, score):
    assert LevelCut(levels).level_of(score) is level_of(levels, score)


@engine_property
@given(st.lists(some.levels(), max_size=5))
def test_levels_overlap_exactly_when_two_of_a_kind_share_a_score(levels):
    shared = any(
        sum(level.holds(score) for level in levels if level.kind == kind) > 1
        for kind in LevelKind
        for score in range(-60, 200)
    )

    overlap = find_overlap(levels)

    assert (overlap is not None) is shared
    if overlap:
        lower, upper = overlap
        assert lower.holds(upper.min_score)
