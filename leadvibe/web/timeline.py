"""What a lead did, newest first, batch by batch: each begins where the last one ended."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from uuid import UUID

from leadvibe.events.queries import TimelinePosition
from leadvibe.events.types import Event
from leadvibe.scoring.types import LedgerEntry, Ruleset
from leadvibe.web.facts import list_facts, summarize
from leadvibe.web.pages.display import Moment, query_url, signed
from leadvibe.web.pages.explanation import direction
from leadvibe.web.pages.timeline import (
    Older,
    Points,
    Timeline,
    TimelineDay,
    TimelineEvent,
    channel_icon,
)

BATCH = 50
NEWEST_ID = "timeline-newest"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LARGEST_BIGINT = 2**63 - 1

_POSITION = re.compile(r"([0-9]{1,20})-([0-9]{1,19})-([0-9a-f]{32})")

REASONS = {
    "inorganic": "Too many of these in too short a time",
    "inorganic_grouped": "One of a burst, of which the first counted",
    "metadata_filter": "Left out by an attribute filter",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineQuery:
    """Which stretch of history is asked for: from the newest on, or from before a position."""

    path: str
    before: TimelinePosition | None = None
    event_id: UUID | None = None
    """The event that the address names, to be marked."""

    @property
    def batch_id(self) -> str:
        """The id under which a link waits for this batch."""
        return NEWEST_ID if self.before is None else f"timeline-{self.before.event_id.hex}"


def write_position(position: TimelinePosition) -> str:
    """Spell a position for an address: microseconds of the epoch, the receipt, and the event."""
    micros = (position.occurred_at - EPOCH) // MICROSECOND
    return f"{micros}-{position.receipt}-{position.event_id.hex}"


def read_position(text: str) -> TimelinePosition | None:
    """Read what write_position wrote; None for anything else."""
    written = _POSITION.fullmatch(text)
    if written is None:
        return None
    micros, receipt, event_id = written.groups()
    try:
        at = EPOCH + int(micros) * MICROSECOND
        position = TimelinePosition(at, int(receipt), UUID(event_id))
    except (OverflowError, ValueError):
        return None
    return position if position.receipt <= LARGEST_BIGINT else None


def position_of(event: Event) -> TimelinePosition:
    return TimelinePosition(event.occurred_at, event.receipt, event.event_id)


def position_behind(event: Event) -> TimelinePosition:
    """Return the first place behind an event: what comes before it begins with the event."""
    return TimelinePosition(event.occurred_at, event.receipt, UUID(int=event.event_id.int + 1))


def build_timeline(
    query: TimelineQuery,
    events: Sequence[Event],
    entries: Sequence[LedgerEntry],
    rulesets: Sequence[Ruleset],
    *,
    now: datetime,
) -> Timeline:
    """Arrange a batch by days; one event more than BATCH says that there are older ones.

    A batch that goes on in the day where the last one ended does not name that day again.
    """
    shown = events[:BATCH]
    points = _points(entries, rulesets)
    days = tuple(
        TimelineDay(
            label=_day_label(day, query, now),
            events=tuple(_event(it, points.get(it.event_id, ()), query) for it in of_day),
        )
        for day, of_day in groupby(shown, key=_day)
    )
    return Timeline(
        id=query.batch_id,
        days=days,
        older=_older(query, shown[-1]) if len(events) > BATCH else None,
        newest_url=query.path if query.before is not None else "",
    )


def _day(event: Event) -> date:
    return event.occurred_at.astimezone(UTC).date()


def _day_label(day: date, query: TimelineQuery, now: datetime) -> str:
    if (
        query.before is not None
        and query.event_id is None
        and day == query.before.occurred_at.date()
    ):
        return ""
    today = now.astimezone(UTC).date()
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return f"{day:%A}, {day.day} {day:%B %Y}"


def _older(query: TimelineQuery, last: Event) -> Older:
    position = position_of(last)
    return Older(
        url=query_url(query.path, {"before": write_position(position)}),
        id=f"timeline-{position.event_id.hex}",
    )


def _event(event: Event, points: tuple[Points, ...], query: TimelineQuery) -> TimelineEvent:
    reason = event.suppression_reason
    return TimelineEvent(
        id=str(event.event_id),
        event_type=event.event_type,
        at=Moment.of(event.occurred_at),
        channel=event.channel,
        icon=channel_icon(event.channel),
        summary=summarize(event.metadata),
        points=points,
        reason=REASONS.get(reason, reason) if reason else "",
        metadata=list_facts(event.metadata),
        is_linked=event.event_id == query.event_id,
    )


def _points(
    entries: Sequence[LedgerEntry], rulesets: Sequence[Ruleset]
) -> Mapping[UUID, tuple[Points, ...]]:
    """Sum what each ruleset made of each event, in the order of the rulesets."""
    sums: dict[UUID, dict[UUID, int]] = {}
    for entry in entries:
        of_event = sums.setdefault(entry.event_id, {})
        of_event[entry.ruleset_id] = of_event.get(entry.ruleset_id, 0) + entry.delta
    return {
        event_id: tuple(
            _point(ruleset, of_event[ruleset.ruleset_id])
            for ruleset in rulesets
            if ruleset.ruleset_id in of_event
        )
        for event_id, of_event in sums.items()
    }


def _point(ruleset: Ruleset, delta: int) -> Points:
    return Points(
        text=signed(delta),
        ruleset=ruleset.name,
        direction=direction(delta),
        is_primary=ruleset.is_primary,
    )
