"""A clock that a test turns, for what depends on when somebody looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from leadvibe.pipeline import process, rescore
from tests import factories

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Clock:
    """What the pipeline and the factories take for the time."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (factories, process, rescore):
        monkeypatch.setattr(module, "utc_now", clock)
    return clock
