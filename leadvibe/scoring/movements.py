"""What moved a lead's score within a span, summed by the database: few rows of a long history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from leadvibe.engine.facts import Entry
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver
from leadvibe.scoring.ledger_sums import BLOCK, LAST_SEQ, WITHIN

DAY, NO_TIME = timedelta(days=1), timedelta(0)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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


class EntrySum(NamedTuple):
    """What entries of one type, rule and worth did; `seq` is the newest one's number."""

    kind: str
    event_type: str
    rule_id: UUID | None
    weight: int
    multiplier_percent: int
    delta: int
    times: int
    seq: int


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
    most = max(newest, opened.entries if opened else 0)
    bound = _bound(scope, lead_id, ruleset_id, span) | {"most": most}
    sums: dict[tuple[str, str], dict[tuple[UUID | None, int], tuple[int, int]]] = {}
    entries: dict[tuple[str, str], list[Entry]] = {}
    for event_type, delta, times, *values in driver().execute(_GROUPS, bound):
        entry = Entry(*values)
        key = (entry.kind, event_type)
        sums.setdefault(key, {})[entry.rule_id, entry.version] = (delta, times)
        of_group = entries.setdefault(key, [])
        if len(of_group) < (most if opened and opened[:2] == key else newest):
            of_group.append(entry)
    return [_group(*key, sums[key].values(), of_group) for key, of_group in entries.items()]


def _group(
    kind: str, event_type: str, sums: Iterable[tuple[int, int]], entries: Sequence[Entry]
) -> EntryGroup:
    deltas, times = zip(*sums, strict=True)
    return EntryGroup(kind, event_type, sum(deltas), sum(times), tuple(entries))


def list_movements(
    scope: Scope, lead_id: str, ruleset_id: UUID, span: Span, *, start: datetime, step: timedelta
) -> list[Movement]:
    """Return what each group did in each step of time counted from `start`, in order."""
    is_by_days = step % DAY == NO_TIME and (start - EPOCH) % DAY == NO_TIME  # as the sums are
    bound = _bound(scope, lead_id, ruleset_id, span) | {
        "start": start, "step": step, "by_days": is_by_days
    }  # fmt: skip
    return [Movement(*row) for row in driver().execute(_MOVEMENTS, bound)]


def list_sums(scope: Scope, lead_id: str, ruleset_id: UUID, span: Span) -> list[EntrySum]:
    """Return what each rule did, apart for each weight and multiplier, the newest last."""
    bound = _bound(scope, lead_id, ruleset_id, span)
    return [EntrySum(*row) for row in driver().execute(_SUMS, bound)]


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
    statement = f"SELECT EXISTS (SELECT FROM {WITHIN} AND s.multiplier_percent > 100)"  # noqa: S608 - text of ours
    bound = {"unit": scope.unit_id, "lead": lead_id, "since": since, "until": None}
    row = driver().execute(statement, bound).fetchone()
    return bool(row and row[0])


# Full blocks of the ledger that lie within the span as a whole are taken from their sums, the rest
# entry by entry; "pieces" are both. All is one statement, so that no replay comes in between.
# Within a version, a rule is about one event type: pieces are summed by these, and only the last
# entry of each sum is looked up among the events.

_PIECES = f"""
    sums AS (
        SELECT * FROM ledger_sums
        WHERE unit_id = %(unit)s AND lead_id = %(lead)s AND ruleset_id = %(ruleset)s
          AND %(by_days)s
    ), found AS (
        SELECT max(last_seq) FILTER (WHERE ended_at < %(since)s::timestamptz) AS last_before,
               max(last_seq) FILTER (WHERE began_at < %(since)s::timestamptz) AS last_begun_before,
               min(first_seq) FILTER (WHERE began_at > %(until)s::timestamptz) AS first_after,
               min(first_seq) FILTER (WHERE ended_at > %(until)s::timestamptz) AS first_ended_after,
               min(first_seq) AS first, max(last_seq) AS last
        FROM sums
    ), whole AS (
        SELECT coalesce(last_before, 0) AS lower, coalesce(first_after, {LAST_SEQ}) AS upper,
               greatest(first - 1, ceil(last_begun_before / {BLOCK}.0) * {BLOCK})::int
                   AS whole_after,
               least(last, (first_ended_after - 1) / {BLOCK} * {BLOCK}) AS whole_until
        FROM found
    ), bounds AS (
        SELECT lower, upper,
               CASE WHEN whole_after < whole_until THEN whole_after ELSE lower END AS whole_after,
               CASE WHEN whole_after < whole_until THEN whole_until ELSE lower END AS whole_until
        FROM whole
    ), pieces AS (
        SELECT began_at AS at, kind, rule_id, version, weight, multiplier_percent, delta,
               times, last_seq AS seq, seqs
        FROM bounds JOIN sums ON last_seq > whole_after AND last_seq <= whole_until
        UNION ALL
        SELECT occurred_at, kind, rule_id, version, weight, multiplier_percent, delta,
               1, seq, ARRAY[seq]
        FROM bounds CROSS JOIN LATERAL (
            SELECT * FROM score_entries s
            WHERE s.unit_id = %(unit)s AND s.lead_id = %(lead)s AND s.ruleset_id = %(ruleset)s
              AND s.seq > lower AND s.seq <= whole_after
            UNION ALL
            SELECT * FROM score_entries s
            WHERE s.unit_id = %(unit)s AND s.lead_id = %(lead)s AND s.ruleset_id = %(ruleset)s
              AND s.seq > whole_until AND s.seq < upper
        ) AS single
        WHERE (%(since)s::timestamptz IS NULL OR occurred_at >= %(since)s::timestamptz)
          AND (%(until)s::timestamptz IS NULL OR occurred_at <= %(until)s)
    )
"""  # noqa: S608 - text of ours

