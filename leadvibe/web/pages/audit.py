"""The audit log: templates/audit/page.html, changes in sentences or requests as they came."""

from __future__ import annotations

from dataclasses import dataclass

from leadvibe.web.pages.display import Choice, Moment, Tone


@dataclass(frozen=True, slots=True)
class Difference:
    what: str
    before: str
    """Empty for what is new."""
    after: str
    """Empty for what is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    at: Moment
    day: str
    """Set on the first one of a day."""
    who: str
    words: str
    subject: str = ""
    """The file, of an import."""
    kind: str
    via: str = ""
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    at: Moment
    who: str
    method: str
    path: str
    status: str
    tone: Tone
    ip: str
    latency: str
    via: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    tabs: tuple[Choice, ...]
    view: str
    changes: tuple[Change, ...] = ()
    requests: tuple[Request, ...] = ()
    members: tuple[Choice, ...]
    kinds: tuple[Choice, ...]
    day: str
    is_filtered: bool
    is_later: bool
    older_url: str
    newest_url: str
    export_url: str
    path: str
