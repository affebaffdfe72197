"""Dates and times that clients write: ISO 8601, in UTC where no zone is given."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from leadvibe.dialects.octanist.errors import BadDateError

MILLISECOND = timedelta(milliseconds=1)
_FORM = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII
)


def read_time(field: str, text: str) -> datetime:
    """Return the time that a text names, a day its beginning. Raises BadDateError."""
    # In a query string, a plus that was not encoded arrives as a space.
    written = re.sub(r" (?=\d\d:?\d\d$)", "+", text.strip()) if "T" in text else text.strip()
    wanted = "a date such as 2026-03-10 or 2026-03-10T12:00:00.000Z"
    if not _FORM.fullmatch(written):
        raise _refusal(field, wanted)
    try:
        read = datetime.fromisoformat(written)
        read = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
        # The first and last day are left out: what is computed from a time is one, too.
        _ = read - timedelta(days=1), read + timedelta(days=1)
    except (ValueError, OverflowError):
        raise _refusal(field, wanted) from None
    return read


def read_day(field: str, text: str | None) -> date:
    """Return the day that a text names. Raises BadDateError."""
    if text is None or not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        raise _refusal(field, "a day written YYYY-MM-DD")
    return read_time(field, text).date()


def _refusal(field: str, wanted: str) -> BadDateError:
    return BadDateError(f"{field} must be {wanted}.", fields={field: f"must be {wanted}"})
