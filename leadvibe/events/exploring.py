"""Looking through all events of a unit, the newest first, without ever reading all of them.

A look goes back over a bounded number of events and says how far it came: whoever wants more goes
on from there. What ix_events_latest answers by itself is looked through much further at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any
from uuid import UUID

from leadvibe.engine.conditions import (
    Clause,
    Condition,
    Joiner,
    Operator,
    as_number,
    clauses_hold,
)
from leadvibe.engine.letters import case_variants
from leadvibe.events.queries import TimelinePosition
from leadvibe.events.types import Event
from leadvibe.identity.types import Scope
from leadvibe.leads.queries import like_pattern
from leadvibe.lib.db import driver

MOST_ROWS = 100_000
"""Events that one look reads in the database: some 0.2 s."""

MOST_JUDGED = 20_000
"""Events whose metadata one look judges in Python: some 0.2 s as well."""

MOST_KEYS = 1_000_000
"""Entries of the index that one look or count goes over: some 0.15 s."""

READ_SIZE = 500
_OF_TEXT = frozenset({Operator.EQUALS, Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH})
_ESCAPED = re.compile(r'["\\\x00-\x1f]')
_COLUMNS = """
    event_id, lead_id, event_type, occurred_at, received_at, receipt, version, channel, source,
    metadata, suppression_reason, original_lead_id
"""
_INDEXED = "occurred_at, receipt, event_type, suppression_reason"
_NEWEST_FIRST = "occurred_at DESC, receipt DESC"
_PLACE = "(occurred_at, receipt, event_id)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """Which events are looked for: all conditions hold, and what is None or empty is left out."""

    since: datetime | None = None
    before: datetime | None = None
    event_types: tuple[str, ...] = ()
    channel: str | None = None
    lead_id: str | None = None
    counts: bool | None = None
    """True for what counts, False for what is suppressed."""
    reason: str | None = None
    clauses: tuple[Clause[Condition], ...] = ()
    """About the metadata, as engine.conditions reads them."""
    search: str = ""
    """Part of the type, the lead's id or the metadata in any case, or the whole id of an event."""

    @property
    def is_in_index(self) -> bool:
        """Whether ix_events_latest knows enough to answer."""
        return not (self.lead_id or self.channel or self.clauses or self.search)

    @property
    def most(self) -> int:
        """How many events one look goes over."""
        if self.is_in_index:
            return MOST_KEYS
        return MOST_JUDGED if self.clauses and not self.telling_texts else MOST_ROWS

    @property
    def telling_texts(self) -> tuple[str, ...]:
        """Folded texts that the metadata of every matching event has in it, written as JSON.

        Numbers may be written in several ways, and so may what JSON escapes.
        """
        joined_by_or = any(it.joiner is Joiner.OR for it in self.clauses[1:])
        return tuple(
            it.term.text
            for it in self.clauses
            if not joined_by_or
            and it.term.operator in _OF_TEXT
            and as_number(it.term.value) is None
            and not _ESCAPED.search(it.term.text)
        )


@dataclass(frozen=True, slots=True)
class Look:
    """What a look has found.

    `has_more` when there is more at once; else, with `reached`, the look ended there before it had
    a page together, and may go on from there.
    """

    events: Sequence[Event]
    has_more: bool
    reached: TimelinePosition | None = None


def look(
    scope: Scope, wanted: Looking, *, limit: int, before: TimelinePosition | None = None
) -> Look:
    """Return the newest matching events from before a position on."""
    if wanted.is_in_index:
        found = _look_up(scope, wanted, limit=limit + 1, before=before)
    else:
        matching = _stream(scope, wanted, before=before, most=wanted.most)
        found = list(islice(matching, limit + 1))
    if len(found) > limit:
        return Look(found[:limit], has_more=True)
    return Look(found, False, _end_of_look(scope, wanted, before=before))


def stream_events(scope: Scope, wanted: Looking) -> Iterator[Event]:
    """Yield all matching events, the newest first, without holding them in memory."""
    return _stream(scope, wanted, before=None, most=None)


def count_by_time(scope: Scope, wanted: Looking, edges: Sequence[datetime]) -> dict[int, int]:
    """Count events between edges, by the place of the earlier edge; from the first one on.

    One by one, the newest MOST_KEYS of them at most. Knows types, leads and what counts only.
    """
    statement = f"""
        SELECT width_bucket(occurred_at, %(edges)s::timestamptz[]) - 1 AS place, count(*)
        FROM ({_looked_over(wanted)}) AS looked WHERE {_filters(wanted)} GROUP BY place
    """  # noqa: S608 - text of ours
    bound = {**_bound(scope, wanted), "edges": list(edges), "most": MOST_KEYS}
    return dict(driver().execute(statement, bound).fetchall())


