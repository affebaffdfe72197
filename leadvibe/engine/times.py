"""Times as properties write them: a day, or a day and a time of day, in UTC unless a zone is given.

Spelled so that Python and PostgreSQL read them alike; segments.sql says the same in SQL.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_SPACE: Final = "[ \t\n\r\f\v]*"
_ZONE: Final = "(Z|[+-](0[0-9]|1[0-4]):?[0-5][0-9])"
_CLOCK: Final = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?"

TIME_PATTERN: Final = f"^{_SPACE}[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}([T ]{_CLOCK}{_ZONE}?)?{_SPACE}$"
"""What may be a time; there are days that are in no calendar."""

ZONED_PATTERN: Final = f":.*{_ZONE}{_SPACE}$"
"""Of a time: whether it says its zone."""

MAX_TIME_LENGTH: Final = 40

_TIME: Final = re.compile(TIME_PATTERN)
_WITHIN_A_DAY: Final = timedelta(days=1) - timedelta(microseconds=1)


def as_time(value: object) -> datetime | None:
    """Return the instant that a text names, of a day the first; None for anything else."""
    if not isinstance(value, str) or len(value) > MAX_TIME_LENGTH or not _TIME.match(value):
        return None
    try:
        read = datetime.fromisoformat(value.strip())
    except ValueError:  # no such day
        return None
    # Never moved to another zone: at either end of the calendar there is none to move to.
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read


def last_instant(value: object) -> datetime | None:
    """Return the last instant of a day, or the instant itself; None for what is no time."""
    time = as_time(value)
    is_day = isinstance(value, str) and ":" not in value
    return time + _WITHIN_A_DAY if time and is_day else time
