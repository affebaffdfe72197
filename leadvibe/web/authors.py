"""Who changed something, as pages say it."""

from __future__ import annotations

from leadvibe.events.usage import SAMPLE_SOURCE
from leadvibe.quickstart.types import MAKER

_MACHINES = {SAMPLE_SOURCE: "the sample data", MAKER: "the quick start"}


def author(label: str) -> str:
    """Return who is recorded as having done it; the sample data is nobody's address."""
    return _MACHINES.get(label, label)
