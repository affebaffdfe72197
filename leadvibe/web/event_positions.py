"""Where an event stands among others, spelled for an address."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from leadvibe.events.queries import TimelinePosition
from leadvibe.events.types import Event

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LARGEST_BIGINT = 2**63 - 1

_POSITION = re.compile(r"([0-9]{1,20})-([0-9]{1,19})-([0-9a-f]{32})")


def write_position(position: TimelinePosition) -> str:
    """Spell a position: microseconds of the epoch, the receipt, and the event."""
    micros = (position.occurred_at - EPOCH) // MICROSECOND
    return f"{micros}-{position.receipt}-{position.event_id.hex}"


def position_of(event: Event) -> TimelinePosition:
    return TimelinePosition(event.occurred_at, event.receipt, event.event_id)


def read_position(text: str) -> TimelinePosition | None:
    """Read what write_position wrote; None for anything else."""
    written = _POSITION.fullmatch(text)
    if written is None:
        return None
    micros, receipt, event_id = written.groups()
    try:
        at = EPOCH + int(micros) * MICROSECOND
    except OverflowError:
        return None
    position = TimelinePosition(at, int(receipt), UUID(event_id))
    return position if position.receipt <= LARGEST_BIGINT else None
