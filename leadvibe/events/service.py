"""Writes of events: into the inbox, out of it, and to the place where they stay.

Does not resolve leads or score: the pipeline strings these steps together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import delete

from leadvibe.engine.facts import Session
from leadvibe.engine.policies import DECAY_TYPE
from leadvibe.engine.replay import Decay
from leadvibe.events import days, queries
from leadvibe.events.models import DeadLetterRow
from leadvibe.events.types import Arrival, InboxEvent, NewEvent, SourceWipe, Tally, Verdict
from leadvibe.identity.types import Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import (
    NULL_IN_COPY,
    as_copy_text,
    copy_lines,
    copy_rows,
    driver,
    later,
    session,
    write,
    write_together,
)

INBOX_COLUMNS = (
    "unit_id", "event_id", "received_at", "source", "message_id", "payload", "version",
)  # fmt: skip
EVENT_COLUMNS = (
    "unit_id", "event_id", "lead_id", "receipt", "occurred_at", "received_at", "version",
    "event_type", "channel", "source", "message_id", "suppression_reason", "metadata",
    "fingerprint", "is_folded", "unclaimed",
)  # fmt: skip
SYSTEM = "system"
"""Channel and source of the events that Leadvibe itself writes."""

SESSION_COLUMNS = ("unit_id", "lead_id", "started_at", "ended_at", "event_count")

CLAIM_FETCH_SIZE = 500
LARGEST_CLAIM = 16 * 1024**2
"""Characters of payload at which a batch ends; several copies of it live while it is processed."""


def post_arrival(scope: Scope, arrival: Arrival) -> None:
    """Put one event into the inbox: outside a transaction it is accepted when this returns."""
    write_together(_POST_ARRIVALS, (scope.unit_id, *arrival))


# Looking for the version here spares the round trip that asking for it would cost.
_POST_ARRIVALS = """
    INSERT INTO inbox (unit_id, event_id, received_at, source, message_id, payload, version)
    SELECT unit_id, event_id, received_at, source, message_id, payload::json,
           (SELECT max(version) FROM config_versions config WHERE config.unit_id = arrival.unit_id)
    FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[], %s::text[], %s::text[], %s::text[])
        AS arrival (unit_id, event_id, received_at, source, message_id, payload)
