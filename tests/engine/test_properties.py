"""What must hold for any configuration and any events, before any screen exists."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from leadvibe.engine.engagement import award, compile_config
from leadvibe.engine.explain import Reason, build_waterfall
from leadvibe.engine.facts import EntryKind, Standing
from leadvibe.engine.levels import LevelCut, find_overlap, level_of
from leadvibe.engine.policies import SYSTEM_TYPES, Reach
from leadvibe.engine.replay import history_under, replay
from leadvibe.engine.rules import Config, LevelKind
from tests.effort import examples

from . import strategies as some

engine_property = settings(max_examples=examples(60), deadline=None)

LEAD_ID = "ana"
IN_THE_END = some.START + timedelta(days=20)
"""Later than anything that the strategies let happen."""


def score(versions, events):
    """Score all events, and decay until well after them."""
    return replay(LEAD_ID, events, versions.history(), until=IN_THE_END)


def in_order(events):
    return sorted(events, key=lambda event: (event.occurred_at, event.receipt))


def by_ruleset(entries):
    ledgers = {}
    for entry in entries:
        ledgers.setdefault(entry.ruleset_id, []).append(entry)
    return ledgers


def matching_rules(config, ruleset, event):
    """What the rules award, said the plain way, without any of the engine's preparation."""
    decision = config.policies.event_types.get(event.event_type)
    return [
        rule
        for rule in ruleset.rules
        if ruleset.active
        and rule.active
        and rule.event_type == event.event_type
        and not (decision and decision.hidden)
        and all(
            limit is None or limit <= event.occurred_at
            for limit in (ruleset.start_at, rule.start_at)
        )
        and all(
            limit is None or event.occurred_at < limit for limit in (ruleset.end_at, rule.end_at)
        )
    ]


# --- The ledger is the score ---


@engine_property
@given(some.leads())
def test_the_ledger_is_the_score(lead):
    outcome = score(*lead)

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
    versions, events = lead

    entries = score(versions, events).entries

    for (_, ruleset_id), group in groupby(entries, key=lambda it: (it.event_id, it.ruleset_id)):
        steps = list(group)
        if not versions[steps[0].version].allow_negative_scores:
            assert min(step.after for step in steps) >= min(steps[0].before, 0), ruleset_id


@engine_property
@given(some.leads())
def test_scores_never_go_below_zero_where_no_version_allows_it(lead):
    versions, events = lead
    floored = {
        version: replace(config, allow_negative_scores=False)
        for version, config in versions.configs.items()
    }
    awarders = {version: compile_config(config) for version, config in floored.items()}

    outcome = score(some.Versions(floored, versions.starts, awarders), events)

    assert all(entry.after >= 0 for entry in outcome.entries)


@engine_property
@given(some.leads())
def test_every_rule_that_scores_an_event_has_one_entry_and_no_other_does(lead):
    versions, events = lead

    outcome = score(versions, events)

    expected = [
        (event.event_id, ruleset.ruleset_id, rule.rule_id, event.version)
        for event in outcome.counted
        for ruleset in versions[event.version].rulesets
        for rule in matching_rules(versions[event.version], ruleset, event)
    ]
    found = [
        (it.event_id, it.ruleset_id, it.rule_id, it.version)
        for it in outcome.entries
        if it.kind == EntryKind.EVENT
    ]
    assert sorted(found) == sorted(expected)


