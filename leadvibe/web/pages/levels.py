"""Levels of one kind of score: templates/levels/page.html, with _form.html and _moves.html alone.

The form posts all levels to the page's own address, with `do`: save, preview, add or remove:N.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from leadvibe.web.pages.display import Alert, Choice, Link
from leadvibe.web.pages.live import LiveNote


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelLine:
    """A level in the form; `errors` say what is wrong with a control of it."""

    number: int
    id: str
    name: str
    start: str
    """As it was typed: the lowest score of the level."""
    color: str
    scores: str
    """"25 to 49", or empty while its bounds are not numbers."""
    count: str
    share: str
    errors: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A run of scores in the chart, in its units; `label` says it in words."""

    x: str
    y: str
    width: str
    height: str
    color: str
    start: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    bars: tuple[Bar, ...]
    ticks: tuple[str, ...]
    """Scores at even distances, from the left edge to the right."""
    lowest: int
    end: int
    """The first score right of the chart."""
    scores: str
    """JSON of pairs of a score and how many have it, for the script that counts while dragging."""
    cuts: tuple[str, ...] = ()
    """Where levels begin, as x."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """What saving would do: one sentence each; none when nobody moves."""

    title: str
    sentences: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelsPage:
    tabs: tuple[Choice, ...]
    kinds: tuple[Choice, ...]
    kind: str
    title: str
    """"Engagement levels"."""
    who: str
    """leads or accounts."""
    url: str
    lines: tuple[LevelLine, ...]
    unclassified: str
    """How many are below the lowest level; empty for nobody."""
    chart: Chart | None
    moves: Moves | None
    state: str
    live: LiveNote
    can_edit: bool
    can_add: bool
    alert: Alert | None = None
    form_errors: tuple[str, ...] = ()
    empty: str = ""
    """Why there is nothing to divide; empty when there is."""
    remedy: Link | None = None
