"""What filters take out of the events of a unit, and what one would have taken out lately.

A trial looks at the latest events alone and writes nothing. The engine judges them as it does
when they come in, except that no other filter has its say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import from_json

from leadvibe.engine.facts import Event
from leadvibe.engine.organic import MetadataTest, Suppression, fingerprint, judge
from leadvibe.engine.policies import MetadataFilter, VelocityFilter
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver

EVENTS_TRIED = 20_000
"""Of a trial: about a second's work."""

LEADS_NAMED = 5
BY_VELOCITY = (Suppression.RATE.value, Suppression.GROUPED.value)


class SuppressedEvent(NamedTuple):
    """An event that does not count; without a lead when it named nobody who is known."""

    event_id: UUID
    lead_id: str | None
    event_type: str
    occurred_at: datetime
    reason: str
    metadata: Mapping[str, Any]


class FilterTrial(NamedTuple):
    """What a filter would have done with `looked_at` events, the oldest from `since`.

    `already` of the suppressed do not count today either. `leads` are those whom it would have met
    most, and how often.
    """

    looked_at: int
    since: datetime
    suppressed: int
    already: int
    leads: Sequence[tuple[str, int]]
    is_capped: bool


class _Sampled(NamedTuple):
    lead_id: str | None
    event: Event
    metadata: Mapping[str, Any]
    reason: str | None


def count_lately(scope: Scope, *, since: datetime) -> dict[tuple[str, str], int]:
    """Return how many events since then do not count, by type and reason."""
    statement = """
        SELECT event_type, suppression_reason, count(*) FROM events
        WHERE unit_id = %s AND occurred_at >= %s AND suppression_reason IS NOT NULL
        GROUP BY 1, 2
    """
    rows = driver().execute(statement, (scope.unit_id, since))
    return {(event_type, reason): count for event_type, reason, count in rows}


def list_by_velocity(
    scope: Scope, event_type: str, *, since: datetime, limit: int
) -> list[SuppressedEvent]:
    """Return the latest events of a type that came too fast to count."""
    statement = """
        SELECT event_id, lead_id, event_type, occurred_at, suppression_reason, metadata FROM events
        WHERE unit_id = %s AND suppression_reason = ANY(%s) AND event_type = %s
          AND occurred_at >= %s
        ORDER BY occurred_at DESC, receipt DESC LIMIT %s
    """
    bound = (scope.unit_id, list(BY_VELOCITY), event_type, since, limit)
    return [SuppressedEvent(*row) for row in driver().execute(statement, bound)]


def try_velocity(scope: Scope, wanted: VelocityFilter, *, since: datetime) -> FilterTrial:
    """Say what a velocity filter would have taken out since then."""
    sample = list(_read_sample(scope, wanted.event_type, since=since))
    filters = {wanted.event_type: (wanted,)}
    by_lead: dict[str, list[Event]] = {}
    for it in sample:
        if it.lead_id is not None and it.reason != Suppression.METADATA:
            by_lead.setdefault(it.lead_id, []).append(it.event)
    reasons: dict[int, str] = {}
    for events in by_lead.values():
        reasons |= judge(events, (), lambda _version: filters).reasons
    return _found(sample, {it.event.receipt for it in sample if it.event.receipt in reasons}, since)


def try_metadata(scope: Scope, wanted: MetadataFilter, *, since: datetime) -> FilterTrial:
    """Say what a metadata filter would have taken out since then. Raises ConditionError."""
    sample = list(_read_sample(scope, wanted.event_type or None, since=since))
    test = MetadataTest([wanted])
    met = {it.event.receipt for it in sample if test.suppresses(it.event.event_type, it.metadata)}
    return _found(sample, met, since)


def _read_sample(scope: Scope, event_type: str | None, *, since: datetime) -> Iterator[_Sampled]:
    statement = """
        SELECT lead_id, event_id, event_type, occurred_at, receipt, metadata::text,
               suppression_reason
        FROM events
        WHERE unit_id = %(unit)s AND occurred_at >= %(since)s AND receipt > 0
          AND (%(type)s::text IS NULL OR event_type = %(type)s)
        ORDER BY occurred_at DESC, receipt DESC LIMIT %(limit)s
    """
    bound = {"unit": scope.unit_id, "since": since, "type": event_type, "limit": EVENTS_TRIED}
    for lead_id, event_id, name, at, receipt, text, reason in driver().execute(statement, bound):
        metadata = from_json(text)
        event = Event(event_id, name, at, receipt, 0, fingerprint(metadata))
        yield _Sampled(lead_id, event, metadata, reason)


def _found(sample: Sequence[_Sampled], met: set[int], since: datetime) -> FilterTrial:
    taken = [it for it in sample if it.event.receipt in met]
    leads = Counter(it.lead_id for it in taken if it.lead_id is not None)
    is_capped = len(sample) >= EVENTS_TRIED
    return FilterTrial(
        looked_at=len(sample),
        since=sample[-1].event.occurred_at if is_capped else since,
        suppressed=len(taken),
        already=sum(it.reason is not None for it in taken),
        leads=leads.most_common(LEADS_NAMED),
        is_capped=is_capped,
    )
