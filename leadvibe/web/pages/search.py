"""What is found by a few letters: templates/search/, a page of its own and the palette."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Somewhere to go; with `form` something to do, by the form of the frame with that id."""

    label: str
    detail: str = ""
    icon: str
    url: str = ""
    form: str = ""
    value: str = ""
    """What the form is sent with, as `unit_id`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HitGroup:
    label: str
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    query: str
    groups: tuple[HitGroup, ...]
    action_url: str = "/app/search"

    @property
    def said(self) -> str:
        """What is told to who cannot see the list."""
        count = sum(len(group.hits) for group in self.groups)
        return f"{count} found" if count else "Nothing found"
