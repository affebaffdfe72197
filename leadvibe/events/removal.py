"""Events that go for good, a stretch at a time, and what waits under a lead's name.

Needs the identities' lock. Nothing here scores: pipeline.deletion replays the leads concerned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from pydantic_core import from_json

from leadvibe.engine.policies import SYSTEM_TYPES
from leadvibe.events.days import GONE, UNCOUNT_GONE
from leadvibe.events.queries import count_accepted
from leadvibe.events.service import add_to_tallies, forget_unused_types, register_types
from leadvibe.events.types import Named, Tally
from leadvibe.identity.types import Scope
from leadvibe.leads.aliases import make_alias
from leadvibe.leads.errors import BadAliasError
from leadvibe.leads.types import NOBODY
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import driver

READ_SIZE = 2_000


class DeletedEvent(NamedTuple):
    event_id: UUID
    lead_id: str | None


class TypeCount(NamedTuple):
    events: int
    leads: int


def last_receipt() -> int:
    """Return the highest receipt that was handed out: what comes in from now on has a higher one.

    As good as that: an event whose request is under way at this moment may have a lower one.
    """
    return count_accepted()


def uncount_types(scope: Scope, counts: Mapping[str, int]) -> None:
    """Take deleted events out of the counts by type."""
    if counts:
        fewer = {event_type: -count for event_type, count in counts.items()}
        register_types(scope, fewer, now=utc_now())
        forget_unused_types(scope)


def forget_waiting(scope: Scope, named: Named, *, now: datetime) -> None:
    """Delete what names a lead and has not become an event of one: waiting, failed or unclaimed.

    What waited counts as finished, so that an import it came with comes to its end.
    """
    waiting = driver().execute(
        "DELETE FROM inbox WHERE unit_id = %s AND receipt = ANY(%s) RETURNING source",
        (scope.unit_id, list(_find(_IN_INBOX, scope, named))),
    )
    by_source = Counter(source for (source,) in waiting)
    add_to_tallies(scope, [Tally(key, count, 0, 0) for key, count in by_source.items()], now=now)
    driver().execute(
        "DELETE FROM dead_letters WHERE unit_id = %s AND receipt = ANY(%s)",
        (scope.unit_id, list(_find(_IN_DEAD_LETTERS, scope, named))),
    )
    unclaimed = driver().execute(
        """
        DELETE FROM events WHERE unit_id = %s AND lead_id IS NULL AND receipt = ANY(%s)
        RETURNING event_type
        """,
        (scope.unit_id, list(_find(_UNCLAIMED, scope, named))),
    )
    uncount_types(scope, Counter(event_type for (event_type,) in unclaimed))


_IN_INBOX = """
    SELECT receipt, payload ->> 'lead_id', payload ->> 'aliases' FROM inbox WHERE unit_id = %s
"""
_IN_DEAD_LETTERS = """
    SELECT receipt, payload ->> 'lead_id', payload ->> 'aliases'
    FROM dead_letters WHERE unit_id = %s
"""
_UNCLAIMED = """
    SELECT receipt, unclaimed ->> 'lead_id', unclaimed ->> 'aliases'
    FROM events WHERE unit_id = %s AND lead_id IS NULL
"""


def _find(statement: str, scope: Scope, named: Named) -> Iterator[int]:
    """Yield the receipts of what names the lead; aliases are compared in their normal form."""
    with driver().cursor(name="named") as cursor:
        cursor.itersize = READ_SIZE
        for receipt, lead_id, aliases in cursor.execute(statement, (scope.unit_id,)):
            if lead_id in named.lead_ids or (aliases and _mentions(aliases, named)):
                yield receipt


def _mentions(document: str, named: Named) -> bool:
    try:
        aliases = [make_alias(kind, value) for kind, value in from_json(document)]
    except (BadAliasError, TypeError, ValueError, AttributeError):
        return False  # a dead letter may hold anything: what cannot be read names nobody
    return any(alias.key in named.aliases for alias in aliases)


def delete_some(scope: Scope, lead_id: str, *, up_to: int, limit: int) -> int:
    """Delete some of a lead's events that came in up to a receipt; returns how many."""
    statement = f"""
        WITH gone AS (
            DELETE FROM events WHERE unit_id = %(unit)s AND event_id = ANY(ARRAY(
                SELECT event_id FROM events
                WHERE unit_id = %(unit)s AND lead_id = %(lead)s AND receipt <= %(up_to)s
                LIMIT %(limit)s
            ))
            RETURNING {GONE}
        ), {UNCOUNT_GONE}
        SELECT event_type, count(*) FROM gone GROUP BY event_type
    """  # noqa: S608 - text of ours
    bound = {"unit": scope.unit_id, "lead": lead_id, "up_to": up_to, "limit": limit}
    counts = dict(driver().execute(statement, bound).fetchall())
    uncount_types(scope, counts)
    return sum(counts.values())


def delete_written(scope: Scope, lead_ids: Sequence[str]) -> None:
    """Delete what Leadvibe itself wrote about leads that are going."""
    statement = """
        DELETE FROM events WHERE unit_id = %s AND lead_id = ANY(%s) AND receipt = 0
        RETURNING event_type
    """
    gone = driver().execute(statement, (scope.unit_id, list(lead_ids)))
    uncount_types(scope, Counter(event_type for (event_type,) in gone))


