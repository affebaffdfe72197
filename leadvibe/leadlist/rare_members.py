"""Where rare members of segments are: found once by reading all leads, then remembered.

No index answers every condition over properties, and reading a million leads takes half a second.
So a worker reads them ahead, and remembers whose properties met what a segment asks of them. Since
then only leads that have changed can have become members, and a trigger notes those. Both together
hold all members, and are few enough to be asked again: what is remembered says where to look, never
who is a member.

Exact for any order of commits: a snapshot tells which transactions a search has seen, and a change
bears the number of its transaction. Where nothing is remembered, or too much has changed since, all
leads are read as before.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import False_, Text, True_, any_, cast, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from leadvibe.identity import queries as identity
from leadvibe.identity.types import Scope
from leadvibe.leads.models import LeadRow
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver, held_lock, session
from leadvibe.segments.membership import Audience, Membership
from leadvibe.segments.queries import list_picked_ids, list_rules_of_all, list_segments

MOST_REMEMBERED = 20_000
"""Members to remember: of a million leads, more are common enough to meet by walking the list."""

MOST_CHANGED = 10_000
"""Leads that may have changed since; with more, reading all of them is as quick."""

WORTH_A_SEARCH = 500
"""Changes after which a worker searches again."""

KEPT = timedelta(minutes=10)
"""After which it does so in any case, so that changes need not be kept for longer."""

WORTH_IT = 50_000
"""Leads of a unit from which on this pays: fewer are read in some tens of milliseconds."""

SECONDS_AT_ONCE = 0.5
"""After which the searches of a unit that are left wait for the next time, the oldest first."""

LOCK = 0x4A2E_3E3B
"""Held while anybody searches or forgets changes, so that none is forgotten under a search."""

_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]
_CHANGED = """
    SELECT c.lead_id FROM lead_changes c
    WHERE c.unit_id = r.unit_id
      AND c.changed_in >= pg_snapshot_xmin(r.snapshot::pg_snapshot)::text::bigint
      AND NOT pg_visible_in_snapshot(c.changed_in::text::xid8, r.snapshot::pg_snapshot)
