"""Which events complete a shape, against a search through all ways to choose them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations, permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadvibe.engine.firing import Memory, Pace
from leadvibe.engine.patterns import Act, find_firings, meets
from leadvibe.engine.policies import FieldTest
from leadvibe.engine.triggers import (
    ANY_TYPE,
    Count,
    FireMode,
    Milestone,
    Pattern,
    Shape,
    Step,
    Surge,
    window_of,
)
from leadvibe.engine.triggers import Sequence as Steps

from .factories import make_id

START = datetime(2026, 1, 1, tzinfo=UTC)
ONCE, ALWAYS = Pace(FireMode.ONCE, timedelta(0)), Pace(FireMode.ALWAYS, timedelta(0))
DAY = 24 * 60 * 60


def act(event_type: str, second: int = 0, receipt: int = 1, **metadata: Any) -> Act:
    at = START + timedelta(seconds=second)
    return Act(make_id(), event_type, at, receipt, metadata, is_new=True)


def acts(*types_: str, every: int = 1) -> list[Act]:
    """Return new acts of these types, one after another."""
    return [act(it, place * every, place) for place, it in enumerate(types_)]


def old(those: Sequence[Act]) -> list[Act]:
    return [it._replace(is_new=False) for it in those]


def fired(shape: Shape, done: Sequence[Act], pace: Pace = ALWAYS, memory: Memory | None = None):
    """Return at which places a shape fires, and what took part."""
    found = find_firings(shape, done, pace, memory)
    return [tuple(done.index(it) for it in match.acts) for match in found]


def steps(*types_: str, window: int = DAY, ordered: bool = True) -> Steps:
    return Steps(tuple(Step(it) for it in types_), window, ordered)


def counts(window: int = DAY, **least: int) -> Pattern:
    return Pattern(tuple(Count(Step(name), it) for name, it in least.items()), window)


class TestSequences:
    def test_steps_in_their_order_complete_at_the_last(self):
        assert fired(steps("a", "b"), acts("a", "x", "b")) == [(0, 2)]

    def test_steps_in_another_order_complete_only_what_is_not_ordered(self):
        done = acts("b", "a")

        assert fired(steps("a", "b"), done) == []
        assert fired(steps("a", "b", ordered=False), done) == [(0, 1)]

    def test_a_step_needs_an_event_of_its_own(self):
        shape = steps("a", "a", ordered=False)

        assert fired(shape, acts("a")) == []
        assert fired(shape, acts("a", "a")) == [(0, 1)]

    def test_any_event_may_be_a_step(self):
        assert fired(steps(ANY_TYPE, "b"), acts("b", "b")) == [(0, 1)]

    def test_an_event_is_given_to_the_step_that_needs_it(self):
        special = (FieldTest("plan", "equals", "pro"),)
        shape = Steps((Step("a"), Step("a", special)), DAY)

        assert fired(shape, [act("a", 0, 1, plan="pro"), act("a", 1, 2)]) == [(0, 1)]
        assert fired(shape, [act("a", 0, 1), act("a", 1, 2, plan="pro")]) == [(0, 1)]
        assert fired(shape, [act("a", 0, 1), act("a", 1, 2)]) == []

    def test_the_window_holds_both_of_its_ends(self):
        assert fired(steps("a", "b", window=10), acts("a", "b", every=10)) == [(0, 1)]
        assert fired(steps("a", "b", window=9), acts("a", "b", every=10)) == []

    def test_between_events_of_one_instant_the_order_of_arrival_decides(self):
        assert fired(steps("a", "b"), [act("a", 0, 1), act("b", 0, 2)]) == [(0, 1)]
        assert fired(steps("a", "b"), [act("b", 0, 1), act("a", 0, 2)]) == []


class TestCounts:
    def test_a_pattern_is_complete_when_all_counts_are(self):
        shape = counts(a=2, b=1)

        assert fired(shape, acts("b", "a", "a", "x")) == [(0, 1, 2)]
        assert fired(shape, acts("b", "a", "x")) == []

    def test_an_event_may_count_for_several_conditions(self):
        shape = Pattern((Count(Step("a"), 1), Count(Step(ANY_TYPE), 2)), DAY)

        assert fired(shape, acts("a")) == []
        assert fired(shape, acts("a", "x")) == [(0, 1)]

    def test_a_surge_begins_again_when_it_has_fired(self):
        shape = Surge(threshold_count=2, window_seconds=DAY, event_type="a")

        assert fired(shape, acts("a", "a", "a", "x", "a")) == [(0, 1), (2, 4)]

    def test_a_surge_of_any_event_counts_all(self):
        assert fired(Surge(3, 10), acts("a", "b", "c", every=5)) == [(0, 1, 2)]
        assert fired(Surge(3, 9), acts("a", "b", "c", every=5)) == []


class TestWhatIsNew:
    def test_what_was_complete_before_is_old_news(self):
        assert fired(steps("a", "b"), old(acts("a", "b"))) == []
        assert fired(steps("a", "b"), [*old(acts("a", "b")), act("x", 5, 5)]) == []

    def test_old_events_may_take_part(self):
        assert fired(steps("a", "b"), [*old(acts("a")), act("b", 5, 5)]) == [(0, 1)]

    def test_an_event_that_comes_late_completes_what_stands_around_it(self):
        first, late, last = acts("a", "b", "c")
        done = [*old([first]), late, *old([last])]

        [match] = find_firings(steps("a", "b", "c"), done, ALWAYS, None)

        assert match.cause == late
        assert match.key == last.key

    def test_what_took_part_is_used_up_with_all_before_it(self):
        done = acts("a", "b", "a", "b")
        memory = Memory(done[1].occurred_at, done[1].key)

        assert fired(steps("a", "b"), done) == [(0, 1), (2, 3)]
        assert fired(steps("a", "b"), done, memory=memory) == [(2, 3)]
        assert fired(steps("a", "b"), done[1:], memory=Memory(START, done[0].key)) == [(1, 2)]

    def test_milestones_are_not_about_events(self):
        assert fired(Milestone(10), acts("a", "b")) == []


@pytest.mark.parametrize(
    ("tests", "metadata", "expected"),
    [
        ((), {}, True),
        ((FieldTest("plan", "in", "pro,team"),), {"plan": "Team"}, True),
        (
            (FieldTest("plan", "equals", "pro"), FieldTest("seats", "gte", 5)),
            {"plan": "pro"},
            False,
        ),
        ((FieldTest("utm.source", "not_exists"),), {"utm": {"source": "x"}}, False),
    ],
)
def test_a_step_asks_for_metadata_that_meets_all_tests(tests, metadata, expected):
    assert meets(Step("a", tests), act("a", **metadata)) is expected


# The same by trying everything


def complete(shape: Shape, window: Sequence[Act]) -> bool:
    """Say whether some choice of acts with the last among them is what the shape asks for."""
    *_, end = range(len(window))
    if isinstance(shape, Steps):
        choose = combinations if shape.ordered else permutations
        return any(
            end in chosen and all(map(meets, shape.steps, (window[it] for it in chosen)))
            for chosen in choose(range(len(window)), len(shape.steps))
        )
    wanted = (
        shape.counts
        if isinstance(shape, Pattern)
        else [Count(Step(shape.event_type), shape.threshold_count)]  # type: ignore[union-attr]
    )
    return any(meets(it.step, window[end]) for it in wanted) and all(
        sum(meets(it.step, each) for each in window) >= it.min_count for it in wanted
    )


def reference(shape: Shape, done: Sequence[Act], pace: Pace) -> Iterator[int]:
    """Yield the places at which a shape fires, when all acts are new."""
    memory: Memory | None = None
    for place, end in enumerate(done):
        window = [
            it
            for it in done[: place + 1]
            if it.occurred_at >= end.occurred_at - window_of(shape)
            and (memory is None or it.key > memory.boundary)
        ]
        if pace.allows(memory, end.occurred_at) and complete(shape, window):
            memory = Memory(end.occurred_at, end.key)
            yield place


TYPES = st.sampled_from("ab")
ASKED = st.builds(
    Step,
    st.sampled_from(["a", "b", ANY_TYPE]),
    st.sampled_from([(), (), (FieldTest("n", "gte", 2),)]),
)
WINDOWS = st.integers(1, 8)
SHAPES = st.one_of(
    st.builds(Steps, st.lists(ASKED, min_size=1, max_size=4).map(tuple), WINDOWS, st.booleans()),
    st.builds(
        Pattern,
        st.lists(st.builds(Count, ASKED, st.integers(1, 3)), min_size=1, max_size=3).map(tuple),
        WINDOWS,
    ),
    st.builds(Surge, st.integers(1, 4), WINDOWS, st.sampled_from(["a", ANY_TYPE])),
)
PACES = st.builds(
    Pace, st.sampled_from(FireMode), st.integers(0, 6).map(lambda it: timedelta(seconds=it))
)


@st.composite
def histories(draw: st.DrawFn, most: int = 8) -> list[Act]:
    """Draw acts in order, close together and some of them at one instant."""
    seconds = sorted(draw(st.lists(st.integers(0, 12), max_size=most)))
    return [
        act(draw(TYPES), second, receipt, n=draw(st.integers(1, 2)))
        for receipt, second in enumerate(seconds, start=1)
    ]


@given(SHAPES, histories(), PACES)
def test_firings_are_those_that_trying_everything_finds(shape, done, pace):
    found = list(find_firings(shape, done, pace, None))

    assert [done.index(it.acts[-1]) for it in found] == list(reference(shape, done, pace))


@given(SHAPES, histories(), PACES)
def test_what_takes_part_is_in_order_within_the_window_and_used_once(shape, done, pace):
    found = list(find_firings(shape, done, pace, None))

    parts = [it for match in found for it in match.acts]
    assert parts == sorted(parts, key=lambda it: it.key)
    assert len({it.event_id for it in parts}) == len(parts)
    for match in found:
        first, *_, last = (*match.acts, match.acts[-1])
        assert last.occurred_at - first.occurred_at <= window_of(shape)
        assert match.cause in match.acts


@given(SHAPES, histories(most=6), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter_for_what_is_complete(shape, done, chance):
    arrivals = list(done)
    chance.shuffle(arrivals)
    known: list[Act] = []
    memory: Memory | None = None
    for arrival in arrivals:
        known = sorted([*old(known), arrival], key=lambda it: it.key)
        for match in find_firings(shape, known, ONCE, memory):
            memory = Memory(match.acts[-1].occurred_at, match.key)

    assert (memory is not None) == bool(list(reference(shape, done, ONCE)))


@given(SHAPES, histories(), PACES, st.integers(0, 8))
def test_in_two_batches_fires_what_fires_in_one(shape, done, pace, split):
    first, second = done[:split], done[split:]
    one = list(find_firings(shape, first, pace, None))
    memory = Memory(one[-1].acts[-1].occurred_at, one[-1].key) if one else None

    two = list(find_firings(shape, [*old(first), *second], pace, memory))

    keys = [it.key for it in (*one, *two)]
    assert keys == [it.key for it in find_firings(shape, done, pace, None)]
