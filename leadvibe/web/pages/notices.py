"""What is said after something was done: an alert in a page, a toast beside a fragment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from leadvibe.web.pages.display import Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """The form that takes back what was done: where it is posted to, and its hidden fields."""

    url: str
    fields: Mapping[str, str] = field(default_factory=dict)
    label: str = "Undo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    text: str
    tone: Tone = Tone.OK
    undo: Undo | None = None
