"""Addresses of the pages about scoring."""

from __future__ import annotations

from uuid import UUID

from leadvibe.engine.rules import LevelKind

SCORING = "/app/scoring"
DRAFTS = f"{SCORING}/drafts"
HISTORY = f"{SCORING}/history"
TEMPLATES = f"{SCORING}/templates"
RESCORES = f"{SCORING}/rescores"

LIVE = {
    LevelKind.ENGAGEMENT: SCORING,
    LevelKind.PROFILE: f"{SCORING}/profile",
    LevelKind.ACCOUNT: f"{SCORING}/account",
}
"""Where the rules in force are shown, by the score that they make."""


def draft_path(draft_id: UUID, end: str = "/engagement") -> str:
    """Return the path of a draft's page."""
    return f"{DRAFTS}/{draft_id}{end}"


def version_path(version: int) -> str:
    return f"{HISTORY}/{version}"
