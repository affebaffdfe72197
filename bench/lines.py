"""One line of the report: what was measured, and beside what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Line:
    what: str
    measured: float
    unit: str
    bare: str = ""
    bare_measured: float = 0.0
    p50_ms: float | None = None
    p95_ms: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.measured / self.bare_measured if self.bare_measured else None