@engine_property
@given(some.configs(), some.percents, st.integers(-50, 200), st.data())
def test_an_event_moves_a_score_by_its_rounded_total_however_many_rules_it_meets(
    config, percent, start, data
):
    awarder = compile_config(config)
    versions = some.Versions({1: config}, (some.START,), {1: awarder})
    [event, *_] = data.draw(some.events(versions, min_size=1))
    standings = {ruleset_id: Standing(start, 9) for ruleset_id in some.RULESET_IDS}

    entries = award(awarder, event, standings, percent)

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
    versions, events = lead
    outcome = score(versions, events)
    types = {event.event_id: event.event_type for event in events}
    types |= {decay.event_id: "DECAY" for decay in outcome.decays}

    for ruleset_id, ledger in by_ruleset(outcome.entries).items():
        for tail in (ledger, ledger[len(ledger) // 2 :]):
            steps = build_waterfall([Reason(it, types[it.event_id]) for it in tail])

            assert steps[-1].running_total == outcome.state.standings[ruleset_id].score
            assert sum(step.delta for step in steps) == steps[-1].running_total
            assert sorted(it for step in steps for it in step.entries) == sorted(tail)


# --- Surge ---


@engine_property
@given(some.leads())
def test_only_positive_weights_of_counted_events_are_multiplied_and_never_beyond_the_cap(lead):
    versions, events = lead

    for entry in score(versions, events).entries:
        if entry.multiplier_percent != 100:
            assert entry.kind == EntryKind.EVENT
            assert entry.weight > 0
            cap = versions[entry.version].policies.surge.cap_percent
            assert 100 < entry.multiplier_percent <= cap


# --- Decay ---


@engine_property
@given(some.leads())
def test_decay_takes_points_at_ends_of_periods_and_from_nothing_but_points(lead):
    versions, events = lead

    outcome = score(versions, events)

    taken = [entry for entry in outcome.entries if entry.kind == EntryKind.DECAY]
    for entry in taken:
        assert 0 < -entry.delta <= -entry.weight
        assert entry.before != 0
        before = [it.occurred_at for it in outcome.counted if it.occurred_at < entry.occurred_at]
        rule = next(
            it
            for it in versions[entry.version].policies.decays
            if (it.decay_id, it.decrease) == (entry.rule_id, -entry.weight)
            and (entry.occurred_at - max(before)) % it.period == timedelta(0)
        )
        assert entry.occurred_at >= rule.created_at
    assert {decay.event_id for decay in outcome.decays} == {entry.event_id for entry in taken}
    assert len({decay.event_id for decay in outcome.decays}) == len(outcome.decays)


# --- What does not count ---


@engine_property
@given(some.leads())
def test_the_outcome_is_that_of_the_counted_events_alone_without_any_filter(lead):
    versions, events = lead
    outcome = score(versions, events)
    unfiltered = {
        version: replace(
            config, policies=replace(config.policies, velocity_filters=(), metadata_filters=())
        )
        for version, config in versions.configs.items()
    }
    awarders = {version: compile_config(config) for version, config in unfiltered.items()}

    alone = score(some.Versions(unfiltered, versions.starts, awarders), outcome.counted)

    assert (alone.state, alone.entries) == (outcome.state, outcome.entries)
    assert (alone.sessions, alone.decays) == (outcome.sessions, outcome.decays)


@engine_property
@given(some.leads())
def test_filtered_and_folded_events_might_as_well_not_have_come(lead):
    """Those over a rate are not like that: they keep the rate up for the ones that follow."""
    versions, events = lead
    outcome = score(versions, events)
    reasons, folded, _ = outcome.judgement
    silent = {receipt for receipt, reason in reasons.items() if reason == "metadata_filter"}
    silent |= set(folded)

    without = score(versions, [event for event in events if event.receipt not in silent])

    assert without[:-1] == outcome[:-1]
    assert without.judgement.reasons == {
        receipt: reason for receipt, reason in reasons.items() if receipt not in silent
    }


@engine_property
@given(some.leads())
def test_every_event_counts_unless_a_filter_or_its_type_says_otherwise(lead):
    versions, events = lead

    outcome = score(versions, events)

    for event in events:
        decision = versions[event.version].policies.event_types.get(event.event_type)
        is_only_observed = event.event_type in SYSTEM_TYPES or (
            decision is not None and decision.reach is Reach.OBSERVE
        )
        counts = not is_only_observed and event.receipt not in outcome.judgement.reasons
        assert (event in outcome.counted) is counts
    assert outcome.counted == in_order(outcome.counted)


# --- A rescore ---


@engine_property
@given(some.leads(), st.data())
def test_a_rescore_is_what_scoring_under_that_version_would_have_been(lead, data):
    versions, events = lead
    version = data.draw(st.sampled_from(sorted(versions.configs)))
    config, awarder = versions[version], versions.awarders[version]
    always = history_under(config, awarder, [event._replace(version=version) for event in events])

    rescored = replay(LEAD_ID, events, history_under(config, awarder, events), until=IN_THE_END)

    renumbered = [event._replace(version=version) for event in events]
    expected = replay(LEAD_ID, renumbered, always, until=IN_THE_END)
    assert rescored._replace(counted=expected.counted) == expected
    assert [event.receipt for event in rescored.counted] == [it.receipt for it in expected.counted]


# --- Sessions ---


@engine_property
@given(some.leads())
def test_sessions_hold_every_counted_event_once_and_part_only_at_long_gaps(lead):
    versions, events = lead

    outcome = score(versions, events)

    ordered = list(outcome.counted)
    assert sum(session.event_count for session in outcome.sessions) == len(ordered)
    for session in outcome.sessions:
        members, ordered = ordered[: session.event_count], ordered[session.event_count :]
        assert (members[0].occurred_at, members[-1].occurred_at) == session[:2]
        assert all(_gap(*pair) <= _timeout(versions, pair[1]) for pair in pairwise(members))
        assert not ordered or _gap(members[-1], ordered[0]) > _timeout(versions, ordered[0])
    assert outcome.state.session == (outcome.sessions[-1] if outcome.sessions else None)


def _gap(earlier, later):
    return (later.occurred_at - earlier.occurred_at).total_seconds()


def _timeout(versions, event):
    return versions[event.version].session_timeout_seconds


# --- Snapshots and levels ---


@engine_property
@given(some.configs(), st.lists(some.levels(), max_size=4), some.unscoring_policies)
def test_a_config_comes_back_from_its_stored_snapshot_exactly(scoring, levels, unscoring):
    policies = replace(scoring.policies, **unscoring)
    config = replace(scoring, levels=tuple(levels), policies=policies)

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
