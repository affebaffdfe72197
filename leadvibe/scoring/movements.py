"""What moved a lead's score within a span, summed by the database: few rows of a long history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple
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
    kind, event_type, entries = opened or ("", "", newest)
    statement = f"""
        WITH found AS (
            SELECT s.*, e.event_type,
                   sum(s.delta) OVER grouped AS total, count(*) OVER grouped AS count,
                   row_number() OVER (PARTITION BY s.kind, e.event_type ORDER BY s.seq DESC)
                       AS place
            FROM {_WITHIN}
            WINDOW grouped AS (PARTITION BY s.kind, e.event_type)
        )
        SELECT kind, event_type, total, count, ruleset_id, seq, event_id, rule_id, version, kind,
               weight, multiplier_percent, before, delta, after, occurred_at
        FROM found
        WHERE place <= CASE WHEN (kind, event_type) = (%(kind)s, %(type)s)
                            THEN %(entries)s ELSE %(newest)s END
        ORDER BY kind, event_type, seq DESC
    """  # noqa: S608 - text of ours
    bound = {
        **_bound(scope, lead_id, ruleset_id, span),
        "kind": kind,
        "type": event_type,
        "entries": entries,
        "newest": newest,
    }
    rows = driver().execute(statement, bound).fetchall()
    return [
        EntryGroup(kind, event_type, delta, count, tuple(Entry(*row[4:]) for row in of_group))
        for (kind, event_type, delta, count), of_group in groupby(rows, key=lambda row: row[:4])
    ]


def list_movements(
    scope: Scope, lead_id: str, ruleset_id: UUID, span: Span, *, start: datetime, step: timedelta
) -> list[Movement]:
    """Return what each group did in each step of time counted from `start`, in order."""
    statement = f"""
        SELECT date_bin(%(step)s, s.occurred_at, %(start)s), s.kind, e.event_type,
               sum(s.delta)::int, count(*)::int,
               (array_agg(s.event_id ORDER BY s.seq DESC))[1],
               (array_agg(s.after ORDER BY s.seq DESC))[1]
        FROM {_WITHIN}
        GROUP BY 1, 2, 3 ORDER BY max(s.seq)
    """  # noqa: S608 - text of ours
    bound = {**_bound(scope, lead_id, ruleset_id, span), "start": start, "step": step}
    return [Movement(*row) for row in driver().execute(statement, bound)]


def find_beginning(scope: Scope, lead_id: str, ruleset_id: UUID) -> datetime | None:
    """Return when the score first moved; None for one that never has."""
    statement = """
        SELECT occurred_at FROM score_entries
        WHERE unit_id = %s AND lead_id = %s AND ruleset_id = %s ORDER BY seq LIMIT 1
    """
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


_WITHIN = """
    score_entries s JOIN events e ON e.unit_id = s.unit_id AND e.event_id = s.event_id
    WHERE s.unit_id = %(unit)s AND s.lead_id = %(lead)s AND s.ruleset_id = %(ruleset)s
      AND (%(since)s::timestamptz IS NULL OR s.occurred_at >= %(since)s)
      AND (%(until)s::timestamptz IS NULL OR s.occurred_at <= %(until)s)
"""


def _bound(scope: Scope, lead_id: str, ruleset_id: UUID, span: Span) -> dict[str, object]:
    return {
        "unit": scope.unit_id,
        "lead": lead_id,
        "ruleset": ruleset_id,
        "since": span.since,
        "until": span.until,
    }
