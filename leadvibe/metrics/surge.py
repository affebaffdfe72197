"""What surges did in a unit: events that a multiplier raised, and those that fired a trigger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver
from leadvibe.metrics.types import BoostedTotals, Bucket, SurgeFigures, SurgingLead

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def measure_surges(
    scope: Scope,
    *,
    start: datetime,
    end: datetime,
    interval: timedelta,
    channel: str | None = None,
) -> SurgeFigures:
    """Return the events that surged from `start` until just before `end`, also by interval.

    Those are the boosted ones in the ledger and those at which a surge trigger fired.

    Intervals begin at full ones of UTC's clock, the first of them at or before the start. An
    event that several rulesets score is one event; points are summed over all of them.
    """
    bound = {
        "unit": scope.unit_id,
        "start": start,
        "end": end,
        "interval": interval,
        "epoch": EPOCH,
        "channel": channel,
    }
    buckets: dict[datetime, int] = {}
    channels: dict[str, int] = {}
    totals = BoostedTotals(0, 0, 0)
    for at, name, *sums in driver().execute(_BOOSTED, bound):
        if at is not None:
            buckets[at] = sums[0]
        elif name is not None:
            channels[name] = sums[0]
        else:
            totals = BoostedTotals._make(sums)
    series = [Bucket(at, buckets.get(at, 0)) for at in bucket_starts(start, end, interval)]
    return SurgeFigures(totals, channels, series)


def list_surging(
    scope: Scope, *, first_place: int, since: datetime, limit: int
) -> list[SurgingLead]:
    """Return leads in a run of at least so many counted events that goes on since an instant.

    The latest active first.
    """
    statement = """
        SELECT lead_id, name, score, surge_place, last_event_at FROM leads
        WHERE unit_id = %s AND merged_into IS NULL AND last_event_at >= %s AND surge_place >= %s
        ORDER BY last_event_at DESC LIMIT %s
    """
    rows = driver().execute(statement, (scope.unit_id, since, first_place, limit))
    return [SurgingLead(*row) for row in rows]


def bucket_starts(start: datetime, end: datetime, interval: timedelta) -> list[datetime]:
    """Return when each interval of a span begins."""
    first = start - (start - EPOCH) % interval
    count = -((first - end) // interval)
    return [first + number * interval for number in range(count)]


# As engine.explain has it: from the weight, for what the floor cut is no merit of a multiplier.
_BOOSTED = """
    WITH boosted AS (
        SELECT entry.event_id, entry.lead_id, event.channel,
               date_bin(%(interval)s, entry.occurred_at, %(epoch)s) AS bucket,
               sum(round(entry.weight * entry.multiplier_percent / 100.0) - entry.weight) AS points
        FROM score_entries entry
        JOIN events event ON event.unit_id = entry.unit_id AND event.event_id = entry.event_id
        WHERE entry.unit_id = %(unit)s AND entry.multiplier_percent > 100
          AND entry.occurred_at >= %(start)s AND entry.occurred_at < %(end)s
          AND (%(channel)s::text IS NULL OR event.channel = %(channel)s)
        GROUP BY 1, 2, 3, 4
    ), detected AS (
        SELECT cause_event_id, lead_id, channel,
               date_bin(%(interval)s, occurred_at, %(epoch)s) AS bucket
        FROM emitted_events
        WHERE unit_id = %(unit)s AND kind = 'surge'
          AND occurred_at >= %(start)s AND occurred_at < %(end)s
          AND (%(channel)s::text IS NULL OR channel = %(channel)s)
          AND cause_event_id NOT IN (SELECT event_id FROM boosted)
        GROUP BY 1, 2, 3, 4
    ), surged AS (
        SELECT * FROM boosted UNION ALL SELECT *, 0 FROM detected
    )
    SELECT bucket, channel, count(*), count(DISTINCT lead_id), coalesce(sum(points), 0)::bigint
    FROM surged GROUP BY GROUPING SETS ((), (bucket), (channel))
    ORDER BY count(*) DESC, channel
"""
