"""A score explained over any span: every point stays accounted for, however it is cut."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest

from leadvibe.explain.queries import explain_span
from leadvibe.lib.clock import utc_now
from leadvibe.scoring import lead_scores
from leadvibe.scoring.movements import Opened, Span, list_movements

DAY = timedelta(days=1)


@pytest.fixture
def busy(world, scenes):
    """Return a unit where Ann did a hundred things over as many days, good ones and bad ones."""

    def make():
        chance = Random(7)
        weights = {"demo_request": 10, "page_view": 1, "complaint": -4}
        for event_type, weight in weights.items():
            world.add_rule(event_type, weight)
        for age in range(100, 0, -1):
            world.happen(chance.choice(list(weights)), "ann", ago=age * DAY)

    scenes.set("a busy lead", make)
    return world


def ledger(world):
    return lead_scores.list_entries(world.scope, "ann", ruleset_id=world.primary.ruleset_id)


@pytest.mark.parametrize("length", [1, 7, 30, 90, None])
@pytest.mark.parametrize("days_ago", [0, 1, 13, 60, 99, 150])
def test_opening_and_groups_add_up_to_the_score_of_that_day(busy, length, days_ago):
    until = utc_now() - days_ago * DAY if days_ago else None
    since = (until or utc_now()) - length * DAY if length else None

    explained = explain_span(
        busy.scope, "ann", busy.primary.ruleset_id, Span(since, until), newest=3
    )

    def stood(at, *, included):
        before = (it for it in ledger(busy) if it.occurred_at < at or included)
        return [it.after for it in before if it.occurred_at <= at]

    expected = stood(until or utc_now(), included=True)[-1:] or [0]
    assert explained.score == expected[0]
    assert explained.opening == ([*stood(since, included=False)] or [0])[-1] if since else True
    assert explained.opening + sum(it.delta for it in explained.groups) == explained.score


def test_a_group_counts_all_and_shows_the_newest(busy):
    whole = ledger(busy)

    [views] = [it for it in explain(busy) if it.event_type == "page_view"]

    entries = [it for it in whole if it.event_type == "page_view"]
    assert views.count == len(entries) > 2
    assert views.delta == sum(it.delta for it in entries)
    assert [it.seq for it in views.entries] == [it.seq for it in entries[:-3:-1]]


def test_an_opened_group_is_read_further_than_the_others(busy):
    groups = explain(busy, opened=Opened("event", "page_view", 7))

    assert {it.event_type: len(it.entries) for it in groups} == {
        "page_view": 7, "demo_request": 2, "complaint": 2
    }  # fmt: skip


def test_gains_come_first_and_the_largest_of_them_first(busy):
    assert [it.event_type for it in explain(busy)] == ["demo_request", "page_view", "complaint"]


def test_steps_of_time_add_up_to_the_ledger(busy):
    start = (utc_now() - 120 * DAY).replace(hour=0, minute=0, second=0, microsecond=0)

    moved = list_movements(
        busy.scope, "ann", busy.primary.ruleset_id, Span(), start=start, step=7 * DAY
    )

    assert sum(it.delta for it in moved) == ledger(busy)[-1].after
    assert sum(it.times for it in moved) == len(ledger(busy))
    assert moved[-1].after == ledger(busy)[-1].after
    assert all((it.at - start) % (7 * DAY) == timedelta(0) for it in moved)


def explain(world, **wanted):
    return explain_span(
        world.scope, "ann", world.primary.ruleset_id, Span(), **{"newest": 2, **wanted}
    ).groups
