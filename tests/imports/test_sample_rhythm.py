from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from leadvibe.imports.sample.places import ZONES
from leadvibe.imports.sample.rhythm import Rhythm, saves_daylight

END = datetime(2026, 6, 17, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles", "Europe/Berlin"])
def test_people_act_in_their_own_working_hours(zone):
    rhythm = Rhythm(random.Random(1), END)
    winter = datetime(2026, 1, 12, tzinfo=UTC).timestamp()
    offset = timedelta(hours=ZONES[zone].utc_offset_hours)

    moments = [rhythm.moment(zone, winter, winter + 28 * 86_400) for _ in range(600)]

    local = [datetime.fromtimestamp(at, UTC) + offset for at in moments]
    assert sum(8 <= moment.hour < 18 for moment in local) > 0.8 * len(local)
    assert sum(moment.weekday() >= 5 for moment in local) < 0.1 * len(local)


def test_americans_take_thanksgiving_off():
    rhythm = Rhythm(random.Random(1), END)
    week = datetime(2025, 11, 24, tzinfo=UTC).timestamp()

    moments = [rhythm.moment("America/Chicago", week, week + 5 * 86_400) for _ in range(600)]

    days = Counter(datetime.fromtimestamp(at, UTC).day for at in moments)
    assert days[27] + days[28] < 0.3 * days[25]


@pytest.mark.parametrize(
    ("rule", "first_day", "day_after"),
    [
        ("europe", date(2026, 3, 29), date(2026, 10, 25)),
        ("north_america", date(2026, 3, 8), date(2026, 11, 1)),
        ("australia", date(2025, 10, 5), date(2026, 4, 5)),
    ],
)
def test_clocks_change_on_the_right_sundays(rule, first_day, day_after):
    one_day = timedelta(days=1)

    assert not saves_daylight(rule, first_day - one_day)
    assert saves_daylight(rule, first_day)
    assert saves_daylight(rule, day_after - one_day)
    assert not saves_daylight(rule, day_after)


def test_night_owls_answer_their_mail_in_the_morning():
    rhythm = Rhythm(random.Random(1), END)
    saturday_night = datetime(2026, 1, 17, 2, tzinfo=UTC).timestamp()
    thursday_noon = datetime(2026, 1, 15, 12, tzinfo=UTC).timestamp()

    woken = [rhythm.when_awake("Europe/London", saturday_night) for _ in range(50)]

    assert {datetime.fromtimestamp(at, UTC).hour for at in woken} <= {8, 9, 10}
    assert Counter(datetime.fromtimestamp(at, UTC).day for at in woken).most_common(1)[0][0] == 19
    assert rhythm.when_awake("Europe/London", thursday_noon) == thursday_noon
