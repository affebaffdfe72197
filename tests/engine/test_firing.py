"""How often a trigger fires for one lead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from leadvibe.engine.firing import Key, Memory, Pace, choose
from leadvibe.engine.triggers import FireMode

START = datetime(2026, 1, 1, tzinfo=UTC)
NO_TIME, HOUR = timedelta(0), timedelta(hours=1)
ONCE, ALWAYS = FireMode.ONCE, FireMode.ALWAYS


class Occasion(NamedTuple):
    key: Key


def at(*minutes):
    return [Occasion((START + timedelta(minutes=it), place)) for place, it in enumerate(minutes, 1)]


def chosen(occasions, mode, cooldown=NO_TIME, memory=None):
    return list(choose(occasions, Pace(mode, cooldown), memory))


def test_once_is_the_first_time_only():
    occasions = at(0, 10, 200)

    assert chosen(occasions, ONCE) == occasions[:1]


def test_once_is_over_for_whoever_it_has_fired_for():
    memory = Memory(START, (START, 1))

    assert chosen(at(10, 200), ONCE, memory=memory) == []


def test_always_is_each_time():
    occasions = at(0, 0, 10)

    assert chosen(occasions, ALWAYS) == occasions


def test_a_cooldown_is_over_when_it_has_passed_in_full():
    first, _, _, fourth, _ = occasions = at(0, 1, 59, 60, 119)

    assert chosen(occasions, ALWAYS, HOUR) == [first, fourth]


def test_a_cooldown_counts_from_what_is_remembered():
    memory = Memory(START + timedelta(minutes=30), (START, 1))
    _, second = occasions = at(60, 90)

    assert chosen(occasions, ALWAYS, HOUR, memory) == [second]


def test_an_occasion_of_the_past_does_not_fire_within_the_cooldown_before():
    memory = Memory(START + 2 * HOUR, (START, 1))

    assert chosen(at(0), ALWAYS, HOUR, memory) == []
