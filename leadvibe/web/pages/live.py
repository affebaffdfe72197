"""What all pages say that change the configuration in force."""

from __future__ import annotations

from dataclasses import dataclass

from leadvibe.web.pages.display import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveNote:
    version: str
    by: str = ""
    at: Moment | None = None
    drafts: str = ""
    """What becomes of drafts that somebody works on; empty without any."""
