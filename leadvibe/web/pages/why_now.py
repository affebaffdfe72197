"""Why a lead is worth a look now: templates/leads/_why_now.html, at the top of its page."""

from __future__ import annotations

from dataclasses import dataclass

from leadvibe.web.pages.display import Link, Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class FiredNow:
    """The trigger that fired, what it says of the lead, and the event that made it fire."""

    kind: str
    trigger: Link
    """Without a URL for who may not open it."""
    summary: str
    at: Moment
    cause: Link | None
    history: Link
    """All that fired for the lead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """What events of one type did to the score: the last of them, and the entries they made."""

    event: Link
    event_id: str
    """Of the last one; empty where there is none to show, as with decay."""
    times: str
    """Empty for once."""
    points: str
    direction: str
    entries_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyNow:
    fired: FiredNow | None
    movers: tuple[Mover, ...]
    moved: str
    """What all of it did: "+85 points in the 7 days before"."""
    more: str = ""
