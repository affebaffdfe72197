"""Event types: templates/event_types/page.html with _list.html, delete.html with _progress.html."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from leadvibe.web.pages.display import Choice, Fact, Link


class SparkBar(NamedTuple):
    """A day in a drawing of 30 by 20."""

    x: float
    y: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeRow:
    name: str
    events: str
    events_url: str
    last: str
    """The last day on which one counted; empty when none ever has."""
    spark: tuple[SparkBar, ...]
    spark_label: str
    rules: tuple[Link, ...]
    """Rulesets that score it: "Main +5"."""
    is_visible: bool
    reaches: tuple[Choice, ...]
    is_own: bool
    """Leadvibe writes it itself: nothing about it can be changed."""
    delete_url: str
    """Empty when its events cannot be deleted."""
    kept: str
    """Why not."""
    deletion: str
    """How far a deletion that is under way has come; empty for none."""
    deletion_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TypesPage:
    rows: tuple[TypeRow, ...]
    q: str
    states: tuple[Choice, ...]
    url: str
    here: str
    """The page as it is narrowed."""
    post_url: str
    can_edit: bool
    import_url: str
    total: str
    is_narrowed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDeletionPage:
    """Before a deletion `would` says what goes; from then on `state` says how far it is."""

    name: str
    would: tuple[Fact, ...]
    refusal: str
    """Why it cannot be, with what to do."""
    state: str
    done: tuple[Fact, ...]
    is_under_way: bool
    post_url: str
    url: str
    back_url: str
