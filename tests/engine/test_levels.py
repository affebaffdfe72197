from __future__ import annotations

import pytest

from leadvibe.engine.levels import UNCLASSIFIED, LevelCut, find_overlap, level_of
from leadvibe.engine.rules import LevelKind

from .factories import make_config, make_level

COLD = make_level("Cold", 0, 24)
HOT = make_level("Hot", 50, None)
LEVELS = (HOT, COLD)


@pytest.mark.parametrize(
    ("score", "level"),
    [(-1, None), (0, COLD), (24, COLD), (25, None), (49, None), (50, HOT), (10**9, HOT)],
)
def test_both_bounds_belong_to_the_level_and_an_open_one_has_no_end(score, level):
    assert level_of(LEVELS, score) is level
    assert LevelCut(LEVELS).level_of(score) is level


def test_a_score_in_a_gap_shows_as_unclassified():
    cut = LevelCut(LEVELS)

    assert cut.name_of(30) == UNCLASSIFIED == "Unclassified"
    assert cut.name_of(60) == "Hot"


def test_without_levels_every_score_is_unclassified():
    assert LevelCut(()).name_of(10) == UNCLASSIFIED


def test_touching_levels_do_not_overlap():
    assert find_overlap([make_level("Warm", 25, 49), HOT, COLD]) is None


def test_levels_that_share_one_score_overlap_and_are_named_lower_first():
    warm = make_level("Warm", 24, 49)

    assert find_overlap([warm, COLD]) == (COLD, warm)


def test_nothing_fits_above_an_open_level():
    very_hot = make_level("Very Hot", 75, None)

    assert find_overlap([very_hot, HOT]) == (HOT, very_hot)


def test_levels_of_different_kinds_may_share_scores():
    perfect_fit = make_level("Perfect Fit", 0, 24, kind=LevelKind.PROFILE)

    assert find_overlap([COLD, perfect_fit]) is None


def test_a_config_tells_the_levels_of_one_kind_lowest_first():
    perfect_fit = make_level("Perfect Fit", 0, None, kind=LevelKind.PROFILE)
    config = make_config(levels=(HOT, perfect_fit, COLD))

    assert config.levels_of(LevelKind.ENGAGEMENT) == (COLD, HOT)
    assert config.levels_of(LevelKind.ACCOUNT) == ()
