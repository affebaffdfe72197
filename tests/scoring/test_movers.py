"""Who moved within a span and why, also of a unit too large to look at everybody."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import driver
from leadvibe.scoring import mixes
from leadvibe.scoring.movers import Cause, list_causes, list_movements

DAY = timedelta(days=1)


@pytest.fixture
def moved(world):
    world.add_rule("page_view", 5)
    world.add_rule("spam", -2)
    world.happen("page_view", "old", ago=20 * DAY)
    world.happen("page_view", "ann", ago=9 * DAY)
    for _ in range(2):
        world.happen("page_view", "ann", ago=2 * DAY)
    world.happen("page_view", "ben", ago=9 * DAY)
    world.happen("spam", "ben", ago=DAY)
    return world


@pytest.mark.parametrize("most_in_all", [0, 100])
def test_risers_and_fallers_are_found_either_way(moved, most_in_all):
    start = utc_now() - 5 * DAY

    found = list_movements(moved.scope, start=start, end=None, most_in_all=most_in_all)

    assert found.is_complete
    assert [(it.lead_id, it.change) for it in found.risers(5)] == [("ann", 10)]
    assert [(it.lead_id, it.change) for it in found.fallers(5)] == [("ben", -2)]


def test_an_end_in_the_past_leaves_out_what_came_after(moved):
    now = utc_now()

    found = list_movements(moved.scope, start=now - 5 * DAY, end=now - 36 * DAY / 24)

    assert [it.lead_id for it in found.risers(5)] == ["ann"]
    assert found.fallers(5) == []


def test_a_unit_where_more_moved_than_are_looked_at_says_so(moved):
    found = list_movements(moved.scope, start=utc_now() - 5 * DAY, end=None, most=1, most_in_all=0)

    assert not found.is_complete


@pytest.mark.parametrize("most_in_all", [0, 100])
def test_the_mix_before_is_told_from_the_one_of_now(moved, most_in_all):
    start = utc_now() - 5 * DAY
    driver().execute("UPDATE leads SET created_at = last_event_at - interval '8 days'")

    found = list_movements(moved.scope, start=start, end=None, most_in_all=most_in_all)

    now = mixes.read_mix(moved.scope)
    assert now == {15: 1, 5: 1, 3: 1}
    assert found.mix_before(now, start) == {5: 3}


def test_a_lead_that_has_come_since_was_nowhere_before(moved):
    start = utc_now() - 5 * DAY
    moved.happen("page_view", "new")

    found = list_movements(moved.scope, start=start, end=None)

    before = found.mix_before(mixes.read_mix(moved.scope), start)
    assert sum(before.values()) == 0  # they were all made just now, whenever their events were


def test_causes_are_the_most_points_first(moved):
    start = utc_now() - 5 * DAY

    causes = list_causes(moved.scope, ["ann", "ben"], start=start, end=None)

    assert causes["ann"] == [Cause("event", "page_view", 10, 2)]
    assert causes["ben"] == [Cause("event", "spam", -2, 1)]


def test_a_mix_is_noted_once_a_day_and_found_again(moved):
    now = utc_now()

    assert mixes.note_mix(moved.scope, now=now)
    assert not mixes.note_mix(moved.scope, now=now)

    noted = mixes.find_mix(moved.scope, now.date() - 3 * DAY, now.date() + DAY)
    assert noted is not None
    assert noted.leads == mixes.read_mix(moved.scope)
    assert mixes.find_mix(moved.scope, now.date() + DAY, now.date() + 2 * DAY) is None
    assert mixes.forget_mixes(now=now + mixes.KEEP + DAY) == len(noted.leads)