"""


def where_members_are(scope: Scope, audience: Audience) -> list[str] | None:
    """Return leads that all members are among, with some others; None when nobody knows."""
    known = _where_rules_are_met(scope, audience)
    if known is None or audience.picked_for is None:
        return known
    return [*{*known, *list_picked_ids(scope, audience.picked_for)}]


def _where_rules_are_met(scope: Scope, audience: Audience) -> list[str] | None:
    if isinstance(audience.by_properties, True_):
        return None
    if isinstance(audience.by_properties, False_):
        return []
    # One statement, so that what is remembered and what has changed since belong together.
    statement = f"""
        SELECT r.lead_ids, ARRAY({_CHANGED} LIMIT %s) FROM rare_members r
        WHERE r.unit_id = %s AND r.digest = %s AND r.lead_ids IS NOT NULL
    """  # noqa: S608 - a text of ours
    bound = (MOST_CHANGED + 1, scope.unit_id, _digest(audience))
    row = driver().execute(statement, bound).fetchone()
    if row is None or len(row[1]) > MOST_CHANGED:
        return None
    remembered, changed = row
    return list({*remembered, *changed})


def are_due() -> bool:
    """Say whether `look_ahead` has anything to do."""
    statement = """
        SELECT EXISTS (SELECT FROM lead_changes)
            OR EXISTS (SELECT FROM lead_tallies WHERE listed >= %s)
    """
    ((due,),) = driver().execute(statement, (WORTH_IT,)).fetchall()
    return bool(due)


def look_ahead(*, is_stopping: Callable[[], bool]) -> None:
    """Search for the members of segments where that is due, committing as it goes."""
    with held_lock(LOCK) as lock:
        if lock is None:
            return
        statement = "SELECT unit_id FROM lead_tallies WHERE listed >= %s"
        units = [unit_id for (unit_id,) in driver().execute(statement, (WORTH_IT,))]
        for scope in filter(None, map(identity.find_scope, units)):
            _look_ahead_in(scope, is_stopping=is_stopping)
        driver().execute("DELETE FROM rare_members WHERE unit_id <> ALL(%s)", (units,))
        _forget_changes()
        commit()


def _look_ahead_in(scope: Scope, *, is_stopping: Callable[[], bool]) -> None:
    membership, rules = Membership(scope), list_rules_of_all(scope)
    segments = (it for it in list_segments(scope) if it.segment_id in rules)
    audiences = (membership.of(it, rules[it.segment_id]) for it in segments)
    wanted = {_digest(it): it for it in audiences if _says_something(it)}
    _forget_all_but(scope, list(wanted))
    started = time.monotonic()
    for digest in _due(scope, list(wanted), now=utc_now()):
        if is_stopping() or time.monotonic() - started > SECONDS_AT_ONCE:
            return
        _search(scope, wanted[digest])
        commit()


def _says_something(audience: Audience) -> bool:
    return not isinstance(audience.by_properties, True_ | False_)


def _forget_all_but(scope: Scope, digests: Sequence[str]) -> None:
    driver().execute(
        "DELETE FROM rare_members WHERE unit_id = %s AND digest <> ALL(%s)",
        (scope.unit_id, digests),
    )


def _due(scope: Scope, digests: Sequence[str], *, now: datetime) -> list[str]:
    """Return what should be searched for: first what never was, then what was long ago."""
    statement = f"""
        SELECT wanted.digest FROM unnest(%s::text[]) AS wanted (digest)
        LEFT JOIN rare_members r ON r.unit_id = %s AND r.digest = wanted.digest
        WHERE r.found_at IS NULL OR r.found_at < %s
           OR r.lead_ids IS NOT NULL AND EXISTS ({_CHANGED} OFFSET %s)
        ORDER BY r.found_at NULLS FIRST
    """  # noqa: S608 - a text of ours
    bound = (digests, scope.unit_id, now - KEPT, WORTH_A_SEARCH)
    return [digest for (digest,) in driver().execute(statement, bound)]


def _search(scope: Scope, audience: Audience) -> None:
    known = where_members_are(scope, audience)
    found = select(LeadRow.lead_id).where(
        LeadRow.unit_id == scope.unit_id, LeadRow.merged_into.is_(None), audience.by_properties
    )
    if known is not None:
        found = found.where(LeadRow.lead_id == any_(literal(known, ARRAY(Text()))))
    ids = func.array(found.limit(MOST_REMEMBERED + 1).scalar_subquery(), type_=ARRAY(Text()))
    # The snapshot of this very statement: whatever it does not see has not been searched.
    snapshot = cast(func.pg_current_snapshot(), Text())
    seen, lead_ids = session().execute(select(snapshot, ids)).one()
    statement = """
        INSERT INTO rare_members (unit_id, digest, snapshot, lead_ids, found_at)
        VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (unit_id, digest) DO UPDATE SET snapshot = excluded.snapshot,
            lead_ids = excluded.lead_ids, found_at = excluded.found_at
    """
    remembered = None if len(lead_ids) > MOST_REMEMBERED else lead_ids
    bound = (scope.unit_id, _digest(audience), seen, remembered, utc_now())
    driver().execute(statement, bound)


def _forget_changes() -> None:
    """Delete the changes that every search has seen; where nobody searches, all of them."""
    driver().execute("""
        DELETE FROM lead_changes c USING (
            SELECT t.unit_id,
                   coalesce(min(pg_snapshot_xmin(r.snapshot::pg_snapshot)::text::bigint),
                            9223372036854775807) AS since
            FROM lead_tallies t
            LEFT JOIN rare_members r ON r.unit_id = t.unit_id AND r.lead_ids IS NOT NULL
            GROUP BY t.unit_id
        ) AS needed
        WHERE c.unit_id = needed.unit_id AND c.changed_in < needed.since
    """)


def _digest(audience: Audience) -> str:
    """Name what an audience asks of properties: the same for the same question."""
    asked = audience.by_properties.compile(dialect=_DIALECT)
    return hashlib.blake2b(repr((str(asked), asked.params)).encode(), digest_size=16).hexdigest()
