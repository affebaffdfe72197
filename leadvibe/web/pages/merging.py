"""Merging a lead with another, and deleting it: templates/leads/merge.html and deletion.html."""

from __future__ import annotations

from dataclasses import dataclass

from leadvibe.web.pages.display import Alert, Moment


@dataclass(frozen=True, slots=True)
class FoundLead:
    name: str
    detail: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePreview:
    """What the merge would do, in sentences."""

    source: str
    source_id: str
    source_score: str
    target: str
    target_id: str
    target_score: str
    facts: tuple[str, ...]
    swap_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePage:
    name: str
    lead_url: str
    url: str
    """The page without any choice made."""
    merge_url: str
    """POST."""
    q: str = ""
    more: str = ""
    """What is said when more match than are shown."""
    found: tuple[FoundLead, ...] = ()
    preview: MergePreview | None = None
    alert: Alert | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionPage:
    lead_id: str
    title: str
    text: str
    requested_by: str
    requested_at: Moment
    url: str
    is_underway: bool
    """Then the page looks again by itself."""
