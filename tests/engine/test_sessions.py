from __future__ import annotations

from datetime import timedelta

from leadvibe.engine.facts import Session
from leadvibe.engine.sessions import group_sessions

from .factories import MONDAY, after

HALF_HOUR = timedelta(minutes=30)


def moments(*minutes: float, timeout: timedelta = HALF_HOUR):
    return [(after(minutes=minute), timeout) for minute in minutes]


def test_a_gap_of_exactly_the_timeout_continues_a_session():
    assert group_sessions(None, moments(0, 30)) == [Session(MONDAY, after(minutes=30), 2)]


def test_a_longer_gap_begins_another_session():
    a_moment_more = 30 + 1 / 60

    assert group_sessions(None, moments(0, a_moment_more)) == [
        Session(MONDAY, MONDAY, 1),
        Session(after(minutes=a_moment_more), after(minutes=a_moment_more), 1),
    ]


def test_the_timeout_counts_from_the_last_event_and_not_from_the_first():
    assert group_sessions(None, moments(0, 20, 40, 60)) == [Session(MONDAY, after(hours=1), 4)]


def test_the_open_session_goes_on_when_the_gap_is_short_enough():
    open_session = Session(after(hours=-1), after(minutes=-5), 3)

    assert group_sessions(open_session, moments(0, 10)) == [
        Session(after(hours=-1), after(minutes=10), 5)
    ]


def test_an_open_session_that_nobody_continued_is_not_touched():
    open_session = Session(after(hours=-3), after(hours=-2), 3)

    assert group_sessions(open_session, moments(0)) == [Session(MONDAY, MONDAY, 1)]


def test_events_of_the_same_instant_share_a_session_even_without_a_timeout():
    assert group_sessions(None, moments(0, 0, 0, timeout=timedelta(0))) == [
        Session(MONDAY, MONDAY, 3)
    ]


def test_each_event_brings_its_own_timeout():
    patient, impatient = timedelta(hours=2), timedelta(minutes=1)

    sessions = group_sessions(
        None, [(MONDAY, patient), (after(hours=1), patient), (after(hours=2), impatient)]
    )

    assert [session.event_count for session in sessions] == [2, 1]


def test_no_events_touch_no_session():
    assert group_sessions(Session(MONDAY, MONDAY, 1), []) == []