"""


def post_arrivals(scope: Scope, arrivals: Iterable[Arrival], *, version: int) -> None:
    """Put many events into the inbox; once committed they are accepted for good.

    They will count under `version`, the configuration in force.
    """
    rows = ((scope.unit_id, *arrival, version) for arrival in arrivals)
    copy_rows("inbox", INBOX_COLUMNS, rows)


def claim_arrivals(scope: Scope, *, limit: int, after: int = 0) -> list[InboxEvent]:
    """Return the oldest events of the inbox, from after a receipt on.

    They leave it with `clear_arrivals`. Fewer than the limit when they are large: a batch must fit
    into a worker's memory.
    """
    statement = """
        SELECT receipt, event_id, received_at, source, message_id, payload::text, version
        FROM inbox WHERE unit_id = %s AND receipt > %s ORDER BY receipt LIMIT %s
    """
    claimed: list[InboxEvent] = []
    length = 0
    with driver().cursor(name="arrivals") as cursor:
        cursor.itersize = CLAIM_FETCH_SIZE
        for row in cursor.execute(statement, (scope.unit_id, after, limit)):
            arrival = InboxEvent(*row)
            claimed.append(arrival)
            length += len(arrival.payload)
            if length >= LARGEST_CLAIM:
                break
    return claimed


def list_receipts(scope: Scope, *, limit: int) -> list[int]:
    """Return the places of the oldest events of the inbox."""
    statement = "SELECT receipt FROM inbox WHERE unit_id = %s ORDER BY receipt LIMIT %s"
    return [receipt for (receipt,) in driver().execute(statement, (scope.unit_id, limit))]


def clear_arrivals(scope: Scope, receipts: Collection[int]) -> None:
    """Take processed events out of the inbox."""
    write(
        "DELETE FROM inbox WHERE unit_id = %s AND receipt = ANY(%s)",
        (scope.unit_id, list(receipts)),
    )


def bury(scope: Scope, arrival: InboxEvent, *, error: str, now: datetime) -> None:
    """Move an event that cannot be processed from the inbox to the dead letters."""
    statement = """
        INSERT INTO dead_letters
            (unit_id, receipt, event_id, received_at, source, message_id, payload, error, failed_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s::json, %s, %s)
    """
    driver().execute(statement, (scope.unit_id, *arrival[:-1], error, now))
    clear_arrivals(scope, [arrival.receipt])


def retry_dead_letter(scope: Scope, receipt: int) -> None:
    """Put a dead letter back into the inbox. Raises DeadLetterNotFoundError."""
    queries.get_dead_letter(scope, receipt)
    _retry(scope, receipt)


def retry_dead_letters(scope: Scope) -> int:
    """Put all dead letters of the unit back into the inbox, oldest first; returns how many."""
    return _retry(scope, None)


def _retry(scope: Scope, receipt: int | None) -> int:
    # A tally counts how events ended, and these have not ended after all.
    statement = """
        WITH raised AS (
            DELETE FROM dead_letters
            WHERE unit_id = %(unit)s AND (%(receipt)s::bigint IS NULL OR receipt = %(receipt)s)
            RETURNING receipt, unit_id, event_id, received_at, source, message_id, payload
        ), queued AS (
            INSERT INTO inbox (unit_id, event_id, received_at, source, message_id, payload)
            SELECT unit_id, event_id, received_at, source, message_id, payload
            FROM raised ORDER BY receipt
        ), untallied AS (
            UPDATE source_tallies SET failed = source_tallies.failed - again.count
            FROM (SELECT source, count(*) FROM raised GROUP BY source) AS again
            WHERE source_tallies.unit_id = %(unit)s AND source_tallies.source = again.source
        )
        SELECT count(*) FROM raised
    """
    row = driver().execute(statement, {"unit": scope.unit_id, "receipt": receipt}).fetchone()
    assert row is not None
    return int(row[0])


def discard_dead_letter(scope: Scope, receipt: int) -> None:
    """Throw a dead letter away for good. Raises DeadLetterNotFoundError."""
    queries.get_dead_letter(scope, receipt)
    session().execute(
        delete(DeadLetterRow).where(
            DeadLetterRow.unit_id == scope.unit_id, DeadLetterRow.receipt == receipt
        )
    )


def store_events(scope: Scope, events: Iterable[NewEvent]) -> None:
    """Write many events to the place where they stay, and count them by day."""
    tally = days.Tally()
    copy_lines("events", EVENT_COLUMNS, _event_lines(scope, tally.watch(events)))
    days.add_days(scope, tally.counts)


def _event_lines(scope: Scope, events: Iterable[NewEvent]) -> Iterator[str]:
    unit = scope.unit_id.hex
    for it in events:
        yield (
            f"{unit}\t{it.event_id.hex}\t{_text(it.lead_id)}\t{it.receipt}\t{it.occurred_at}"
            f"\t{it.received_at}\t{it.version}\t{as_copy_text(it.event_type)}"
            f"\t{as_copy_text(it.channel)}\t{as_copy_text(it.source)}\t{_text(it.message_id)}"
            f"\t{_text(it.suppression_reason)}\t{as_copy_text(it.metadata)}"
            f"\t{NULL_IN_COPY if it.fingerprint is None else it.fingerprint}\t{it.is_folded}"
            f"\t{_text(it.unclaimed)}\n"
        )


def _text(text: str | None) -> str:
    return NULL_IN_COPY if text is None else as_copy_text(text)


def store_decays(scope: Scope, decays: Sequence[tuple[str, Decay]], *, now: datetime) -> None:
    """Write the events of decay, given with their lead. Their receipt is 0: they never arrived."""
    rows = (
        NewEvent(
            event_id=event_id,
            lead_id=lead_id,
            receipt=0,
            occurred_at=occurred_at,
            received_at=now,
            version=version,
            event_type=DECAY_TYPE,
            channel=SYSTEM,
            source=SYSTEM,
            message_id=None,
            suppression_reason=None,
            metadata=to_json(
                {"channel": SYSTEM, "decay_id": decay_id, "decrease": decrease}
            ).decode(),
            fingerprint=None,
            is_folded=False,
            unclaimed=None,
        )
        for lead_id, (event_id, occurred_at, version, decay_id, decrease) in decays
    )
    store_events(scope, rows)
    register_types(scope, {DECAY_TYPE: len(decays)}, now=now)


def erase_decays(scope: Scope, lead_ids: Sequence[str]) -> None:
    """Forget what decay wrote about leads; a replay writes it anew."""
    statement = """
        DELETE FROM events WHERE unit_id = %s AND lead_id = ANY(%s) AND event_type = %s
        AND receipt = 0
    """
    bound = (scope.unit_id, list(lead_ids), DECAY_TYPE)

    def erase() -> None:
        gone = driver().execute(statement, bound).rowcount
        if gone:
            register_types(scope, {DECAY_TYPE: -gone}, now=utc_now())

    later(erase)


def save_verdicts(scope: Scope, verdicts: Mapping[UUID, tuple[Verdict, int | None]]) -> None:
    """Store anew how filters see events, each with its fingerprint, and so which of them count."""
    if not verdicts:
        return
    statement = f"""
        WITH new AS (
            SELECT * FROM unnest(%(ids)s::uuid[], %(reasons)s::text[], %(folded)s::bool[],
                                 %(marks)s::bigint[]) AS new (event_id, reason, is_folded, mark)
        ), changed AS (
            SELECT e.unit_id, (e.occurred_at AT TIME ZONE 'UTC')::date AS day, e.event_type,
                   e.channel,
                   CASE WHEN new.reason IS NULL THEN 1 ELSE -1 END AS events
            FROM new JOIN events e ON e.unit_id = %(unit)s AND e.event_id = new.event_id
            WHERE e.receipt > 0 AND (e.suppression_reason IS NULL) <> (new.reason IS NULL)
        ), judged AS (
            UPDATE events SET suppression_reason = new.reason, is_folded = new.is_folded,
                fingerprint = new.mark
            FROM new WHERE events.unit_id = %(unit)s AND events.event_id = new.event_id
        ) {days.ADD_DAYS}
    """  # noqa: S608 - text of ours
    rows = [(key, *verdict, mark) for key, (verdict, mark) in verdicts.items()]
    ids, reasons, folded, marks = (list(column) for column in zip(*rows, strict=True))
    bound = {
        "unit": scope.unit_id,
        "ids": ids,
        "reasons": reasons,
        "folded": folded,
        "marks": marks,
    }
    write(statement, bound)


def move_events(scope: Scope, moves: Mapping[str, str]) -> None:
    """Give leads' events and orders to other leads; each remembers the lead it was first given.

    An event keeps the version that it counts as under its old lead, which may have been rescored.
    """
    if not moves:
        return
    statement = """
        UPDATE events SET lead_id = new.target,
            original_lead_id = coalesce(events.original_lead_id, events.lead_id),
            version = greatest(events.version, leads.base_version)
        FROM unnest(%s::text[], %s::text[]) AS new (source, target), leads
        WHERE events.unit_id = %s AND events.lead_id = new.source
          AND leads.unit_id = events.unit_id AND leads.lead_id = new.source
    """
    bound = (list(moves), list(moves.values()), scope.unit_id)
    driver().execute(statement, bound)
    orders = """
        UPDATE orders SET lead_id = new.target,
            original_lead_id = coalesce(orders.original_lead_id, orders.lead_id)
        FROM unnest(%s::text[], %s::text[]) AS new (source, target)
        WHERE orders.unit_id = %s AND orders.lead_id = new.source
    """
    driver().execute(orders, bound)


def register_types(scope: Scope, counts: Mapping[str, int], *, now: datetime) -> None:
    """Count events by type, making types that are new."""
    statement = """
        INSERT INTO event_types (unit_id, name, event_count, first_seen_at)
        SELECT %s, name, event_count, %s
        FROM unnest(%s::text[], %s::bigint[]) AS new (name, event_count) ORDER BY name
        ON CONFLICT (unit_id, name)
        DO UPDATE SET event_count = event_types.event_count + excluded.event_count
    """
    write(statement, (scope.unit_id, now, list(counts), list(counts.values())))


def add_to_tallies(scope: Scope, tallies: Iterable[Tally], *, now: datetime) -> None:
    """Count what the pipeline has finished, by source."""
    columns = [list(column) for column in zip(*tallies, strict=True)]
    if not columns:
        return
    statement = """
        INSERT INTO source_tallies (unit_id, source, processed, duplicates, failed, updated_at)
        SELECT %s, source, processed, duplicates, failed, %s
        FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[])
            AS new (source, processed, duplicates, failed)
        ON CONFLICT (unit_id, source) DO UPDATE SET
            processed = source_tallies.processed + excluded.processed,
            duplicates = source_tallies.duplicates + excluded.duplicates,
            failed = source_tallies.failed + excluded.failed,
            updated_at = excluded.updated_at
    """
    write(statement, (scope.unit_id, now, *columns))


def save_sessions(scope: Scope, sessions: Iterable[tuple[str, Session]]) -> None:
    """Store sessions that began or went on, keyed by lead and start."""
    rows = [(lead_id, *values) for lead_id, values in sessions]
    if not rows:
        return
    statement = """
        INSERT INTO lead_sessions (unit_id, lead_id, started_at, ended_at, event_count)
        SELECT %s, new.* FROM unnest(%s::text[], %s::timestamptz[], %s::timestamptz[], %s::int[])
            AS new (lead_id, started_at, ended_at, event_count)
        ON CONFLICT (unit_id, lead_id, started_at)
        DO UPDATE SET ended_at = excluded.ended_at, event_count = excluded.event_count
    """
    columns = [list(column) for column in zip(*rows, strict=True)]
    write(statement, (scope.unit_id, *columns))


def replace_sessions(
    scope: Scope, lead_ids: Sequence[str], sessions: Iterable[tuple[str, Session]]
) -> None:
    """Put the sessions of replayed leads in the place of their old ones."""
    write(
        "DELETE FROM lead_sessions WHERE unit_id = %s AND lead_id = ANY(%s)",
        (scope.unit_id, list(lead_ids)),
    )
    rows = ((scope.unit_id, lead_id, *values) for lead_id, values in sessions)
    copy_rows("lead_sessions", SESSION_COLUMNS, rows)


def delete_events(scope: Scope, event_ids: Collection[UUID]) -> list[str]:
    """Delete events and take them out of the counts by type and by day.

    Returns the lead of each; unknown events are passed over. Does not rescore the leads.
    """
    statement = f"""
        WITH gone AS (
            DELETE FROM events WHERE unit_id = %(unit)s AND event_id = ANY(%(ids)s)
            RETURNING lead_id, {days.GONE}
        ), {days.UNCOUNT_GONE}, counted AS (
            UPDATE event_types SET event_count = event_types.event_count - fewer.count
            FROM (SELECT event_type, count(*) FROM gone GROUP BY event_type) AS fewer
            WHERE event_types.unit_id = %(unit)s AND event_types.name = fewer.event_type
        )
        SELECT lead_id FROM gone
    """  # noqa: S608 - text of ours
    bound = {"unit": scope.unit_id, "ids": list(event_ids)}
    rows = driver().execute(statement, bound).fetchall()
    forget_unused_types(scope)
    return [lead_id for (lead_id,) in rows]


def wipe_source(scope: Scope, source: str) -> SourceWipe:
    """Delete all that came from one source, processed or not. Does not rescore the leads."""
    bound = (scope.unit_id, source)
    waiting = driver().execute("DELETE FROM inbox WHERE unit_id = %s AND source = %s", bound)
    dead = driver().execute("DELETE FROM dead_letters WHERE unit_id = %s AND source = %s", bound)
    driver().execute("DELETE FROM source_tallies WHERE unit_id = %s AND source = %s", bound)
    statement = f"""
        WITH gone AS (
            DELETE FROM events WHERE unit_id = %(unit)s AND source = %(source)s
            RETURNING lead_id, {days.GONE}
        ), {days.UNCOUNT_GONE}, counted AS (
            UPDATE event_types SET event_count = event_types.event_count - fewer.count
            FROM (SELECT event_type, count(*) FROM gone GROUP BY event_type) AS fewer
            WHERE event_types.unit_id = %(unit)s AND event_types.name = fewer.event_type
        )
        SELECT lead_id, count(*) FROM gone GROUP BY lead_id
    """  # noqa: S608 - text of ours
    rows = driver().execute(statement, {"unit": scope.unit_id, "source": source}).fetchall()
    forget_unused_types(scope)
    return SourceWipe(
        events=sum(count for _, count in rows),
        waiting=waiting.rowcount,
        dead_letters=dead.rowcount,
        lead_ids=frozenset(lead_id for lead_id, _ in rows if lead_id is not None),
    )


def forget_unused_types(scope: Scope) -> None:
    """Forget types without events that nobody has made a choice about."""
    driver().execute(
        """
        DELETE FROM event_types WHERE unit_id = %s AND event_count <= 0
          AND NOT hidden AND max_processing_scope = 'activate'
        """,
        (scope.unit_id,),
    )


def decide_about_types(
    scope: Scope, choices: Mapping[str, tuple[bool, str]], *, now: datetime
) -> None:
    """Store whether types are hidden, and how far their events may reach.

    A type that nobody has seen yet begins with no events. In the order in which the pipeline counts
    events by type, so that neither blocks the other.
    """
    statement = """
        INSERT INTO event_types
            (unit_id, name, hidden, max_processing_scope, first_seen_at, was_decided)
        SELECT %s, name, hidden, reach, %s, true
        FROM unnest(%s::text[], %s::bool[], %s::text[]) AS new (name, hidden, reach) ORDER BY name
        ON CONFLICT (unit_id, name) DO UPDATE SET
            hidden = excluded.hidden, max_processing_scope = excluded.max_processing_scope,
            was_decided = true
    """
    hidden = [choice[0] for choice in choices.values()]
    reach = [choice[1] for choice in choices.values()]
    driver().execute(statement, (scope.unit_id, now, list(choices), hidden, reach))


def replace_type_choices(
    scope: Scope, choices: Mapping[str, tuple[bool, str]], *, now: datetime
) -> None:
    """Make these the only choices about types: every other is shown and reaches everything."""
    statement = """
        SELECT name FROM event_types
        WHERE unit_id = %s AND (hidden OR max_processing_scope <> 'activate') ORDER BY name
    """
    decided = [name for (name,) in driver().execute(statement, (scope.unit_id,))]
    undone = {name: (False, "activate") for name in decided if name not in choices}
    decide_about_types(scope, {**undone, **choices}, now=now)
    driver().execute(
        "DELETE FROM event_types WHERE unit_id = %s AND name = ANY(%s) AND event_count <= 0",
        (scope.unit_id, list(undone)),
    )
