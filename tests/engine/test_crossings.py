from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from leadvibe.engine.crossings import count_rises

from .factories import make_entry, make_id

RULESET_ID = make_id()


def ledger(*scores, event_ids=None):
    """A ruleset's entries that lead from score to score."""
    ids = event_ids or [make_id() for _ in scores]
    return [
        make_entry(ruleset_id=RULESET_ID, seq=seq, before=low, delta=high - low, event_id=event_id)
        for seq, ((low, high), event_id) in enumerate(
            zip(pairwise(scores), ids, strict=False), start=1
        )
    ]


def test_a_threshold_is_reached_from_below_and_exactly_is_enough():
    assert count_rises(ledger(0, 49, 50, 60), [50]) == {50: 1}


def test_a_score_that_falls_and_rises_again_reaches_it_again():
    assert count_rises(ledger(0, 50, 40, 80, 0, 50), [50, 80]) == {50: 3, 80: 1}


def test_one_step_may_reach_several_thresholds():
    assert count_rises(ledger(-10, 100), [-20, -10, 0, 50, 100, 101]) == {0: 1, 50: 1, 100: 1}


def test_what_several_rules_make_of_one_event_is_one_step():
    event_id = make_id()

    entries = ledger(40, 60, 45, 55, event_ids=[event_id, event_id, make_id()])

    assert count_rises(entries, [50]) == {50: 1}


@given(
    st.lists(st.integers(-30, 30), min_size=1, max_size=20),
    st.sets(st.integers(-30, 30), max_size=5),
)
def test_rises_are_those_that_comparing_neighbours_finds(scores, thresholds):
    expected = {
        threshold: times
        for threshold in thresholds
        if (times := sum(low < threshold <= high for low, high in pairwise(scores)))
    }

    assert count_rises(ledger(*scores), sorted(thresholds)) == expected
