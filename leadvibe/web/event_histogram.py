"""How many events there were over the time that is looked at, as bars that lead into it.

Whole days come from counters, which cost the same at any number of events; hours, what is
suppressed and the events of one lead are counted one by one, within bounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple

from leadvibe.events.exploring import MOST_KEYS, Looking, count_by_time, oldest_event, sum_days
from leadvibe.identity.types import Scope
from leadvibe.web.event_query import DAY, EventQuery
from leadvibe.web.pages.display import MONTHS, counted, thousands
from leadvibe.web.pages.events import Histogram, HistogramBar

WIDTH, HEIGHT, GAP = 1000, 100, 0.18
"""Of the chart; the gap is a share of a column."""
HOUR = timedelta(hours=1)
FEW_HOURS, FEW_DAYS, FEW_WEEKS = timedelta(hours=50), timedelta(days=62), timedelta(days=420)
MONTHS_AT_MOST = 60


class Step(NamedTuple):
    """A column: from `start` until just before `end`."""

    start: datetime
    end: datetime


def build_histogram(
    scope: Scope, query: EventQuery, looking: Looking, *, now: datetime
) -> Histogram | None:
    """Return the chart; None where there is nothing to show."""
    start = looking.since or oldest_event(scope)
    end = looking.before or now
    if start is None or start >= end:
        return None
    steps = list(_steps(start.astimezone(UTC), end.astimezone(UTC)))
    is_by_hours = steps[0].end - steps[0].start < DAY
    is_by_one = is_by_hours or looking.lead_id is not None or looking.counts is False
    counts = _count(scope, looking, steps) if is_by_one else _sum(scope, looking.event_types, steps)
    if not any(counts):
        return None
    return Histogram(
        bars=tuple(_bars(query, steps, counts)),
        title=counted(sum(counts), _what(looking, is_by_one=is_by_one)),
        note=_note(query, looking, total=sum(counts)),
        top=thousands(max(counts)),
        first=_label(steps[0]),
        last=_label(steps[-1]),
    )


def _what(looking: Looking, *, is_by_one: bool) -> str:
    if looking.counts is False:
        return "suppressed event"
    return "counted event" if looking.counts or not is_by_one else "event"


def _note(query: EventQuery, looking: Looking, *, total: int) -> str:
    if total >= MOST_KEYS:
        return f"The newest {MOST_KEYS:,} events of this time are counted."
    unheard = [
        name
        for name, is_asked in (
            ("search", bool(looking.search)),
            ("channel", looking.channel is not None),
            ("reason", looking.reason is not None and looking.lead_id is not None),
            ("metadata", bool(query.rows)),
        )
        if is_asked
    ]
    if not unheard:
        return ""
    return f"The bars do not heed the {' and '.join(unheard)} filter."


def _count(scope: Scope, looking: Looking, steps: Sequence[Step]) -> list[int]:
    wanted = replace(
        looking, since=steps[0].start, before=steps[-1].end, channel=None, clauses=(), search=""
    )
    by_place = count_by_time(scope, wanted, [step.start for step in steps])
    return [by_place.get(place, 0) for place in range(len(steps))]


def _sum(scope: Scope, types: Sequence[str], steps: Sequence[Step]) -> list[int]:
    days = sum_days(scope, types, since=steps[0].start.date(), before=steps[-1].end.date())
    counts = [0] * len(steps)
    place = 0
    for day, events in days.items():  # in order, as the steps are
        while day >= steps[place].end.date():
            place += 1
        counts[place] += events
    return counts


def _steps(start: datetime, end: datetime) -> Iterator[Step]:
    """Divide a time into hours, days, weeks or months: whole ones, and no more than 62."""
    span = end - start
    if span <= FEW_HOURS:
        return _even(start.replace(minute=0, second=0, microsecond=0), end, HOUR)
    first = datetime.combine(start.date(), time(), UTC)
    if span <= FEW_DAYS:
        return _even(first, end, DAY)
    if span <= FEW_WEEKS:
        return _even(first - first.weekday() * DAY, end, 7 * DAY)
    return _months(first.replace(day=1), end)


def _even(start: datetime, end: datetime, length: timedelta) -> Iterator[Step]:
    while start < end:
        yield Step(start, start + length)
        start += length


def _months(first: datetime, end: datetime) -> Iterator[Step]:
    """Yield months, or several at a time when there are very many of them."""
    months = (end.year - first.year) * 12 + end.month - first.month + 1
    stride = -(-months // MONTHS_AT_MOST)
    starts = [_month(first, number) for number in range(0, months + stride, stride)]
    return (Step(a, b) for a, b in pairwise(starts))


def _month(first: datetime, number: int) -> datetime:
    years, month = divmod(first.month - 1 + number, 12)
    return first.replace(year=first.year + years, month=month + 1)


def _bars(
    query: EventQuery, steps: Sequence[Step], counts: Sequence[int]
) -> Iterator[HistogramBar]:
    top, width = max(counts), WIDTH / len(steps)
    for place, (step, count) in enumerate(zip(steps, counts, strict=True)):
        height = max(round(count * HEIGHT / top, 2), 1.5) if count else 0
        first, last = _ends(step)
        yield HistogramBar(
            x=round(place * width, 2),
            width=round(width * (1 - GAP), 2),
            y=round(HEIGHT - height, 2),
            height=height,
            label=f"{_label(step)}: {counted(count, 'event')}",
            period=_label(step),
            events=thousands(count),
            url=query.url(from_=first, to=last, range=""),
            first=first,
            last=last,
        )


def _ends(step: Step) -> tuple[str, str]:
    """Return what `from` and `to` say, which are both included."""
    if step.end - step.start < DAY:
        return f"{step.start:%Y-%m-%dT%H:%M}", f"{step.end - timedelta(minutes=1):%Y-%m-%dT%H:%M}"
    return f"{step.start:%Y-%m-%d}", f"{step.end - DAY:%Y-%m-%d}"


def _label(step: Step) -> str:
    start, length = step.start, step.end - step.start
    if length < DAY:
        return f"{start.day} {MONTHS[start.month - 1]}, {start:%H:%M}"
    if length == DAY:
        return _day(start)
    if length == 7 * DAY:
        return f"Week of {_day(start)}"
    return f"{MONTHS[start.month - 1]} {start.year}"


def _day(at: datetime) -> str:
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}"
