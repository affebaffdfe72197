"""Decay rules: templates/decay/page.html, with _decay.html and _curve.html alone.

The form posts to the page's own address, with `do`: save or preview.
"""

from __future__ import annotations

from dataclasses import dataclass

from wtforms import Form

from leadvibe.web.pages.display import Alert, Choice, Fact, Moment
from leadvibe.web.pages.live import LiveNote


@dataclass(frozen=True, slots=True, kw_only=True)
class DecayRow:
    id: str
    words: str
    """"10 points less"."""
    period: str
    """"14 days"."""
    made_by: str
    made_at: Moment
    is_edited: bool
    url: str
    delete_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Scores of one level, behind the curve, in its units."""

    y: str
    height: str
    color: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    day: str
    score: str
    level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    line: str
    """Points of the polyline."""
    area: str
    bands: tuple[Band, ...]
    ticks: tuple[str, ...]
    top: str
    sentences: tuple[str, ...]
    falls: tuple[Fall, ...]
    more: str = ""
    """How many further falls the table leaves out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecayPage:
    tabs: tuple[Choice, ...]
    facts: tuple[Fact, ...]
    rows: tuple[DecayRow, ...]
    form: Form
    form_title: str
    url: str
    cancel_url: str
    score: str
    days: str
    spans: tuple[Choice, ...]
    curve: Curve | None
    curve_error: str
    live: LiveNote
    can_edit: bool
    alert: Alert | None = None
