"""Who changed something, as pages say it."""

from __future__ import annotations

from leadvibe.events.usage import SAMPLE_SOURCE


def author(label: str) -> str:
    """Return who is recorded as having done it; the sample data is nobody's address."""
    return "the sample data" if label == SAMPLE_SOURCE else label