def count_by_reason(scope: Scope, wanted: Looking) -> dict[str, int]:
    """Count what is suppressed by its reason, among the newest MOST_KEYS events of the time."""
    statement = f"""
        SELECT suppression_reason, count(*) FROM ({_looked_over(wanted)}) AS looked
        WHERE {_filters(wanted)} GROUP BY suppression_reason ORDER BY count(*) DESC
    """  # noqa: S608 - text of ours
    bound = {**_bound(scope, wanted), "most": MOST_KEYS}
    return dict(driver().execute(statement, bound).fetchall())


def sum_days(
    scope: Scope, event_types: Sequence[str], *, since: date | None, before: date | None
) -> dict[date, int]:
    """Return how many events counted on each day, of some types or of all: from the counters."""
    conditions = ["unit_id = %(unit)s", "events > 0"]
    conditions += ["day >= %(since)s"] * (since is not None)
    conditions += ["day < %(before)s"] * (before is not None)
    conditions += ["event_type = ANY(%(types)s)"] * bool(event_types)
    statement = f"""
        SELECT day, sum(events)::bigint FROM event_days WHERE {" AND ".join(conditions)}
        GROUP BY day ORDER BY day
    """  # noqa: S608 - text of ours
    bound = {"unit": scope.unit_id, "since": since, "before": before, "types": list(event_types)}
    return dict(driver().execute(statement, bound).fetchall())


def last_days(scope: Scope) -> dict[str, date]:
    """Return the last day on which an event of each type counted, by type."""
    statement = """
        SELECT event_type, max(day) FROM event_days WHERE unit_id = %s AND events > 0
        GROUP BY event_type
    """
    return dict(driver().execute(statement, (scope.unit_id,)).fetchall())


def oldest_event(scope: Scope) -> datetime | None:
    """Return when the unit's first event happened; None without any."""
    statement = """
        SELECT occurred_at FROM events WHERE unit_id = %s ORDER BY occurred_at, receipt LIMIT 1
    """
    row = driver().execute(statement, (scope.unit_id,)).fetchone()
    return row[0] if row else None


def _look_up(
    scope: Scope, wanted: Looking, *, limit: int, before: TimelinePosition | None
) -> list[Event]:
    """Find the keys in the index first, and read only the events that have them.

    Events that Leadvibe wrote may share a key: those beside the position's own are looked at too.
    """
    behind = "AND (occurred_at, receipt) < (%(at)s, %(receipt)s)" if before else ""
    statement = f"""
        SELECT occurred_at, receipt FROM ({_looked_over(wanted, behind)}) AS looked
        WHERE {_filters(wanted)} ORDER BY {_NEWEST_FIRST} LIMIT %(limit)s
    """  # noqa: S608 - text of ours
    bound = {**_bound(scope, wanted, before), "most": MOST_KEYS, "limit": limit}
    keys = set(driver().execute(statement, bound).fetchall())
    if before is not None:
        keys.add((before.occurred_at, before.receipt))
    return _read_keys(scope, wanted, keys, limit=limit, before=before)


def _read_keys(
    scope: Scope,
    wanted: Looking,
    keys: Collection[tuple[datetime, int]],
    *,
    limit: int,
    before: TimelinePosition | None,
) -> list[Event]:
    statement = f"""
        SELECT {_COLUMNS} FROM (
            SELECT e.* FROM unnest(%(ats)s::timestamptz[], %(receipts)s::bigint[]) AS k (at, number)
            JOIN events e
                ON e.unit_id = %(unit)s AND e.occurred_at = k.at AND e.receipt = k.number
        ) AS looked
        WHERE {_filters(wanted)} {_placed(before)}
        ORDER BY {_NEWEST_FIRST}, event_id DESC LIMIT %(limit)s
    """  # noqa: S608 - text of ours
    bound = {
        **_bound(scope, wanted, before),
        "ats": [at for at, _ in keys],
        "receipts": [receipt for _, receipt in keys],
        "limit": limit,
    }
    return [Event(*row) for row in driver().execute(statement, bound)]


