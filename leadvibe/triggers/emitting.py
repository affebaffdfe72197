"""Firings written down: what was emitted, and in the same transaction whoever is told of it.

Each firing has its cause only once, which the database sees to as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from pydantic_core import to_json

from leadvibe.engine.firing import Memory
from leadvibe.engine.rules import Config
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver
from leadvibe.lib.ids import new_id
from leadvibe.notifications import outbox
from leadvibe.notifications.types import Happening, Notice
from leadvibe.triggers.addressing import AddressBook
from leadvibe.triggers.firings import Firing
from leadvibe.triggers.memory import save_memories
from leadvibe.triggers.notices import make_notices, read_leads
from leadvibe.triggers.types import Recipients


def emit(scope: Scope, firings: Sequence[Firing], config: Config, *, now: datetime) -> int:
    """Write firings down with the deliveries that tell of them; returns how many deliveries."""
    leads = read_leads(scope, {firing.lead_id for firing in firings})
    known = [(new_id(), firing) for firing in firings if firing.lead_id in leads]
    if not known:
        return 0
    notices = make_notices(scope, known, leads, config, now=now)
    emitted = [
        (firing, notice if firing.is_told else replace(notice, fired_at=firing.occurred_at))
        for (_, firing), notice in zip(known, notices, strict=True)
    ]
    _write(scope, emitted)
    save_memories(scope, _memories(firings))
    book = AddressBook(scope)
    postings = [
        outbox.Posting(
            notice=notice,
            received_at=firing.received_at,
            trigger_id=firing.trigger.trigger_id,
            addressees=book.addressees(
                _told(firing), notice, owner_id=leads[firing.lead_id].owner_id
            ),
        )
        for firing, notice in emitted
        if firing.is_told
    ]
    return outbox.post(scope, postings, now=now)


def _told(firing: Firing) -> Recipients:
    """Return whom a firing is for: what left a milestone concerns nobody but the owner."""
    if firing.event is Happening.MILESTONE_EXITED:
        return Recipients(notify_owner=True)
    return firing.trigger.recipients


def _memories(firings: Sequence[Firing]) -> Mapping[tuple[UUID, str], Memory]:
    """Return what to remember: of several firings of a trigger for a lead, the last."""
    return {
        (it.trigger.trigger_id, it.lead_id): Memory(it.key[0], it.key)
        for it in sorted(firings, key=lambda firing: firing.key)
        if it.event is not Happening.MILESTONE_EXITED
    }


def _write(scope: Scope, emitted: Sequence[tuple[Firing, Notice]]) -> None:
    statement = """
        INSERT INTO emitted_events
            (unit_id, emitted_id, kind, event, trigger_id, trigger_name, lead_id, score,
             event_type, cause_event_id, channel, occurred_at, fired_at, summary, details)
        SELECT %s, it.* FROM unnest(
            %s::uuid[], %s::text[], %s::text[], %s::uuid[], %s::text[], %s::text[], %s::int[],
            %s::text[], %s::uuid[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::text[],
            %s::jsonb[]
        ) AS it
    """
    rows = [
        (
            notice.id, firing.trigger.kind.value, notice.event.value, firing.trigger.trigger_id,
            firing.trigger.name, firing.lead_id, notice.details["score"], firing.event_type,
            firing.cause_id, firing.channel, firing.occurred_at, notice.fired_at, notice.summary,
            to_json(notice.details).decode(),
        )
        for firing, notice in emitted
    ]  # fmt: skip
    columns = [list(column) for column in zip(*rows, strict=True)]
    driver().execute(statement, (scope.unit_id, *columns))


def forget_fired_by(scope: Scope, source: str) -> None:
    """Delete what triggers emitted because of events of a source, which are there still."""
    driver().execute(
        """
        DELETE FROM emitted_events it USING events e
        WHERE it.unit_id = %s AND e.unit_id = it.unit_id AND e.event_id = it.cause_event_id
          AND e.source = %s
        """,
        (scope.unit_id, source),
    )
