"""Whom sales calls next, and when: some are overdue, some are due today, others later."""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from leadvibe.imports.sample.rhythm import DAY, HOUR, Rhythm

_MINUTE = 60.0
_QUARTER = 15 * _MINUTE
_RECENT = 60 * DAY
_FEWEST = 4
_FIRST_HOUR, _LAST_HOUR = 9, 17
_TRIES = 30
_OURS = "Europe/London"
"""Whose clock the sample company keeps."""
_MOST_TODAY, _TODAYS_SHARE = 8, 0.4
_GAPS = (45 * _MINUTE, 30 * _MINUTE, _QUARTER, 5 * _MINUTE)


class Prospect(NamedTuple):
    """Somebody to call, on whose clock, and when sales and they last had to do with each other."""

    zone: str
    touched_at: float
    has_phone: bool


class _Stretch(NamedTuple):
    """Days from the end of the year, and for how many calls: at most, and of all prospects."""

    opens: float
    closes: float
    most: int
    share: float


_OVERDUE = _Stretch(-3, -HOUR / DAY, 5, 0.25)
_SOON = (_Stretch(0.6, 6, 14, 0.4), _Stretch(7, 21, 8, 0.2))


def plan_calls(rhythm: Rhythm, prospects: list[Prospect]) -> dict[int, float]:
    """Return when to call whom, by their number; the latest prospects are to come first.

    Of the recent ones, those are called first whose phone number is known. Calls of today come
    after the end of the year, on the same day of UTC.
    """
    recent = sum(it.touched_at > rhythm.end - _RECENT for it in prospects)
    numbered = list(enumerate(prospects[: max(recent, _FEWEST)]))
    left = dict(sorted(numbered, key=lambda it: not it[1].has_phone))
    planned: dict[int, float] = {}
    total = len(left)
    for at in _later_today(rhythm.end)[: min(_MOST_TODAY, ceil(total * _TODAYS_SHARE))]:
        number = _at_work(rhythm, left, at)
        planned[number] = at
        del left[number]
    for stretch in (_OVERDUE, *_SOON):
        opens, closes = (rhythm.end + days * DAY for days in (stretch.opens, stretch.closes))
        wanted = min(stretch.most, ceil(total * stretch.share))
        free = [number for number, it in left.items() if it.touched_at < closes - HOUR]
        # Who has had to do with sales since then is called only if there is nobody else.
        for number in sorted(free, key=lambda it: left[it].touched_at >= opens)[:wanted]:
            prospect = left.pop(number)
            since = max(opens, prospect.touched_at)
            planned[number] = _working_hour(rhythm, prospect.zone, since, closes)
    return planned


def _later_today(end: float) -> list[float]:
    """Return times that are spread over the afternoon, or over what is left of the day."""
    midnight = end - end % DAY + DAY
    first = end - end % _QUARTER + 2 * _QUARTER
    for gap in _GAPS:
        times = [first + number * gap for number in range(_MOST_TODAY)]
        if times[-1] < midnight:
            return times
    return [at for at in times if at < midnight]


def _at_work(rhythm: Rhythm, left: dict[int, Prospect], at: float) -> int:
    """Pick the first for whom it is a working hour, else the first of all."""
    awake = (number for number, it in left.items() if _is_working_hour(rhythm, it.zone, at))
    return next(awake, next(iter(left)))


def _is_working_hour(rhythm: Rhythm, zone: str, at: float) -> bool:
    return _FIRST_HOUR <= rhythm.hour_of(zone, at) < _LAST_HOUR


def _working_hour(rhythm: Rhythm, zone: str, opens: float, closes: float) -> float:
    for _ in range(_TRIES):
        at = rhythm.moment(zone, opens, closes - _QUARTER)
        at += _QUARTER - at % _QUARTER
        if _is_working_hour(rhythm, zone, at) and _is_working_hour(rhythm, _OURS, at):
            return at
    return at
