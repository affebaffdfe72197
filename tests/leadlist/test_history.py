"""The history of a lead: four lists as one, page by page without a gap or a repetition."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from leadvibe.events.types import Event
from leadvibe.leadlist.history import HistoryFilter, Kind, list_history, place_of
from leadvibe.leads import notes, statuses
from leadvibe.leads.statuses import Status
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.pipeline import ordering

NOW = utc_now().replace(microsecond=0)
STATUSES = (Status.CONTACTED, Status.LOST, Status.QUALIFIED, Status.LOST, Status.CONTACTED)
"""Each is another one than the latest before it."""


@pytest.fixture
def ann(world, people):
    """Ann has five of everything, all at the same three instants."""
    world.add_rule("page_view", 1)
    for place in range(5):
        at = NOW - timedelta(hours=place % 3)
        world.happen("page_view", "ann", at=at)
        notes.write_note(world.scope, people.owner.member, "ann", f"Note {place}", now=at)
        order(world, f"or/{place}", at)
        wanted = STATUSES[place]
        statuses.change_status(world.scope, "ann", wanted, by="ann", via="nexus", now=at)
        fire(world, at)
    driver().execute(
        "UPDATE events SET event_type = 'DECAY', receipt = 0 WHERE event_id = %s",
        (world.happen("page_view", "ann", at=NOW),),
    )
    commit()
    return world


def order(world, order_id, at):
    ordering.record_order(
        world.scope,
        order_id=order_id,
        lead_id="ann",
        aliases=(),
        amount=Decimal(5),
        currency="EUR",
        status="paid",
        ordered_at=at,
        items=[],
        now=at,
    )


def fire(world, at):
    driver().execute(
        """
        INSERT INTO emitted_events VALUES (%s, gen_random_uuid(), 'pattern', 'pattern.matched',
            gen_random_uuid(), 'Hot', 'ann', 5, 'page_view', gen_random_uuid(), 'web', %s, %s,
            'Two page views', '{}')
        """,
        (world.scope.unit_id, at, at),
    )


def walk(world, wanted, size):
    items, before = [], None
    while found := list_history(world.scope, "ann", wanted, limit=size, before=before):
        items += found
        before = place_of(found[-1])
    return [place_of(item) for item in items]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_pages_of_any_size_make_the_same_history(ann, size):
    places = walk(ann, HistoryFilter(), size)

    assert len(places) == len(set(places)) == 26
    assert [place[:2] for place in places] == sorted((it[:2] for it in places), reverse=True)


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        (Kind.EVENT, 5),
        (Kind.NOTE, 5),
        (Kind.ORDER, 5),
        (Kind.TRIGGER, 5),
        (Kind.STATUS, 5),
        (Kind.CHANGE, 1),
    ],
)
def test_a_kind_is_shown_alone(ann, kind, count):
    places = walk(ann, HistoryFilter(kind), 2)

    assert len(places) == count
    assert len({place.rank for place in places}) == 1


def test_a_type_of_event_is_shown_alone(ann):
    ann.happen("login", "ann")

    found = list_history(ann.scope, "ann", HistoryFilter(event_type="login"), limit=9)

    assert [it.event_type for it in found if isinstance(it, Event)] == ["login"]
    assert len(found) == 1


def test_what_is_of_others_is_not_in_it(ann, elsewhere):
    elsewhere.happen("page_view", "ann")

    assert len(list_history(elsewhere.scope, "ann", HistoryFilter(), limit=50)) == 1
