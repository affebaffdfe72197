from __future__ import annotations

import pytest

from leadvibe.engine.explain import (
    BROUGHT_FORWARD,
    Driver,
    Reason,
    RuleInForce,
    SurgeBoost,
    build_waterfall,
    explain,
    list_rules_in_force,
    rank_drivers,
    rank_surge_boosts,
)
from leadvibe.engine.facts import EntryKind

from .factories import MONDAY, after, make_config, make_entry, make_id, make_rule, make_ruleset

RULESET_ID = make_id()


def ledger(*lines, opening=0, first_seq=1):
    """A ruleset's unbroken run from (event type, delta, other fields of the entry) lines."""
    reasons, score = [], opening
    for seq, (event_type, delta, fields) in enumerate(lines, start=first_seq):
        entry = make_entry(
            **{"ruleset_id": RULESET_ID, **fields}, seq=seq, before=score, delta=delta
        )
        reasons.append(Reason(entry, event_type))
        score += delta
    return reasons


def steps_of(reasons):
    return [(step.label, step.delta, step.running_total) for step in build_waterfall(reasons)]


def test_drivers_sum_by_event_type_and_the_largest_of_either_sign_comes_first():
    reasons = ledger(
        ("page_view", 2, {}),
        ("demo_request", 40, {}),
        ("page_view", 3, {}),
        ("unsubscribe", -20, {}),
    )

    drivers = rank_drivers(reasons)

    assert [(driver.event_type, driver.total, driver.count) for driver in drivers] == [
        ("demo_request", 40, 1),
        ("unsubscribe", -20, 1),
        ("page_view", 5, 2),
    ]


def test_a_driver_names_the_rule_that_scored_its_newest_event():
    old, new = make_id(), make_id()
    reasons = ledger(
        ("page_view", 2, {"rule_id": old}),
        ("page_view", 7, {"rule_id": new, "at": after(days=1)}),
    )

    assert rank_drivers(reasons) == (Driver("page_view", 9, 2, rule_id=new, weight=7),)


def test_an_event_that_two_rules_scored_is_counted_once():
    event_id = make_id()
    reasons = ledger(("demo", 10, {"event_id": event_id}), ("demo", -4, {"event_id": event_id}))

    [driver] = rank_drivers(reasons)

    assert (driver.total, driver.count) == (6, 1)


def test_decay_is_no_driver_but_a_sum_of_its_own():
    reasons = ledger(("demo", 40, {}), ("DECAY", -5, {"kind": EntryKind.DECAY, "weight": -5}))

    explanation = explain(reasons, ruleset_id=RULESET_ID, since=MONDAY)

    assert explanation.decay_applied == -5
    assert [driver.event_type for driver in explanation.top_drivers] == ["demo"]


def test_an_explanation_looks_back_its_range_and_no_further():
    reasons = ledger(
        ("too_old", 1, {"at": after(seconds=-1)}),
        ("just_in", 2, {"at": MONDAY}),
        ("dated_ahead", 3, {"at": after(hours=30)}),
    )

    explanation = explain(reasons, ruleset_id=RULESET_ID, since=MONDAY)

    assert explanation.since == MONDAY
    assert [driver.event_type for driver in explanation.top_drivers] == ["dated_ahead", "just_in"]


def test_drivers_are_of_the_ruleset_that_is_shown_and_decay_of_all():
    other = {"ruleset_id": make_id()}
    reasons = ledger(
        ("demo", 40, {}),
        ("demo", 7, other),
        ("DECAY", -5, {"kind": EntryKind.DECAY}),
        ("DECAY", -3, {"kind": EntryKind.DECAY, **other}),
    )

    explanation = explain(reasons, ruleset_id=RULESET_ID, since=MONDAY)

    assert [driver.total for driver in explanation.top_drivers] == [40]
    assert explanation.decay_applied == -8


def test_a_boost_is_what_the_multiplier_added_above_the_weight():
    raised = {"weight": 5, "percent": 150}
    reasons = ledger(
        ("page_view", 5, {}),
        ("page_view", 8, raised),
        ("page_view", 8, raised),
        ("page_view", 10, {"weight": 5, "percent": 200}),
    )

    explanation = explain(reasons, ruleset_id=RULESET_ID, since=MONDAY)

    assert explanation.surge_boosts == (
        SurgeBoost("page_view", base=10, multiplier_percent=150, boost=6, event_count=2),
        SurgeBoost("page_view", base=5, multiplier_percent=200, boost=5, event_count=1),
    )
    assert (explanation.surge_total, explanation.surge_event_count) == (11, 3)


def test_the_floor_does_not_take_from_a_boost():
    reasons = ledger(("demo", 0, {"weight": 10, "percent": 150}))

    assert [boost.boost for boost in rank_surge_boosts(reasons)] == [5]


def test_a_waterfall_runs_from_nothing_through_gains_and_losses_to_the_score():
    reasons = ledger(
        ("page_view", 2, {}),
        ("unsubscribe", -20, {}),
        ("demo_request", 40, {}),
        ("page_view", 3, {}),
        ("DECAY", -5, {"kind": EntryKind.DECAY}),
    )

    assert steps_of(reasons) == [
        ("demo_request", 40, 40),
        ("page_view", 5, 45),
        ("unsubscribe", -20, 25),
        ("DECAY", -5, 20),
    ]


def test_a_step_leads_down_to_the_entries_it_sums():
    reasons = ledger(("page_view", 2, {}), ("demo_request", 40, {}), ("page_view", 3, {}))

    step = build_waterfall(reversed(reasons))[1]

    assert step.entries == (reasons[0].entry, reasons[2].entry)


def test_a_waterfall_of_the_newest_entries_opens_with_what_came_before():
    reasons = ledger(("demo_request", 40, {}), opening=15, first_seq=4)

    assert steps_of(reasons) == [(BROUGHT_FORWARD, 15, 15), ("demo_request", 40, 55)]


def test_a_lead_without_entries_has_an_empty_waterfall():
    assert build_waterfall([]) == ()


def test_a_waterfall_that_would_not_end_in_the_score_is_refused():
    gap = ledger(("a", 1, {}), ("b", 2, {}), ("c", 3, {}))
    del gap[1]

    with pytest.raises(ValueError, match=r"entry 3 of ruleset .* does not follow entry 1"):
        build_waterfall(gap)
    with pytest.raises(ValueError, match="unbroken"):
        build_waterfall(ledger(("a", 1, {}), ("a", 1, {"ruleset_id": make_id()})))


def test_the_rules_in_force_are_listed_heaviest_first():
    strong, negative = make_rule("demo", 40), make_rule("unsubscribe", -50)
    over = make_rule("webinar", 99, end_at=MONDAY)
    running = make_ruleset(strong, negative, over, make_rule("visit", 70, active=False))
    paused = make_ruleset(make_rule("visit", 80), active=False)

    rules = list_rules_in_force(make_config(running, paused), now=MONDAY)

    assert rules == (
        RuleInForce(running.ruleset_id, negative.rule_id, "unsubscribe", -50),
        RuleInForce(running.ruleset_id, strong.rule_id, "demo", 40),
    )
