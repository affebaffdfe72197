"""Field mappings: templates/mapping/page.html, with _mapping.html and _preview.html alone."""

from __future__ import annotations

from dataclasses import dataclass

from wtforms import Form

from leadvibe.web.pages.display import Alert, Choice, Link
from leadvibe.web.pages.live import LiveNote


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    key: str
    kinds: str
    samples: tuple[str, ...]
    events: str
    targets: tuple[str, ...]
    """The properties that it fills."""
    map_url: str
    """Empty for members who may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingRow:
    id: str
    source: str
    target: str
    behavior: str
    is_edited: bool
    url: str
    delete_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What an event of late would do to a property."""

    lead_name: str
    lead_url: str
    event_type: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingPreview:
    title: str
    filled: tuple[Filled, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingPage:
    tabs: tuple[Choice, ...]
    sides: tuple[Choice, ...]
    side: str
    who: str
    """lead or account."""
    url: str
    """Of this side's page."""
    form_url: str
    event_type: str
    event_types: tuple[str, ...]
    keys: tuple[KeyRow, ...]
    keys_shown: int
    """How many before the rest is folded away."""
    looked_at: str
    no_keys: str
    mappings: tuple[MappingRow, ...]
    unmapped: tuple[str, ...]
    """Properties that no mapping fills."""
    properties: tuple[str, ...]
    form: Form
    behaviors: tuple[tuple[str, str, str], ...]
    form_title: str
    is_editing: bool
    preview: MappingPreview | None
    backfill: str
    """How the last run over past events went, or goes."""
    is_backfilling: bool
    can_backfill: bool
    live: LiveNote
    can_edit: bool
    alert: Alert | None = None
    empty: str = ""
    remedy: Link | None = None
