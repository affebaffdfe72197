"""When people act: working hours on their own clock, weekends, holidays, seasons, launches.

All instants in this package are seconds since the epoch; they become datetimes at the very end.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from random import Random

from leadvibe.imports.sample.places import ZONES

HOUR = 3_600.0
DAY = 86_400.0
YEAR_DAYS = 365
# Plans may reach beyond the end (a deal still open); what lies there is simply not in the year.
_HORIZON_DAYS = 200

_TUESDAY, _THURSDAY, _SATURDAY, _SUNDAY = 1, 3, 5, 6
_WEEKDAY_ACTIVITY = (0.95, 1.1, 1.1, 1.05, 0.8, 0.09, 0.11)
_HOUR_ACTIVITY = (
    *(0.04, 0.02, 0.02, 0.02, 0.03, 0.08, 0.3, 0.9, 2.2, 3.6, 4.0, 3.7),
    *(2.2, 2.8, 3.7, 3.5, 2.9, 1.7, 0.8, 0.6, 0.7, 0.6, 0.35, 0.12),
)
_FIRST_WAKING_HOUR, _LAST_WAKING_HOUR = 7, 22
_WAITS_FOR_MONDAY = 0.85
_CHRISTMAS_TO_NEW_YEAR = 0.08
_LAUNCH_BOOSTS = (3.0, 2.4, 1.6, 1.2)
# So many times more people arrive at the end of the year than at its start.
_YEARLY_GROWTH = 1.7


def _last_sunday(year: int, month: int) -> date:
    last = date(year, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def _nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def _saves_in_europe(day: date) -> bool:
    return _last_sunday(day.year, 3) <= day < _last_sunday(day.year, 10)


def _saves_in_north_america(day: date) -> bool:
    return _nth_weekday(day.year, 3, _SUNDAY, 2) <= day < _nth_weekday(day.year, 11, _SUNDAY, 1)


def _saves_in_australia(day: date) -> bool:
    return not _nth_weekday(day.year, 4, _SUNDAY, 1) <= day < _nth_weekday(day.year, 10, _SUNDAY, 1)


_DAYLIGHT_SAVING: dict[str, Callable[[date], bool]] = {
    "europe": _saves_in_europe,
    "north_america": _saves_in_north_america,
    "australia": _saves_in_australia,
    "none": lambda _day: False,
}


def saves_daylight(rule: str, day: date) -> bool:
    """Say whether clocks under this rule of `places` stand an hour ahead on most of that day."""
    return _DAYLIGHT_SAVING[rule](day)


def is_year_end_break(day: date) -> bool:
    return (day.month, day.day) >= (12, 24) or (day.month, day.day) <= (1, 1)


def is_thanksgiving(day: date) -> bool:
    """Say whether it is the fourth Thursday of November or the Friday after, in the US."""
    thursday = _nth_weekday(day.year, 11, _THURSDAY, 4)
    return thursday <= day <= thursday + timedelta(days=1)


def _us_activity(day: date) -> float:
    if is_thanksgiving(day) or (day.month, day.day) == (7, 4):
        return 0.08
    return {7: 0.85, 8: 0.9}.get(day.month, 1.0)


def _europe_activity(day: date) -> float:
    if (day.month, day.day) == (5, 1):
        return 0.15
    return {7: 0.8, 8: 0.6}.get(day.month, 1.0)


_SEASON: dict[str, Callable[[date], float]] = {
    "us": _us_activity,
    "europe": _europe_activity,
    "world": lambda day: 0.9 if day.month in (7, 8) else 1.0,
}


def _day_activity(day: date, holidays: str) -> float:
    if is_year_end_break(day):
        return _CHRISTMAS_TO_NEW_YEAR * _WEEKDAY_ACTIVITY[day.weekday()]
    return _WEEKDAY_ACTIVITY[day.weekday()] * _SEASON[holidays](day)


class Rhythm:
    """The calendar of one sample year, from `start` up to but not including `end`."""

    def __init__(self, rng: Random, end: datetime) -> None:
        self._random = rng.random
        self.end = end.timestamp()
        self.start = self.end - YEAR_DAYS * DAY
        self._midnight = self.start - self.start % DAY - DAY
        first_day = datetime.fromtimestamp(self._midnight, UTC).date()
        self._days = [first_day + timedelta(days=n) for n in range(YEAR_DAYS + _HORIZON_DAYS)]
        self._hours = list(accumulate(_HOUR_ACTIVITY))
        self._offsets = {key: self._utc_offsets(key) for key in ZONES}
        activity = {
            holidays: [_day_activity(day, holidays) for day in self._days] for holidays in _SEASON
        }
        boosts = self._launch_boosts(rng)
        self._activity = {key: [0.0, *accumulate(days)] for key, days in activity.items()}
        self._arrivals = {
            key: [0.0, *accumulate(a * b for a, b in zip(days, boosts, strict=True))]
            for key, days in activity.items()
        }

    def _utc_offsets(self, key: str) -> list[float]:
        zone = ZONES[key]
        rule, winter = zone.daylight_saving, zone.utc_offset_hours
        return [(winter + saves_daylight(rule, day)) * HOUR for day in self._days]

    def _launch_boosts(self, rng: Random) -> list[float]:
        """Grow through the year, with a crowd for a few days after each product launch."""
        boosts = [1 + (_YEARLY_GROWTH - 1) * n / YEAR_DAYS for n in range(len(self._days))]
        for launch in (rng.randrange(30, 120), rng.randrange(150, 240), rng.randrange(260, 350)):
            tuesday = launch + (_TUESDAY - self._days[launch].weekday()) % 7
            for later, boost in enumerate(_LAUNCH_BOOSTS):
                boosts[tuesday + later] *= 1 + boost
        return boosts

    def moment(self, zone: str, earliest: float, latest: float) -> float:
        """Pick a likely working moment of `zone` in [earliest, latest)."""
        return self._pick(self._activity[ZONES[zone].holidays], zone, earliest, latest)

    def arrival(self, zone: str, earliest: float, latest: float) -> float:
        """Pick when somebody new turns up: like `moment`, with growth and launches."""
        return self._pick(self._arrivals[ZONES[zone].holidays], zone, earliest, latest)

    def _pick(self, cumulative: list[float], zone: str, earliest: float, latest: float) -> float:
        random = self._random
        offsets = self._offsets[zone]
        first = self._day_index(offsets, earliest)
        floor = cumulative[first]
        span = cumulative[self._day_index(offsets, latest) + 1] - floor
        for _ in range(4):
            day = bisect_right(cumulative, floor + random() * span) - 1
            hour = bisect_right(self._hours, random() * self._hours[-1])
            at = self._midnight + day * DAY - offsets[day] + (hour + random()) * HOUR
            if earliest <= at < latest:
                return at
        # The window lies outside working hours, or hardly touches them.
        return earliest + random() * (latest - earliest)

    def _day_index(self, offsets: list[float], at: float) -> int:
        latest = len(offsets) - 1
        day = min(max(int((at - self._midnight) // DAY), 0), latest)
        return min(max(int((at + offsets[day] - self._midnight) // DAY), 0), latest)

    def hour_of(self, zone: str, at: float) -> float:
        """Return what the clock of `zone` says, from 0 up to but not including 24."""
        offsets = self._offsets[zone]
        return (at + offsets[self._day_index(offsets, at)]) % DAY / HOUR

    def when_awake(self, zone: str, at: float) -> float:
        """Put off what would fall into the night to the morning, and a weekend's to Monday."""
        day = int((at - self._midnight) // DAY)
        if not 0 < day < len(self._days) - 3:
            return at
        offset = self._offsets[zone][day]
        local = at + offset - self._midnight
        day = int(local // DAY)
        hour = (local - day * DAY) / HOUR
        is_asleep = not _FIRST_WAKING_HOUR <= hour < _LAST_WAKING_HOUR
        day += is_asleep and hour >= _LAST_WAKING_HOUR
        weekday = self._days[day].weekday()
        if weekday >= _SATURDAY and self._random() < _WAITS_FOR_MONDAY:
            day += 7 - weekday
            is_asleep = True
        if not is_asleep:
            return at
        return (
            self._midnight
            + day * DAY
            - offset
            + (_FIRST_WAKING_HOUR + 1) * HOUR
            + (self._random() * 3 * HOUR)
        )

    def workday(self, weekday: int, *, days_in: int, utc_hour: float) -> float:
        """Return the first such weekday at least `days_in` days into the year, in UTC.

        Steps over the break between Christmas and New Year.
        """
        day = days_in + 1
        day += (weekday - self._days[day].weekday()) % 7
        while is_year_end_break(self._days[day]):
            day += 7
        return self._midnight + day * DAY + utc_hour * HOUR
