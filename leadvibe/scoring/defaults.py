"""What a new unit begins with, and what a name of ours stands for."""

from __future__ import annotations

from typing import NamedTuple

from leadvibe.engine.policies import SURGE_GENTLE, SURGE_OFF, SURGE_STANDARD, SurgeMode
from leadvibe.engine.rules import LevelKind

DEFAULT_RULESET_NAME = "Engagement"


class DefaultLevel(NamedTuple):
    kind: LevelKind
    name: str
    min_score: int
    max_score: int | None
    color: str


_GREY, _YELLOW, _ORANGE, _RED = "#94a3b8", "#fbbf24", "#f97316", "#ef4444"

DEFAULT_LEVELS = (
    DefaultLevel(LevelKind.ENGAGEMENT, "Cold", 0, 24, _GREY),
    DefaultLevel(LevelKind.ENGAGEMENT, "Warm", 25, 49, _YELLOW),
    DefaultLevel(LevelKind.ENGAGEMENT, "Hot", 50, 74, _ORANGE),
    DefaultLevel(LevelKind.ENGAGEMENT, "Very Hot", 75, None, _RED),
    DefaultLevel(LevelKind.PROFILE, "Poor Fit", 0, 24, _GREY),
    DefaultLevel(LevelKind.PROFILE, "Okay Fit", 25, 49, _YELLOW),
    DefaultLevel(LevelKind.PROFILE, "Strong Fit", 50, 74, _ORANGE),
    DefaultLevel(LevelKind.PROFILE, "Perfect Fit", 75, None, _RED),
    DefaultLevel(LevelKind.ACCOUNT, "Low", 0, 24, _GREY),
    DefaultLevel(LevelKind.ACCOUNT, "Medium", 25, 49, _YELLOW),
    DefaultLevel(LevelKind.ACCOUNT, "High", 50, None, _RED),
)
"""By kind, lowest first."""

SURGE_PRESETS = {
    SurgeMode.OFF: SURGE_OFF,
    SurgeMode.STANDARD: SURGE_STANDARD,
    SurgeMode.GENTLE: SURGE_GENTLE,
}