# Each is looked up by its key: a plain join was planned as one of all the unit's events.
_LAST = """
    CROSS JOIN LATERAL (
        SELECT * FROM score_entries WHERE unit_id = %(unit)s AND lead_id = %(lead)s
            AND ruleset_id = %(ruleset)s AND seq = summed.seq LIMIT 1
    ) AS last
"""
_WITH_TYPE = f"""{_LAST}
    CROSS JOIN LATERAL (
        SELECT event_type FROM events
        WHERE unit_id = (SELECT %(unit)s::uuid) AND event_id = last.event_id LIMIT 1
    ) AS e
"""  # noqa: S608 - text of ours

# Of each sum the newest entries: whole blocks until these hold enough, and of them the last ones.
_GROUPS = f"""
    WITH {_PIECES}, blocks AS (
        SELECT kind, rule_id, version, (seq - 1) / {BLOCK} AS block,
               sum(delta) AS delta, sum(times) AS times
        FROM pieces GROUP BY 1, 2, 3, 4
    ), counted AS (
        SELECT kind, rule_id, version, block,
               (sum(delta) OVER whole)::int AS delta, (sum(times) OVER whole)::int AS times,
               sum(times) OVER (whole ORDER BY block DESC) - times AS newer
        FROM blocks WINDOW whole AS (PARTITION BY kind, rule_id, version)
    ), ranked AS (
        SELECT newest.seq, counted.delta, counted.times, row_number() OVER (
            PARTITION BY kind, counted.rule_id, version ORDER BY newest.seq DESC) AS place
        FROM counted JOIN pieces USING (kind, version)
        CROSS JOIN unnest(seqs) AS newest (seq)
        WHERE newer < %(most)s AND counted.rule_id IS NOT DISTINCT FROM pieces.rule_id
          AND (pieces.seq - 1) / {BLOCK} = block
    ), summed AS (SELECT * FROM ranked WHERE place <= %(most)s)
    SELECT e.event_type, summed.delta, summed.times,
           last.ruleset_id, last.seq, last.event_id, last.rule_id, last.version,
           last.kind, last.weight, last.multiplier_percent, last.before, last.delta, last.after,
           last.occurred_at
    FROM summed {_WITH_TYPE} ORDER BY last.seq DESC
"""  # noqa: S608 - text of ours

_SUMS = f"""
    WITH {_PIECES}, summed AS (
        SELECT kind, rule_id, version, weight, multiplier_percent,
               sum(delta)::int AS delta, sum(times)::int AS times, max(seq) AS seq
        FROM pieces GROUP BY 1, 2, 3, 4, 5
    )
    SELECT summed.kind, e.event_type, summed.rule_id, summed.weight, summed.multiplier_percent,
           summed.delta, summed.times, summed.seq
    FROM summed {_WITH_TYPE} ORDER BY summed.seq
"""  # noqa: S608 - text of ours

_MOVEMENTS = f"""
    WITH {_PIECES}, summed AS (
        SELECT date_bin(%(step)s, at, %(start)s) AS at, kind, rule_id, version,
               sum(delta)::int AS delta, sum(times)::int AS times, max(seq) AS seq
        FROM pieces GROUP BY 1, 2, 3, 4
    ), keys AS (
        SELECT kind, rule_id, version, max(seq) AS seq FROM summed GROUP BY 1, 2, 3
    ), typed AS (
        SELECT summed.kind, summed.rule_id, summed.version, e.event_type
        FROM keys AS summed {_WITH_TYPE}
    )
    SELECT summed.at, summed.kind, typed.event_type, summed.delta, summed.times,
           last.event_id, last.after
    FROM summed JOIN typed ON typed.kind = summed.kind AND typed.version = summed.version
        AND typed.rule_id IS NOT DISTINCT FROM summed.rule_id
    {_LAST}
    ORDER BY summed.seq
"""  # noqa: S608 - text of ours


def _bound(scope: Scope, lead_id: str, ruleset_id: UUID, span: Span) -> dict[str, object]:
    return {
        "unit": scope.unit_id,
        "lead": lead_id,
        "ruleset": ruleset_id,
        "since": span.since,
        "until": span.until,
        "by_days": True,
    }
