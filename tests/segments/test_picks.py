"""Leads that somebody adds to a segment or keeps out of it, whatever the rules say."""

from __future__ import annotations

import pytest

from leadvibe.leadlist.queries import count_members, list_members
from leadvibe.leadlist.rare_members import where_members_are
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.lib.paging import PageRequest
from leadvibe.pipeline import merging
from leadvibe.segments import picking, queries, service
from leadvibe.segments.errors import TooManyPicksError
from leadvibe.segments.membership import Membership, segments_of
from tests.api.segment_examples import add_rule, add_segment


@pytest.fixture
def leads(world):
    """Two whom a page view has named a plan of, and one it has not."""
    world.happen("page_view", "ana", plan="pro")
    world.happen("page_view", "bo", plan="pro")
    world.happen("page_view", "cy")
    return world


@pytest.fixture
def segment_id(leads):
    made = add_segment(leads)
    add_rule(leads, made)
    return made


def pick(world, segment_id, *lead_ids, is_in):
    before = picking.pick(
        world.principal, world.scope, segment_id, lead_ids, is_in=is_in, now=utc_now()
    )
    commit()
    return before


def audience(world, segment_id):
    segment = queries.get_segment(world.scope, segment_id)
    return Membership(world.scope).of(segment, queries.list_rules(world.scope, segment_id))


def members(world, segment_id):
    asked = audience(world, segment_id)
    found = [it.lead_id for it in list_members(world.scope, asked, PageRequest(1, 50))]
    assert count_members(world.scope, asked) == len(found)
    return sorted(found)


def test_who_is_added_is_in_it_and_who_is_kept_out_is_not(leads, segment_id):
    pick(leads, segment_id, "cy", is_in=True)
    pick(leads, segment_id, "ana", is_in=False)

    assert members(leads, segment_id) == ["bo", "cy"]
    assert [it.segment_id for it in segments_of(leads.scope, "cy")] == [segment_id]
    assert segments_of(leads.scope, "ana") == []


def test_left_to_the_rules_again_the_rules_decide(leads, segment_id):
    pick(leads, segment_id, "cy", is_in=True)
    pick(leads, segment_id, "ana", is_in=False)

    assert picking.unpick(leads.scope, segment_id, ["cy", "ana", "nobody"]) == 2

    assert members(leads, segment_id) == ["ana", "bo"]


def test_a_segment_needs_no_rules_to_have_members(leads):
    segment_id = add_segment(leads)

    pick(leads, segment_id, "cy", is_in=True)

    assert members(leads, segment_id) == ["cy"]
    assert where_members_are(leads.scope, audience(leads, segment_id)) == ["cy"]


def test_switched_off_it_has_nobody(leads):
    segment_id = add_segment(leads, active=False)
    pick(leads, segment_id, "cy", is_in=True)

    assert members(leads, segment_id) == []


def test_it_is_said_who_was_picked_how_before(leads, segment_id):
    assert pick(leads, segment_id, "cy", is_in=True) == {"cy": None}
    assert pick(leads, segment_id, "cy", "bo", is_in=False) == {"cy": True, "bo": None}
    assert pick(leads, segment_id, "cy", is_in=False) == {}


def test_whoever_others_become_part_of_is_picked_as_they_were(leads, segment_id):
    pick(leads, segment_id, "cy", is_in=True)
    world = leads
    world.happen("page_view", "dee")

    merging.merge(world.principal, world.scope, "dee", ["cy"], now=utc_now())
    assert members(world, segment_id) == ["ana", "bo", "dee"]

    merging.unmerge(world.principal, world.scope, "dee", now=utc_now())
    assert members(world, segment_id) == ["ana", "bo", "cy", "dee"]


def test_a_merge_does_not_let_in_who_is_kept_out(leads, segment_id):
    pick(leads, segment_id, "cy", is_in=True)
    pick(leads, segment_id, "bo", is_in=False)

    merging.merge(leads.principal, leads.scope, "bo", ["cy"], now=utc_now())

    assert members(leads, segment_id) == ["ana"]


def test_a_copy_has_the_same_picks(leads, segment_id):
    pick(leads, segment_id, "cy", is_in=True)

    copied = service.copy_segment(leads.principal, leads.scope, segment_id, now=utc_now())

    assert members(leads, copied.segment_id) == ["ana", "bo", "cy"]


def test_picks_go_with_their_segment(leads, segment_id):
    pick(leads, segment_id, "cy", is_in=True)

    service.delete_segment(leads.scope, segment_id)

    assert driver().execute("SELECT count(*) FROM segment_picks").fetchone() == (0,)


def test_more_than_can_be_remembered_one_by_one_are_refused(leads, segment_id, monkeypatch):
    monkeypatch.setattr(picking, "MOST_PICKED", 1)

    with pytest.raises(TooManyPicksError):
        pick(leads, segment_id, "cy", "bo", is_in=True)