def _stream(
    scope: Scope, wanted: Looking, *, before: TimelinePosition | None, most: int | None
) -> Iterator[Event]:
    looked_over = _looked_over(wanted, _placed(before), columns="*", is_bounded=most is not None)
    statement = f"""
        SELECT {_COLUMNS} FROM ({looked_over}) AS looked
        WHERE {_filters(wanted)} ORDER BY {_NEWEST_FIRST}, event_id DESC
    """  # noqa: S608 - text of ours
    bound = {**_bound(scope, wanted, before), "most": most}
    with driver().cursor(name="exploring") as cursor:
        cursor.itersize = READ_SIZE
        for row in cursor.execute(statement, bound):
            event = Event(*row)
            if not wanted.clauses or clauses_hold(wanted.clauses, event.metadata):
                yield event


def _end_of_look(
    scope: Scope, wanted: Looking, *, before: TimelinePosition | None
) -> TimelinePosition | None:
    """Return where a look had to end; None when it came to the end of what there is."""
    if wanted.is_in_index:
        behind = "AND (occurred_at, receipt) < (%(at)s, %(receipt)s)" if before else ""
        looked_over = _looked_over(wanted, behind, columns="occurred_at, receipt")
    else:
        looked_over = _looked_over(
            wanted, _placed(before), columns="occurred_at, receipt, event_id"
        )
    statement = f"SELECT * FROM ({looked_over}) AS looked OFFSET %(last)s"  # noqa: S608 - text of ours
    bound = {**_bound(scope, wanted, before), "most": wanted.most, "last": wanted.most - 1}
    row = driver().execute(statement, bound).fetchone()
    if row is None:
        return None
    at, receipt, *event_id = row
    return TimelinePosition(at, receipt, event_id[0] if event_id else UUID(int=0))


def _looked_over(
    wanted: Looking, place: str = "", *, columns: str = _INDEXED, is_bounded: bool = True
) -> str:
    """Say in SQL which events are gone over, in the order and with the columns of an index."""
    conditions = ["unit_id = %(unit)s"]
    conditions += ["lead_id = %(lead)s"] * (wanted.lead_id is not None)
    conditions += ["occurred_at >= %(since)s"] * (wanted.since is not None)
    conditions += ["occurred_at < %(before)s"] * (wanted.before is not None)
    tie = ", event_id DESC" if columns == "*" or "event_id" in columns else ""
    most = "LIMIT %(most)s" if is_bounded else ""
    return f"""
        SELECT {columns} FROM events WHERE {" AND ".join(conditions)} {place}
        ORDER BY {_NEWEST_FIRST}{tie} {most}
    """  # noqa: S608 - text of ours


def _filters(wanted: Looking) -> str:
    """Say in SQL what is asked of each event that is gone over, but for the metadata's clauses."""
    conditions = ["true"]
    conditions += ["event_type = ANY(%(types)s)"] * bool(wanted.event_types)
    conditions += ["channel = %(channel)s"] * (wanted.channel is not None)
    if wanted.counts is not None:
        conditions.append(f"suppression_reason IS {'NULL' if wanted.counts else 'NOT NULL'}")
    conditions += ["suppression_reason = %(reason)s"] * (wanted.reason is not None)
    conditions += [_SAYS] * bool(wanted.search)
    conditions += [_says_text(number) for number in range(len(wanted.telling_texts))]
    return " AND ".join(conditions)


_SAYS = """
    (event_type ILIKE %(like)s OR lead_id ILIKE %(like)s OR metadata::text ILIKE %(like)s
     OR event_id::text = %(id)s)
"""


def _says_text(number: int) -> str:
    """Say in SQL that the metadata has a text in it: a sieve, before conditions are asked."""
    folded = f"translate(metadata::text, %(variants{number})s, %(chars{number})s)"
    return f'strpos(lower({folded} COLLATE "C"), %(text{number})s) > 0'


def _placed(before: TimelinePosition | None) -> str:
    return f"AND {_PLACE} < (%(at)s, %(receipt)s, %(event)s)" if before else ""


def _bound(scope: Scope, wanted: Looking, before: TimelinePosition | None = None) -> dict[str, Any]:
    bound: dict[str, Any] = {
        "unit": scope.unit_id,
        "lead": wanted.lead_id,
        "since": wanted.since,
        "before": wanted.before,
        "types": list(wanted.event_types),
        "channel": wanted.channel,
        "reason": wanted.reason,
        "like": like_pattern(wanted.search),
        "id": wanted.search.strip().lower(),
    }
    for number, text in enumerate(wanted.telling_texts):
        variants = case_variants(text)
        bound[f"variants{number}"] = "".join(variants)
        bound[f"chars{number}"] = "".join(variants.values())
        bound[f"text{number}"] = text
    if before is not None:
        bound |= {"at": before.occurred_at, "receipt": before.receipt, "event": before.event_id}
    return bound