def delete_of_type(
    scope: Scope, lead_ids: Sequence[str] | None, event_type: str, *, up_to: int
) -> list[DeletedEvent]:
    """Delete the leads' events of a type that came in up to a receipt, or those without a lead."""
    whose = "lead_id IS NULL" if lead_ids is None else "lead_id = ANY(%(leads)s)"
    statement = f"""
        WITH gone AS (
            DELETE FROM events
            WHERE unit_id = %(unit)s AND {whose} AND event_type = %(type)s AND receipt <= %(up_to)s
            RETURNING event_id, lead_id, {GONE}
        ), {UNCOUNT_GONE}
        SELECT event_id, lead_id FROM gone
    """  # noqa: S608 - text of ours
    bound = {"unit": scope.unit_id, "leads": lead_ids, "type": event_type, "up_to": up_to}
    gone = [DeletedEvent(*row) for row in driver().execute(statement, bound)]
    uncount_types(scope, {event_type: len(gone)} if gone else {})
    return gone


def forget_waiting_of_source(scope: Scope, source: str, *, now: datetime) -> int:
    """Delete what of a source has not become an event of a lead; returns how many.

    Waiting, failed or unclaimed. What waited counts as finished, as in `forget_waiting`.
    """
    bound = (scope.unit_id, source)
    waiting = driver().execute("DELETE FROM inbox WHERE unit_id = %s AND source = %s", bound)
    if waiting.rowcount:
        add_to_tallies(scope, [Tally(source, waiting.rowcount, 0, 0)], now=now)
    dead = driver().execute("DELETE FROM dead_letters WHERE unit_id = %s AND source = %s", bound)
    unclaimed = driver().execute(
        """
        DELETE FROM events WHERE unit_id = %s AND lead_id IS NULL AND source = %s
        RETURNING event_type
        """,
        bound,
    )
    types = Counter(event_type for (event_type,) in unclaimed)
    uncount_types(scope, types)
    return waiting.rowcount + dead.rowcount + types.total()


def delete_of_source(scope: Scope, lead_ids: Sequence[str], source: str) -> dict[str, int]:
    """Delete the leads' events of a source; returns how many of each lead that had any."""
    statement = f"""
        WITH gone AS (
            DELETE FROM events
            WHERE unit_id = %(unit)s AND lead_id = ANY(%(leads)s) AND source = %(source)s
            RETURNING lead_id, {GONE}
        ), {UNCOUNT_GONE}
        SELECT lead_id, event_type, count(*) FROM gone GROUP BY lead_id, event_type
    """  # noqa: S608 - text of ours
    bound = {"unit": scope.unit_id, "leads": list(lead_ids), "source": source}
    by_lead, by_type = Counter[str](), Counter[str]()
    for lead_id, event_type, count in driver().execute(statement, bound):
        by_lead[lead_id] += count
        by_type[event_type] += count
    uncount_types(scope, by_type)
    return dict(by_lead)


def count_of_type(scope: Scope, event_type: str) -> TypeCount:
    """Count a type's events one by one, and the leads they belong to."""
    statement = """
        SELECT count(*), count(DISTINCT lead_id) FROM events WHERE unit_id = %s AND event_type = %s
    """
    row = driver().execute(statement, (scope.unit_id, event_type)).fetchone()
    assert row is not None
    return TypeCount._make(row)


def is_any_left(scope: Scope, event_type: str, *, up_to: int) -> bool:
    """Say whether a lead that is not being deleted has an event of a type up to a receipt."""
    statement = """
        SELECT EXISTS (
            SELECT FROM events e
            JOIN leads l ON l.unit_id = e.unit_id AND l.lead_id = e.lead_id
            WHERE e.unit_id = %s AND e.event_type = %s AND e.receipt <= %s
              AND l.merged_into IS DISTINCT FROM %s
        )
    """
    row = driver().execute(statement, (scope.unit_id, event_type, up_to, NOBODY)).fetchone()
    return bool(row and row[0])


def has_anything(scope: Scope, lead_id: str) -> bool:
    """Say whether anything that came in belongs to the lead: an event or an order."""
    statement = """
        SELECT EXISTS (SELECT FROM events
                       WHERE unit_id = %(unit)s AND lead_id = %(lead)s AND receipt > 0)
            OR EXISTS (SELECT FROM orders WHERE unit_id = %(unit)s AND lead_id = %(lead)s)
    """
    row = driver().execute(statement, {"unit": scope.unit_id, "lead": lead_id}).fetchone()
    return bool(row and row[0])


def delete_orders(scope: Scope, lead_id: str) -> None:
    """Delete all that a lead bought."""
    driver().execute(
        "DELETE FROM orders WHERE unit_id = %s AND lead_id = %s", (scope.unit_id, lead_id)
    )


def forget_mentions(scope: Scope, lead_ids: Sequence[str]) -> None:
    """Take the leads' ids out of what other timelines say about merges."""
    statement = """
        UPDATE events SET metadata = jsonb_set(metadata, '{source_lead_ids}', (
            SELECT coalesce(jsonb_agg(id), '[]') FROM jsonb_array_elements_text(
                metadata -> 'source_lead_ids') AS id WHERE id <> ALL(%(leads)s)))
        WHERE unit_id = %(unit)s AND receipt = 0 AND event_type = ANY(%(types)s)
          AND metadata @> jsonb_build_object('source_lead_ids', jsonb_build_array(%(lead)s::text))
    """
    for lead_id in lead_ids:
        bound = {
            "unit": scope.unit_id,
            "leads": list(lead_ids),
            "lead": lead_id,
            "types": sorted(SYSTEM_TYPES),
        }
        driver().execute(statement, bound)
