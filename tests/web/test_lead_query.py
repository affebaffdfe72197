"""Reading the leads list's address, where the page itself cannot show it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadvibe.engine.levels import find_overlap, level_of
from leadvibe.engine.rules import Level, LevelKind
from leadvibe.leadlist.types import ScoreRange
from leadvibe.web.lead_query import gaps, read_lead_query

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def level(low, high):
    return Level(uuid4(), LevelKind.ENGAGEMENT, f"from {low}", low, high)


@st.composite
def separate_levels(draw):
    bounds = sorted(draw(st.sets(st.integers(-50, 50), min_size=2, max_size=8)))
    pairs = list(zip(bounds[::2], bounds[1::2], strict=False))
    levels = [level(low, high) for low, high in pairs]
    if draw(st.booleans()):
        levels[-1] = level(pairs[-1][0], None)
    return levels


@given(separate_levels(), st.integers(-60, 60))
def test_the_gaps_hold_exactly_the_scores_that_no_level_holds(levels, score):
    assert find_overlap(levels) is None

    in_a_gap = [
        gap
        for gap in gaps(levels)
        if (gap.low is None or gap.low <= score) and (gap.high is None or score <= gap.high)
    ]

    assert len(in_a_gap) == (level_of(levels, score) is None)


def test_without_levels_every_score_is_unclassified():
    assert gaps([]) == (ScoreRange(None, None),)


def test_defaults_are_left_out_of_addresses():
    query = read_lead_query(
        {"q": " ann ", "sort": "-score", "size": "25", "page": "1"}, [], now=NOW
    )

    assert query.url() == "/app/leads?q=ann"
    assert query.url(sort="-score", size="50") == "/app/leads?q=ann&size=50"
    assert query.clear_url() == "/app/leads"


def test_a_changed_filter_starts_on_the_first_page():
    query = read_lead_query({"page": "7", "size": "50"}, [], now=NOW)

    assert query.url(level="Hot") == "/app/leads?size=50&level=Hot"
    assert query.url(page="8") == "/app/leads?size=50&page=8"


@pytest.mark.parametrize("name", ["Hot", "unclassified"])
def test_a_level_may_have_any_name(name):
    hot = Level(uuid4(), LevelKind.ENGAGEMENT, name, 10, None)

    query = read_lead_query({"level": name}, [hot], now=NOW)

    assert query.lead_filter.score_ranges == (ScoreRange(10, None),)
