"""Signs of life of the background roles, kept in the broker for as long as they are fresh."""

from __future__ import annotations

from datetime import datetime

from redis import Redis

BACKGROUND_ROLES = ("pipeline", "jobs", "notifications", "schedule")
"""All that must be alive somewhere for everything to be done."""

PREFIX = "leadvibe:heartbeat:"
FRESH_SECONDS = 60  # beat several times within it


def beat(broker: Redis, role: str, *, now: datetime) -> None:
    """Say that a role is alive."""
    broker.set(f"{PREFIX}{role}", now.isoformat(), ex=FRESH_SECONDS)


def find_last_beat(broker: Redis, role: str) -> datetime | None:
    """Return when the role last said so, None when that is longer ago than a beat stays fresh."""
    value = broker.get(f"{PREFIX}{role}")
    if value is None:
        return None
    assert isinstance(value, bytes | str)
    return datetime.fromisoformat(value.decode() if isinstance(value, bytes) else value)
