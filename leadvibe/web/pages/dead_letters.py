"""Events that could not be processed: templates/dead_letters/page.html, _list.html for htmx."""

from __future__ import annotations

from dataclasses import dataclass

from leadvibe.web.pages.display import Moment, Pager


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    id: str
    received_at: Moment
    source: str
    """ingest, batch, import, …"""
    event_type: str = ""
    """Empty when it could not even be read."""
    error: str
    """What went wrong, and the remedy where there is one."""
    payload: str
    """Indented JSON."""
    retry_url: str
    discard_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLettersPage:
    letters: tuple[DeadLetter, ...]
    total: str
    """"3 events"."""
    pager: Pager
    retry_all_url: str = "/app/dead-letters/retry"
    can_edit: bool = True
