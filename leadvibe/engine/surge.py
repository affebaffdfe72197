"""The session multiplier: how a burst of interest raises what each event is worth.

The run is its own count, apart from the session that lists show: every counted event of a lead is
in it, whatever its type, and a gap longer than the policy's idle reset starts it again at 1.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime, timedelta

from leadvibe.engine.policies import PLAIN_PERCENT, SurgePolicy

Multiplier = Callable[[int], int]
"""From an event's place in the run, counted from 1, to the percentage its weights count."""


def next_place(place: int, last_at: datetime | None, at: datetime, idle_reset: timedelta) -> int:
    """Return an event's place in the run, the last counted event having had `place`."""
    if last_at is None or at - last_at > idle_reset:
        return 1
    return place + 1


def make_multiplier(policy: SurgePolicy) -> Multiplier:
    """Make a policy ready to use: each place is looked up among the bands."""
    starts = [band.min_events for band in policy.bands]
    percents = [min(band.multiplier_percent, policy.cap_percent) for band in policy.bands]
    percents.insert(0, PLAIN_PERCENT)

    def multiplier(place: int) -> int:
        return percents[bisect_right(starts, place)]

    return multiplier
