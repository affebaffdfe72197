"""One lead beside the list: templates/leads/_peek.html (#lead-peek)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from leadvibe.web.pages.display import Level, Moment


class Reason(NamedTuple):
    """What gave or took most points."""

    label: str
    icon: str
    times: str
    points: str
    direction: str


class PeekEvent(NamedTuple):
    event_type: str
    summary: str
    icon: str
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Peek:
    id: str
    name: str
    detail: str
    url: str
    why_url: str
    close_url: str
    score: str
    level: Level
    profile_level: Level | None = None
    owner: str = ""
    account: str = ""
    title: str = ""
    last_active: Moment | None = None
    events: str = "0"
    is_watched: bool = False
    watch_url: str = ""
    """POST with `watch` or `unwatch` as `action`, the lead and `query`."""
    query: str = ""
    can_assign: bool = False
    is_mine: bool = False
    aliases: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    latest: tuple[PeekEvent, ...] = ()
    is_gone: bool = False
    """There is no such lead any more."""
