"""How many leads of a unit have which score, last event type, or hour: totals without counting.

Triggers keep the histograms, in the transaction that changes the leads. Leads that are merged or
being deleted are in none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver

_HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Moment(StrEnum):
    """Which time of a lead."""

    CREATED = "created"
    ACTIVE = "active"


class WrongBucket(NamedTuple):
    """A bucket that does not hold as many leads as there are."""

    name: str
    stored: int
    counted: int


def count_scores(scope: Scope, ranges: Sequence[tuple[int, int]]) -> int:
    """Return how many leads have a score within any of the ranges, both ends included."""
    if not ranges:
        return 0
    lows, highs = (list(bounds) for bounds in zip(*ranges, strict=True))
    statement = """
        SELECT coalesce(sum(leads), 0)::bigint FROM lead_histograms
        WHERE unit_id = %(unit)s AND facet = 'score' AND label = ''
          AND bucket BETWEEN %(lowest)s AND %(highest)s
          AND EXISTS (
              SELECT FROM unnest(%(lows)s::bigint[], %(highs)s::bigint[]) AS within (low, high)
              WHERE bucket BETWEEN low AND high
          )
    """
    bound = {"unit": scope.unit_id, "lowest": min(lows), "highest": max(highs)}
    return _number(statement, {**bound, "lows": lows, "highs": highs})


def tally_scores(scope: Scope) -> dict[int, int]:
    """Return how many leads have each score that any has."""
    statement = """
        SELECT bucket::int, leads::bigint FROM lead_histograms
        WHERE unit_id = %s AND facet = 'score' AND label = '' AND leads > 0
    """
    return dict(driver().execute(statement, (scope.unit_id,)).fetchall())


def count_event_type(scope: Scope, event_type: str) -> int:
    """Return how many leads had their last event of this type."""
    statement = """
        SELECT coalesce(sum(leads), 0)::bigint FROM lead_histograms
        WHERE unit_id = %(unit)s AND facet = 'event_type' AND label = %(type)s
    """
    return _number(statement, {"unit": scope.unit_id, "type": event_type})


def count_between(
    scope: Scope, moment: Moment, *, since: datetime | None, before: datetime | None
) -> int:
    """Return how many leads have the moment within a time; None leaves an end open.

    Whole hours are known; of the two at the ends, the leads outside are counted and left out.
    """
    if since is not None and before is not None and since >= before:
        return 0
    parts = ["SELECT coalesce((SELECT sum(leads) FROM lead_histograms WHERE", _HOURS]
    bound: dict[str, object] = {"unit": scope.unit_id, "facet": moment.value}
    outside = ""
    if since is not None:
        first = (since - _EPOCH) // _HOUR
        bound |= {"first": first, "first_at": _EPOCH + first * _HOUR, "since": since}
        parts.append("AND bucket >= %(first)s")
        outside += _BETWEEN.format(column=_COLUMNS[moment], low="first_at", high="since")
    if before is not None:
        last = (before - _EPOCH) // _HOUR
        bound |= {"last": last, "before": before, "last_end": _EPOCH + (last + 1) * _HOUR}
        parts.append("AND bucket <= %(last)s")
        outside += _BETWEEN.format(column=_COLUMNS[moment], low="before", high="last_end")
    return _number(f"{' '.join(parts)}), 0)::bigint{outside}", bound)


def list_created(scope: Scope, since: datetime, before: datetime) -> dict[datetime, int]:
    """Return how many leads were made in each hour that has any; both ends are full hours."""
    statement = f"""
        SELECT bucket, leads FROM lead_histograms
        WHERE {_HOURS} AND bucket >= %(first)s AND bucket < %(end)s AND leads > 0 ORDER BY bucket
    """  # noqa: S608 - text of ours
    bound = {
        "unit": scope.unit_id,
        "facet": Moment.CREATED.value,
        "first": (since - _EPOCH) // _HOUR,
        "end": (before - _EPOCH) // _HOUR,
    }
    return {_EPOCH + hour * _HOUR: leads for hour, leads in driver().execute(statement, bound)}


def recount(scope: Scope) -> None:
    """Put the unit's histograms right. Needs the identities' lock."""
    driver().execute("DELETE FROM lead_histograms WHERE unit_id = %s", (scope.unit_id,))
    driver().execute(
        f"INSERT INTO lead_histograms (unit_id, facet, label, bucket, leads) {_COUNTED}",
        {"unit": scope.unit_id},
    )


def find_wrong(scope: Scope) -> Iterator[WrongBucket]:
    """Count all leads and yield the buckets that say otherwise. Needs the identities' lock."""
    statement = f"""
        WITH counted AS ({_COUNTED}),
        kept AS (SELECT * FROM lead_histograms WHERE unit_id = %(unit)s)
        SELECT facet, label, bucket, coalesce(kept.leads, 0), coalesce(counted.leads, 0)
        FROM kept FULL JOIN counted USING (unit_id, facet, label, bucket)
        WHERE coalesce(kept.leads, 0) <> coalesce(counted.leads, 0)
        ORDER BY facet, label, bucket
    """  # noqa: S608 - a statement of ours
    rows = driver().execute(statement, {"unit": scope.unit_id})
    for facet, label, bucket, stored, counted in rows:
        yield WrongBucket(f"leads by {facet} {label or bucket}", stored, counted)


_HOURS = "unit_id = %(unit)s AND facet = %(facet)s AND label = ''"
_COLUMNS = {Moment.CREATED: "created_at", Moment.ACTIVE: "last_event_at"}
_BETWEEN = """
    - (SELECT count(*) FROM leads WHERE unit_id = %(unit)s AND merged_into IS NULL
       AND {column} >= %({low})s AND {column} < %({high})s)
"""
_COUNTED = """
    SELECT unit_id, facets.facet, facets.label, facets.bucket, count(*) AS leads
    FROM leads, lead_facets(score, last_event_type, created_at, last_event_at) AS facets
    WHERE unit_id = %(unit)s AND merged_into IS NULL
    GROUP BY 1, 2, 3, 4
"""


def _number(statement: str, bound: dict[str, object]) -> int:
    row = driver().execute(statement, bound).fetchone()
    assert row is not None
    return int(row[0])
