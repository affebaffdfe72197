"""Session surge: templates/surge/page.html, with _surge.html alone.

One form holds the policy and a session to try it on; it posts to the page, with `do`: save,
preview, add-band, remove-band:N, remove-event:N or clear, or `add` with an event type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from leadvibe.web.pages.display import Alert, Choice, Moment
from leadvibe.web.pages.live import LiveNote


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeChoice:
    value: str
    label: str
    words: str
    is_selected: bool
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BandRow:
    number: int
    start: str
    times: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """An event of the tried session, and what the engine makes of it."""

    number: int
    event_type: str
    gap: str
    """Minutes since the event before, as typed."""
    at: str
    place: str
    times: str
    points: str
    is_boosted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SurgingRow:
    name: str
    url: str
    score: str
    times: str
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class SurgePage:
    tabs: tuple[Choice, ...]
    modes: tuple[ModeChoice, ...]
    is_custom: bool
    bands: tuple[BandRow, ...]
    idle: str
    cap: str
    can_add_band: bool
    explanation: tuple[str, ...]
    errors: Mapping[str, str]
    offered: tuple[Choice, ...]
    """Event types to add, with what each is worth."""
    rows: tuple[SessionRow, ...]
    can_add_event: bool
    total: str
    plain_total: str
    surging: tuple[SurgingRow, ...]
    state: str
    live: LiveNote
    can_edit: bool
    alert: Alert | None = None
    url: str = "/app/scoring/surge"
