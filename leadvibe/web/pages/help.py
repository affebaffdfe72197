"""The help page: templates/help/page.html."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    id: str
    name: str
    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpPage:
    terms: tuple[Explained, ...]
