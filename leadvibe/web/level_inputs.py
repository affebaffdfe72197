"""Levels while somebody edits them: read from a form, rearranged and judged. Pure.

The form sends them as `levels-0-name` and so on. What is written stays text until it is saved.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from uuid import UUID

from leadvibe.engine.rules import Level
from leadvibe.lib.ids import parse_id
from leadvibe.scoring.levels import LevelDraft

MOST_LEVELS = 12
"""More than anybody tells apart by name or colour."""

LONGEST_NAME = 100
LARGEST_SCORE = 2_147_483_646
NEW_STEP = 25
COLORS = (
    "#94a3b8", "#38bdf8", "#34d399", "#fbbf24", "#f97316", "#ef4444", "#a855f7", "#6366f1",
)  # fmt: skip

_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,10}")
_COLOR = re.compile(r"#[0-9a-f]{6}")
_SHORT_COLOR_LENGTH = 4
_NO_ERRORS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelInput:
    level_id: UUID | None = None
    name: str = ""
    start: str = ""
    color: str = COLORS[0]
    errors: Mapping[str, str] = dataclasses.field(default_factory=lambda: _NO_ERRORS)

    @property
    def min_score(self) -> int | None:
        """The lowest score of the level; None while that is no number."""
        score = int(self.start) if _WHOLE_NUMBER.fullmatch(self.start) else None
        return score if score is not None and abs(score) <= LARGEST_SCORE else None


def inputs_of(levels: Iterable[Level]) -> list[LevelInput]:
    """Return stored levels as the form shows them."""
    return [
        LevelInput(
            level_id=it.level_id, name=it.name, start=str(it.min_score), color=long_color(it.color)
        )
        for it in levels
    ]


def read_levels(form: Mapping[str, str]) -> list[LevelInput]:
    """Read the levels that a form has sent."""
    return [
        _read(form, f"levels-{place}-")
        for place in range(MOST_LEVELS)
        if f"levels-{place}-name" in form
    ]


def _read(form: Mapping[str, str], prefix: str) -> LevelInput:
    return LevelInput(
        level_id=parse_id(form.get(f"{prefix}id", "")),
        name=form[f"{prefix}name"].strip(),
        start=form.get(f"{prefix}start", "").strip(),
        color=form.get(f"{prefix}color", "").strip().lower() or COLORS[0],
    )


def rearranged(levels: Sequence[LevelInput], action: str) -> list[LevelInput]:
    """Do what a button of the form says: "add", or "remove:2". Does nothing for other words."""
    verb, _, number = action.partition(":")
    if verb == "add" and len(levels) < MOST_LEVELS:
        return [*levels, _next(levels)]
    if verb == "remove" and number.isdecimal() and len(levels) > 1:
        return [it for place, it in enumerate(levels) if place != int(number)]
    return list(levels)


def _next(levels: Sequence[LevelInput]) -> LevelInput:
    starts = [it.min_score for it in levels if it.min_score is not None]
    taken = {it.color for it in levels}
    free = [color for color in COLORS if color not in taken]
    return LevelInput(
        start=str(min(max(starts) + NEW_STEP, LARGEST_SCORE) if starts else 0),
        color=free[0] if free else COLORS[len(levels) % len(COLORS)],
    )


def judged(levels: Sequence[LevelInput]) -> list[LevelInput]:
    """Return the levels with what is wrong with each."""
    names, starts = Counter(it.name for it in levels), Counter(it.min_score for it in levels)
    return [
        replace(it, errors=dict(_problems(it, names[it.name], starts[it.min_score])))
        for it in levels
    ]


def _problems(it: LevelInput, same_name: int, same_start: int) -> Iterator[tuple[str, str]]:
    if not it.name:
        yield "name", "Name the level."
    elif len(it.name) > LONGEST_NAME:
        yield "name", f"Use at most {LONGEST_NAME} characters."
    elif not it.name.isprintable():
        yield "name", "Leave out line breaks and control characters."
    elif same_name > 1:
        yield "name", "Two levels have this name: choose another."
    if it.min_score is None:
        yield "start", "Type a whole number, such as 25."
    elif same_start > 1:
        yield "start", "Two levels begin here: choose another score."
    if not _COLOR.fullmatch(it.color):
        yield "color", "Choose a colour, such as #ef4444."


def drafts_of(levels: Iterable[LevelInput]) -> list[LevelDraft]:
    """Return judged levels without errors as scoring takes them."""
    return [
        LevelDraft(level_id=it.level_id, name=it.name, min_score=it.min_score, color=it.color)
        for it in levels
        if it.min_score is not None
    ]


def long_color(color: str) -> str:
    """Spell a colour in six digits, the only way that a colour field takes it."""
    if len(color) != _SHORT_COLOR_LENGTH:
        return color.lower()
    return "#" + "".join(digit * 2 for digit in color[1:].lower())
