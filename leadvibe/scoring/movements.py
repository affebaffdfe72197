"""What moved a lead's score within a span, summed by the database: few rows of a long history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from leadvibe.engine.facts import Entry
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver


class Span(NamedTuple):
    """Both ends are included; None leaves one open."""

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class EntryGroup:
    """What all events of a type, or all of a kind, did to a score; `entries` are the newest."""

    kind: str
    event_type: str
    delta: int
    count: int
    entries: tuple[Entry, ...]


class Opened(NamedTuple):
    """A group that is read further than the others."""

    kind: str
    event_type: str
    entries: int


class Movement(NamedTuple):
    """What one group did to a score in one step of time; `after` is the score after it."""

    at: datetime
    kind: str
    event_type: str
    delta: int
    times: int
    event_id: UUID
    after: int


def group_entries(
    scope: Scope,
    lead_id: str,
    ruleset_id: UUID,
    span: Span,
    *,
    newest: int,
    opened: Opened | None = None,
) -> list[EntryGroup]:
    """Return what moved the score, each group with its newest entries, the newest first."""
    bound = _bound(scope, lead_id, ruleset_id, span)
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for *key, delta, count in driver().execute(_SUMS, bound):
        kind, event_type = key
        sums[kind, event_type] = (delta, count)
    most = max(newest, opened.entries if opened else 0)
    entries: dict[tuple[str, str], list[Entry]] = {}
    for event_type, *values in driver().execute(_NEWEST, {**bound, "most": most}):
        entry = Entry(*values)
        of_group = entries.setdefault((entry.kind, event_type), [])
        if len(of_group) < (most if opened and opened[:2] == (entry.kind, event_type) else newest):
            of_group.append(entry)
    return [
        EntryGroup(*key, *sums[key], tuple(of_group))
        for key, of_group in entries.items()
        if key in sums  # what came in between the two statements is left for the next time
    ]


def list_movements(
    scope: Scope, lead_id: str, ruleset_id: UUID, span: Span, *, start: datetime, step: timedelta
) -> list[Movement]:
    """Return what each group did in each step of time counted from `start`, in order."""
    bound = {**_bound(scope, lead_id, ruleset_id, span), "start": start, "step": step}
    return [Movement(*row) for row in driver().execute(_MOVEMENTS, bound)]


def find_beginning(scope: Scope, lead_id: str, ruleset_id: UUID) -> datetime | None:
    """Return when the score first moved; None for one that never has."""
    return _find_move(scope, lead_id, ruleset_id, "ASC")


def find_end(scope: Scope, lead_id: str, ruleset_id: UUID) -> datetime | None:
    """Return when the score last moved; None for one that never has."""
    return _find_move(scope, lead_id, ruleset_id, "DESC")


def _find_move(
    scope: Scope, lead_id: str, ruleset_id: UUID, order: Literal["ASC", "DESC"]
) -> datetime | None:
    statement = f"""
        SELECT occurred_at FROM score_entries
        WHERE unit_id = %s AND lead_id = %s AND ruleset_id = %s ORDER BY seq {order} LIMIT 1
    """  # noqa: S608 - a word of ours
    row = driver().execute(statement, (scope.unit_id, lead_id, ruleset_id)).fetchone()
    return row[0] if row else None


def has_surged(scope: Scope, lead_id: str, *, since: datetime) -> bool:
    """Say whether points of the lead have been multiplied since an instant."""
    statement = """
        SELECT EXISTS (
            SELECT FROM score_entries
            WHERE unit_id = %s AND lead_id = %s AND multiplier_percent > 100 AND occurred_at >= %s
        )
    """
    row = driver().execute(statement, (scope.unit_id, lead_id, since)).fetchone()
    return bool(row and row[0])


# Within a version, a rule is about one event type: entries are summed by these, and only the last
# one of each sum is looked up among the events.

_WITHIN = """
    score_entries s
    WHERE s.unit_id = %(unit)s AND s.lead_id = %(lead)s AND s.ruleset_id = %(ruleset)s
      AND (%(since)s::timestamptz IS NULL OR s.occurred_at >= %(since)s)
      AND (%(until)s::timestamptz IS NULL OR s.occurred_at <= %(until)s)
"""

_WITH_TYPE = """
    JOIN score_entries last ON last.unit_id = %(unit)s AND last.lead_id = %(lead)s
        AND last.ruleset_id = %(ruleset)s AND last.seq = summed.seq
    JOIN events e ON e.unit_id = %(unit)s AND e.event_id = last.event_id
"""

_SUMS = f"""
    WITH summed AS (
        SELECT s.kind, sum(s.delta) AS delta, count(*) AS count, max(s.seq) AS seq
        FROM {_WITHIN} GROUP BY s.kind, s.rule_id, s.version
    )
    SELECT summed.kind, e.event_type, sum(summed.delta)::int, sum(summed.count)::int
    FROM summed {_WITH_TYPE} GROUP BY 1, 2
"""  # noqa: S608 - text of ours

_NEWEST = f"""
    WITH summed AS (
        SELECT seq FROM (
            SELECT s.seq, row_number() OVER (
                PARTITION BY s.kind, s.rule_id, s.version ORDER BY s.seq DESC) AS place
            FROM {_WITHIN}
        ) AS ranked WHERE place <= %(most)s
    )
    SELECT e.event_type, last.ruleset_id, last.seq, last.event_id, last.rule_id, last.version,
           last.kind, last.weight, last.multiplier_percent, last.before, last.delta, last.after,
           last.occurred_at
    FROM summed {_WITH_TYPE} ORDER BY last.seq DESC
"""  # noqa: S608 - text of ours

_MOVEMENTS = f"""
    WITH summed AS (
        SELECT date_bin(%(step)s, s.occurred_at, %(start)s) AS at, sum(s.delta)::int AS delta,
               count(*)::int AS times, max(s.seq) AS seq
        FROM {_WITHIN} GROUP BY 1, s.kind, s.rule_id, s.version
    )
    SELECT summed.at, last.kind, e.event_type, summed.delta, summed.times, last.event_id, last.after
    FROM summed {_WITH_TYPE} ORDER BY summed.seq
"""  # noqa: S608 - text of ours


def _bound(scope: Scope, lead_id: str, ruleset_id: UUID, span: Span) -> dict[str, object]:
    return {
        "unit": scope.unit_id,
        "lead": lead_id,
        "ruleset": ruleset_id,
        "since": span.since,
        "until": span.until,
    }
