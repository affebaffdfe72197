"""What the addresses of lists share: days, and what is said of a parameter that makes no sense."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time


class BadParameterError(Exception):
    """A parameter makes no sense; the text says what is wrong and how to put it right."""


def read_date(params: Mapping[str, str], name: str) -> date | None:
    """Return the day that a parameter names, if there is one. Raises BadParameterError."""
    text = params.get(name)
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadParameterError(
            f"“{text}” is not a date: write year, month and day, such as 2026-01-31."
        ) from None


def midnight(day: date | None) -> datetime | None:
    """Return the instant at which a day begins."""
    return datetime.combine(day, time(), UTC) if day else None
