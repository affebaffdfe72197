from __future__ import annotations

import pytest

from leadvibe.engine.engagement import award, compile_config, round_hundredths
from leadvibe.engine.facts import EntryKind, Standing

from .factories import MONDAY, after, make_awarder, make_config, make_event, make_rule, make_ruleset


def test_a_matching_rule_awards_its_weight_and_says_so_in_the_ledger():
    rule = make_rule("demo_request", 40)
    ruleset = make_ruleset(rule)
    awarder = compile_config(make_config(ruleset, version=7))
    event = make_event("demo_request", version=7)

    [entry] = award(awarder, event, {ruleset.ruleset_id: Standing(5, 3)})

    assert entry._asdict() == {
        "ruleset_id": ruleset.ruleset_id,
        "seq": 4,
        "event_id": event.event_id,
        "rule_id": rule.rule_id,
        "version": 7,
        "kind": EntryKind.EVENT,
        "weight": 40,
        "multiplier_percent": 100,
        "before": 5,
        "delta": 40,
        "after": 45,
        "occurred_at": MONDAY,
    }


def test_each_active_ruleset_keeps_its_own_score():
    sales = make_ruleset(make_rule("demo_request", 40), name="Sales")
    product = make_ruleset(make_rule("demo_request", 3), name="Product")
    awarder = compile_config(make_config(sales, product))

    entries = award(awarder, make_event(), {product.ruleset_id: Standing(10, 1)})

    assert [(entry.ruleset_id, entry.seq, entry.after) for entry in entries] == [
        (sales.ruleset_id, 1, 40),
        (product.ruleset_id, 2, 13),
    ]


def test_an_event_that_no_rule_scores_has_no_entry():
    assert award(make_awarder(make_rule("demo_request")), make_event("page_view"), {}) == []


@pytest.mark.parametrize("event_type", ["Demo_Request", "demo_request ", "demo"])
def test_event_types_match_exactly(event_type):
    assert award(make_awarder(make_rule("demo_request")), make_event(event_type), {}) == []


def test_inactive_rules_and_rulesets_award_nothing():
    paused_rule = make_ruleset(make_rule(active=False))
    paused_ruleset = make_ruleset(make_rule(), active=False)

    assert award(compile_config(make_config(paused_rule, paused_ruleset)), make_event(), {}) == []


@pytest.mark.parametrize(
    ("at", "is_scored"),
    [
        (after(seconds=-1), False),
        (MONDAY, True),
        (after(days=1, seconds=-1), True),
        (after(days=1), False),
    ],
)
@pytest.mark.parametrize("where", ["rule", "ruleset"])
def test_a_window_includes_its_start_and_excludes_its_end(where, at, is_scored):
    window = {"start_at": MONDAY, "end_at": after(days=1)}
    rule = make_rule(**(window if where == "rule" else {}))
    ruleset = make_ruleset(rule, **(window if where == "ruleset" else {}))

    entries = award(compile_config(make_config(ruleset)), make_event(at=at), {})

    assert bool(entries) is is_scored


def test_a_rule_counts_only_where_its_window_and_its_rulesets_meet():
    ruleset = make_ruleset(
        make_rule(start_at=after(days=1), end_at=after(days=9)),
        start_at=MONDAY,
        end_at=after(days=2),
    )
    awarder = compile_config(make_config(ruleset))

    scored_days = [day for day in range(4) if award(awarder, make_event(at=after(days=day)), {})]

    assert scored_days == [1]


def test_a_windowed_ruleset_leaves_the_others_alone():
    over = make_ruleset(make_rule(weight=7), end_at=MONDAY)
    running = make_ruleset(make_rule(weight=5))

    [entry] = award(compile_config(make_config(over, running)), make_event(), {})

    assert (entry.ruleset_id, entry.delta) == (running.ruleset_id, 5)


def test_the_floor_cuts_the_delta_and_not_only_the_score():
    ruleset = make_ruleset(make_rule("unsubscribe", -20))
    awarder = compile_config(make_config(ruleset))

    [entry] = award(awarder, make_event("unsubscribe"), {ruleset.ruleset_id: Standing(5, 1)})

    assert (entry.weight, entry.before, entry.delta, entry.after) == (-20, 5, -5, 0)


def test_an_event_without_effect_at_the_floor_still_has_its_entry():
    [entry] = award(make_awarder(make_rule("unsubscribe", -20)), make_event("unsubscribe"), {})

    assert (entry.before, entry.delta, entry.after) == (0, 0, 0)


def test_scores_go_below_zero_when_that_is_allowed():
    awarder = make_awarder(make_rule("unsubscribe", -20), allow_negative_scores=True)

    [entry] = award(awarder, make_event("unsubscribe"), {})

    assert entry.after == -20


@pytest.mark.parametrize(("weight", "reached"), [(4, -6), (-4, -10), (15, 5)])
def test_a_score_below_zero_from_before_the_floor_gets_no_more_points_than_the_rule_is_worth(
    weight, reached
):
    ruleset = make_ruleset(make_rule(weight=weight))

    [entry] = award(
        compile_config(make_config(ruleset)),
        make_event(),
        {ruleset.ruleset_id: Standing(-10, 1)},
    )

    assert entry.after == reached


def test_several_rules_of_one_type_each_have_an_entry_and_add_up():
    awarder = make_awarder(make_rule(weight=10), make_rule(weight=-4))

    entries = award(awarder, make_event(), {})

    assert [(entry.seq, entry.before, entry.delta, entry.after) for entry in entries] == [
        (1, 0, 10, 10),
        (2, 10, -4, 6),
    ]


@pytest.mark.parametrize(
    ("start", "weights", "reached"),
    [(4, (10, -20), 0), (4, (-20, 10), 0), (-10, (20, -40), -10), (-10, (-40, 20), -10)],
)
def test_the_order_of_rules_does_not_change_what_an_event_adds(start, weights, reached):
    ruleset = make_ruleset(*(make_rule(weight=weight) for weight in weights))

    entries = award(
        compile_config(make_config(ruleset)), make_event(), {ruleset.ruleset_id: Standing(start, 1)}
    )

    assert entries[-1].after == reached


def test_rules_are_added_up_before_rounding():
    awarder = make_awarder(*(make_rule(weight=1) for _ in range(3)))

    entries = award(awarder, make_event(), {}, multiplier_percent=150)

    assert [entry.delta for entry in entries] == [2, 1, 2]
    assert entries[-1].after == 5


def test_only_positive_weights_are_multiplied():
    awarder = make_awarder(make_rule(weight=10), make_rule(weight=-4))

    entries = award(awarder, make_event(), {}, multiplier_percent=150)

    assert [(entry.multiplier_percent, entry.delta) for entry in entries] == [(150, 15), (100, -4)]


@pytest.mark.parametrize(
    ("hundredths", "points"),
    [(0, 0), (49, 0), (50, 1), (149, 1), (150, 2), (-49, 0), (-50, -1), (-149, -1), (-150, -2)],
)
def test_halves_are_rounded_away_from_zero(hundredths, points):
    assert round_hundredths(hundredths) == points
