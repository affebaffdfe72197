"""The level that a score has, as a badge shows it."""

from __future__ import annotations

from leadvibe.engine.levels import UNCLASSIFIED, LevelCut
from leadvibe.web.pages.display import Level


def badge_of(cut: LevelCut, score: int) -> Level:
    level = cut.level_of(score)
    return Level(level.name, level.color) if level else Level(UNCLASSIFIED)
