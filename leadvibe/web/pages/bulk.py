"""What is done to many leads: templates/leads/bulk.html asks, _bulk.html alone in a dialog.

How far it is stands above the list, in _strip.html (#bulk-strip).
"""

from __future__ import annotations

from dataclasses import dataclass

from leadvibe.web.pages.display import Choice, Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkStrip:
    """What was done, or how far it is; `url` shows the state of now."""

    text: str
    tone: str
    is_running: bool
    percent: int
    url: str
    undo_url: str = ""
    """POST with `query`; empty when there is nothing to take back."""
    query: str = ""
    close_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeSide:
    """A lead that may be the one that stays."""

    id: str
    name: str
    detail: str
    score: str
    events: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkForm:
    """The question before something is done to leads."""

    title: str
    text: str
    button: str
    action: str
    """What is done: the value of `action`, sent with `confirmed`."""
    post_url: str
    back_url: str
    query: str
    lead_ids: tuple[str, ...] = ()
    is_all: bool = False
    is_danger: bool = False
    owners: tuple[Choice, ...] = ()
    segments: tuple[Choice, ...] = ()
    has_new: bool = False
    """Whether one may name a new segment instead."""
    sides: tuple[MergeSide, ...] = ()
    facts: tuple[Fact, ...] = ()
    error: str = ""
    """Why it cannot be done; then there is no button."""
