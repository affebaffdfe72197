"""Addresses of segments."""

from __future__ import annotations

from uuid import UUID

from leadvibe.web.lead_paths import LEADS, lead_path

SEGMENTS = "/app/segments"
NEW_SEGMENT = f"{SEGMENTS}/new"


def segment_path(segment_id: UUID, end: str = "") -> str:
    return f"{SEGMENTS}/{segment_id}{end}"


def why_path(segment_id: UUID, lead_id: str) -> str:
    """Return where it is said why a lead is in a segment."""
    return segment_path(segment_id, f"/members{lead_path(lead_id).removeprefix(LEADS)}")
