from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from leadvibe.engine.history import HOUR, Point, look_hourly

from .factories import MONDAY, after


def looks(*changes, opening=0, start=MONDAY, end=None):
    points = [Point(start + timedelta(minutes=minute), score) for minute, score in changes]
    found = look_hourly(points, opening=opening, start=start, end=end or start + 3 * HOUR)
    return [((point.at - start) // timedelta(minutes=1), point.score) for point in found]


def test_the_score_is_looked_at_from_hour_to_hour():
    assert looks((30, 5), (90, 12)) == [(0, 0), (60, 5), (120, 12), (180, 12)]


def test_a_score_that_stays_is_what_it_was_before():
    assert looks(opening=7) == [(0, 7), (60, 7), (120, 7), (180, 7)]


def test_what_happens_at_the_very_instant_of_a_look_is_in_it():
    assert looks((60, 5), (180, 9)) == [(0, 0), (60, 5), (120, 5), (180, 9)]


def test_a_period_that_begins_within_an_hour_is_looked_at_on_the_hour_from_then_on():
    start = after(minutes=45)

    assert looks((20, 5), start=start, end=start + timedelta(minutes=80)) == [
        (0, 0), (15, 0), (75, 5), (80, 5),
    ]  # fmt: skip


def test_a_period_shorter_than_an_hour_has_its_two_ends():
    assert looks((10, 5), end=after(minutes=20)) == [(0, 0), (20, 5)]


@given(
    st.lists(st.tuples(st.integers(1, 600), st.integers(-50, 50)), max_size=20),
    st.integers(-50, 50),
    st.integers(0, 59),
)
def test_every_look_sees_the_last_change_before_it(changes, opening, minute):
    start = after(minutes=minute)
    ordered = [Point(start + timedelta(minutes=at), to) for at, to in sorted(changes)]

    for look in look_hourly(ordered, opening=opening, start=start, end=start + 9 * HOUR):
        past = [change.score for change in ordered if change.at <= look.at]
        assert look.score == (past[-1] if past else opening)
