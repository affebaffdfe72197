"""Figures about the work itself."""

from __future__ import annotations

from typing import NamedTuple


class Figures(NamedTuple):
    """Counts across all units and all processes."""

    events_ingested: int
    queue_depth: int
