"""A score over time: what moved it, drawn step by step, each of which leads to its explanation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import accumulate, groupby

from leadvibe.engine.facts import EntryKind
from leadvibe.engine.rules import Level
from leadvibe.explain.types import SpanExplanation
from leadvibe.scoring.movements import Movement
from leadvibe.scoring.wording import signed
from leadvibe.triggers.types import EmittedEvent
from leadvibe.web.lead_state import LeadState
from leadvibe.web.pages.chart import (
    HEIGHT,
    SIDE,
    TOP,
    ChartStep,
    Flag,
    LevelLine,
    Mover,
    ScoreChart,
)
from leadvibe.web.pages.display import MONTHS, multiplied, thousands
from leadvibe.web.pages.explanation import KIND_LABELS, PERCENT, direction

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOST_STEPS = 120
"""As many as fit a screen and can still be pointed at."""
SHORT = timedelta(days=2)
MOVERS_NAMED = 4
FAR_ABOVE = 2
"""Times its moves."""
ROOM_ABOVE = 1.08
EMPTY_HEIGHT = 10
"""Points on the scale of a score that was nothing all the time."""
LINES_APART = 15
"""Pixels between the names of levels."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The time that a chart shows: `count` steps of the same length, in UTC."""

    start: datetime
    step: timedelta
    count: int

    def place(self, at: datetime) -> int:
        """Return the step of an instant; what lies ahead of now belongs to the last one."""
        return max(0, min(self.count - 1, (at - self.start) // self.step))

    def share(self, at: datetime) -> float:
        part = (at - self.start) / (self.step * self.count)
        return round(max(0.0, min(1.0, part)) * PERCENT, 2)


def frame_of(since: datetime, until: datetime) -> Frame:
    """Cut a span into hours if it is short, else into days or as many days as needed."""
    if until - since <= SHORT:
        start, step = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0), HOUR
    else:
        start = datetime.combine(since.astimezone(UTC).date(), time(), UTC)
        step = DAY * -(-(until - start) // (DAY * MOST_STEPS))
    return Frame(start, step, max(1, -(-(until - start) // step)))


def build_chart(
    state: LeadState,
    frame: Frame,
    explained: SpanExplanation,
    *,
    movements: Sequence[Movement],
    levels: Sequence[Level],
    milestones: Sequence[EmittedEvent],
    window_label: str,
) -> ScoreChart:
    """Draw how a score got from its opening to what it is; the movements are those in between."""
    closings, by_step = _closings(frame, explained.opening, movements)
    scale = _scale(closings)
    delta = explained.score - explained.opening
    return ScoreChart(
        title=(
            f"The score went from {thousands(explained.opening)} to {thousands(explained.score)}"
            f" {window_label}. The table below has every step."
        ),
        delta=signed(delta),
        direction=direction(delta),
        lines=_lines(closings, scale),
        area=_area(closings, scale),
        levels=tuple(_level_lines(levels, scale)),
        flags=tuple(Flag(it.trigger_name, frame.share(it.occurred_at)) for it in milestones),
        steps=tuple(
            _step(state, frame, scale, place=place, closings=closings, moved=by_step[place])
            for place in sorted(by_step, reverse=True)
        ),
        highest=thousands(scale.high),
        lowest=thousands(scale.low),
        lowest_y=scale.pixel(scale.low),
        dates=_dates(frame),
        step_name="Hour" if frame.step == HOUR else "Day" if frame.step == DAY else "Days",
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    low: int
    high: int

    def _share(self, score: float) -> float:
        span = (self.high - self.low) * ROOM_ABOVE or EMPTY_HEIGHT
        return 1 - (score - self.low) / span

    def unit(self, score: int) -> float:
        return round(self._share(score) * SIDE, 1)

    def pixel(self, score: int) -> float:
        return round(TOP + self._share(score) * HEIGHT, 1)


def _scale(closings: Sequence[int]) -> _Scale:
    """Begin at 0, but for a score far above it: its moves would be too small to be seen."""
    low, high = min(closings), max(closings)
    if low > (high - low) * FAR_ABOVE and high > low:
        return _Scale(low - (high - low) // 2, high)
    return _Scale(min(0, low), max(0, high))


def _closings(
    frame: Frame, opening: int, movements: Sequence[Movement]
) -> tuple[list[int], dict[int, list[Movement]]]:
    """Return the score at the beginning and after each step, and what moved it in which."""
    by_step: dict[int, list[Movement]] = {}
    for place, of_step in groupby(movements, key=lambda it: frame.place(it.at)):
        by_step.setdefault(place, []).extend(of_step)
    deltas = (sum(it.delta for it in by_step.get(place, ())) for place in range(frame.count))
    return list(accumulate(deltas, initial=opening)), by_step


def _lines(closings: Sequence[int], scale: _Scale) -> tuple[tuple[str, str], ...]:
    """Return a path for each direction, made of its strokes."""
    paths: dict[str, list[str]] = {}
    for way, strokes in groupby(_strokes(closings), key=lambda it: it[0]):
        run = list(strokes)
        first, last_place = run[0][1], len(closings) - 1
        points = [first, *(place + 1 for _, place in run)]
        if way == "flat":
            points = [points[0], points[-1]]
        drawn = (
            f"{round(it * SIDE / last_place, 1):g} {scale.unit(closings[it]):g}" for it in points
        )
        paths.setdefault(way, []).append("M" + "L".join(drawn))
    return tuple((way, "".join(strokes)) for way, strokes in paths.items())


def _strokes(closings: Sequence[int]) -> Iterator[tuple[str, int]]:
    for place in range(len(closings) - 1):
        yield direction(closings[place + 1] - closings[place]), place


def _area(closings: Sequence[int], scale: _Scale) -> str:
    last_place = len(closings) - 1
    drawn = (
        f"{round(place * SIDE / last_place, 1):g} {scale.unit(score):g}"
        for place, score in enumerate(closings)
        if place in {0, last_place}
        or not closings[place - 1] == score == closings[place + 1]  # the middle of a flat stretch
    )
    base = scale.unit(max(0, scale.low))
    return f"M0 {base:g}L{'L'.join(drawn)}L{SIDE} {base:g}Z"


def _level_lines(levels: Sequence[Level], scale: _Scale) -> Iterator[LevelLine]:
    """Yield the levels that begin within the chart, but for those that would stand too close."""
    above: float | None = None
    for level in sorted(levels, key=lambda it: -it.min_score):
        if not scale.low < level.min_score <= scale.high * ROOM_ABOVE:
            continue
        y = scale.pixel(level.min_score)
        if above is None or y - above >= LINES_APART:
            yield LevelLine(level.name, level.color, thousands(level.min_score), y)
            above = y


def _step(
    state: LeadState,
    frame: Frame,
    scale: _Scale,
    *,
    place: int,
    closings: Sequence[int],
    moved: Sequence[Movement],
) -> ChartStep:
    start, score = frame.start + place * frame.step, closings[place + 1]
    delta = sum(it.delta for it in moved)
    ranked = sorted(moved, key=lambda it: -abs(it.delta))
    left_out = len(ranked) - MOVERS_NAMED
    last_day = start + frame.step - DAY if frame.step > DAY else start
    return ChartStep(
        id=f"step-{place}",
        label=_label(frame, start),
        iso=start.date().isoformat(),
        score=thousands(score),
        delta=signed(delta),
        direction=direction(delta),
        movers=tuple(_mover(state, it) for it in ranked[:MOVERS_NAMED]),
        more=f"and {left_out} more" if left_out > 0 else "",
        url=state.url(as_of=last_day.date().isoformat()),
        x=round(place * PERCENT / frame.count, 3),
        width=round(PERCENT / frame.count, 3),
        point_x=round((place + 1) * PERCENT / frame.count, 3),
        point_y=scale.pixel(score),
    )


def _mover(state: LeadState, it: Movement) -> Mover:
    event_id = str(it.event_id)
    label = KIND_LABELS.get(EntryKind(it.kind), it.event_type)
    return Mover(
        label=f"{label} {multiplied(it.times)}" if it.times > 1 else label,
        delta=signed(it.delta),
        direction=direction(it.delta),
        event_id=event_id,
        url=f"{state.url(event=event_id)}#event-{event_id}",
    )


def _label(frame: Frame, start: datetime) -> str:
    if frame.step == HOUR:
        return f"{_date(start)}, {start:%H}:00"
    if frame.step == DAY:
        return f"{_date(start)} {start.year}"
    return f"{_date(start)}\N{EN DASH}{_date(start + frame.step - DAY)} {start.year}"


def _dates(frame: Frame) -> tuple[str, ...]:
    whole = frame.step * frame.count
    ends = (frame.start, frame.start + whole / 2, frame.start + whole - frame.step)
    if frame.step == HOUR:
        return tuple(f"{it:%H}:00" for it in ends)
    with_year = ends[0].year != ends[-1].year
    return tuple(f"{_date(it)} {it.year}" if with_year else _date(it) for it in ends)


def _date(at: datetime) -> str:
    return f"{at.day} {MONTHS[at.month - 1]}"
