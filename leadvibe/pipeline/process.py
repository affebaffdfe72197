"""From the inbox to scores: the order of consequences of an event, written once.

A batch is one transaction under the unit's lock, so a worker that dies leaves nothing half done and
two workers never touch one unit at once. An event that cannot be processed is found by halving
the batch and put aside; it never stops the others.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic_core import from_json, to_json

from leadvibe.engine.facts import Event as Fact
from leadvibe.events import queries as event_queries
from leadvibe.events import service as events
from leadvibe.events.channels import channel_of
from leadvibe.events.types import InboxEvent, NewEvent, Tally
from leadvibe.identity.types import Scope
from leadvibe.leads import service as leads
from leadvibe.leads.aliases import make_alias
from leadvibe.leads.types import Identity
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver, is_outage, rollback, session
from leadvibe.pipeline import rescore, scorebook
from leadvibe.scoring import queries as score_queries

log = logging.getLogger(__name__)

BATCH_SIZE = 5_000
"""Events a transaction: beyond this, speed grows little and a crash repeats more work."""

GROWING_TABLES = (
    "leads", "lead_aliases", "lead_search", "lead_scores", "lead_sessions", "events",
    "score_entries",
)  # fmt: skip

MAX_REASON_LENGTH = 2_000
"""Enough of an error to understand it."""


class Claim(NamedTuple):
    """A claimed event, read: what the inbox kept of it, and what it says."""

    arrival: InboxEvent
    event_type: str
    occurred_at: datetime
    identity: Identity
    channel: str
    metadata: str


class Progress(NamedTuple):
    """What one batch did. `claimed` 0 means the inbox was empty, or another worker had the unit."""

    claimed: int = 0
    scored: int = 0
    duplicates: int = 0
    failed: int = 0


IDLE = Progress()


def process_batch(scope: Scope, *, limit: int = BATCH_SIZE) -> Progress:
    """Process the oldest events of a unit's inbox and commit. Returns IDLE when there are none.

    An event that fails goes to the dead letters with the reason. A database that cannot be
    reached raises, and nothing is lost: the events are still in the inbox.
    """
    if not leads.try_lock_identities(scope):
        rollback()
        return IDLE
    arrivals = events.claim_arrivals(scope, limit=limit)
    if not arrivals:
        rollback()
        return IDLE
    progress = _process_or_isolate(scope, arrivals)
    commit()
    return progress


def drain(scope: Scope, *, limit: int = BATCH_SIZE) -> int:
    """Process a unit's inbox until it is empty; returns how many events left it."""
    total = 0
    while (progress := process_batch(scope, limit=limit)).claimed:
        total += progress.claimed
    return total


def refresh_statistics() -> None:
    """Tell PostgreSQL how the tables have grown, after a burst that autovacuum has yet to see.

    Without it a search in a unit that was empty a moment ago is planned for a handful of leads.
    """
    driver().execute(f"ANALYZE {', '.join(GROWING_TABLES)}")
    commit()


def _process_or_isolate(scope: Scope, arrivals: Sequence[InboxEvent]) -> Progress:
    """Process arrivals, halving them until those that fail stand alone and can be put aside."""
    now = utc_now()
    try:
        with session().begin_nested():
            return _process(scope, arrivals, now=now)
    except Exception as error:
        if is_outage(error):
            raise
        if len(arrivals) > 1:
            middle = len(arrivals) // 2
            parts = (arrivals[:middle], arrivals[middle:])
            return _sum(_process_or_isolate(scope, part) for part in parts)
        log.exception("event %s cannot be processed", arrivals[0].event_id)
        return _bury(scope, arrivals[0], error, now=now)


def _bury(scope: Scope, arrival: InboxEvent, error: Exception, *, now: datetime) -> Progress:
    reason = f"{type(error).__name__}: {error}"[:MAX_REASON_LENGTH]
    events.bury(scope, arrival, error=reason, now=now)
    events.add_to_tallies(scope, [Tally(arrival.source, 0, 0, 1)], now=now)
    return Progress(claimed=1, failed=1)


def _sum(parts: Iterable[Progress]) -> Progress:
    columns = zip(*parts, strict=True)
    return Progress(*(sum(column) for column in columns))


def _process(scope: Scope, arrivals: Sequence[InboxEvent], *, now: datetime) -> Progress:
    fresh = _drop_duplicates(scope, arrivals)
    claims = [_read(arrival) for arrival in fresh]
    resolution = leads.resolve_identities(scope, [claim.identity for claim in claims], now=now)
    version = score_queries.current_version(scope)
    events.move_events(scope, resolution.folded)
    events.store_events(scope, _new_events(claims, resolution.lead_ids, version))
    events.register_types(scope, Counter(claim.event_type for claim in claims), now=now)
    facts = _facts_by_lead(claims, resolution.lead_ids, version)
    moved = {*resolution.folded, *resolution.folded.values()}
    _score(scope, facts, moved=moved, now=now)
    events.add_to_tallies(scope, _tallies(arrivals, fresh), now=now)
    events.clear_arrivals(scope, [arrival.receipt for arrival in arrivals])
    return Progress(claimed=len(arrivals), scored=len(fresh), duplicates=len(arrivals) - len(fresh))


def _drop_duplicates(scope: Scope, arrivals: Sequence[InboxEvent]) -> list[InboxEvent]:
    """Keep the first event of each message, and none of a message that became one earlier."""
    named = {arrival.message_id for arrival in arrivals if arrival.message_id is not None}
    seen = event_queries.known_message_ids(scope, named)
    fresh: list[InboxEvent] = []
    for arrival in arrivals:
        if arrival.message_id is not None:
            if arrival.message_id in seen:
                continue
            seen.add(arrival.message_id)
        fresh.append(arrival)
    return fresh


def _read(arrival: InboxEvent) -> Claim:
    payload = from_json(arrival.payload)
    metadata = payload["metadata"]
    aliases = tuple(make_alias(kind, value) for kind, value in payload["aliases"])
    return Claim(
        arrival=arrival,
        event_type=payload["event_type"],
        occurred_at=datetime.fromisoformat(payload["timestamp"]),
        identity=Identity(payload["lead_id"], aliases, arrival.source, arrival.received_at),
        channel=channel_of(payload["event_type"], metadata),
        metadata=to_json(metadata).decode(),
    )


def _new_events(
    claims: Sequence[Claim], lead_ids: Sequence[str], version: int
) -> Iterable[NewEvent]:
    for claim, lead_id in zip(claims, lead_ids, strict=True):
        arrival = claim.arrival
        yield NewEvent(
            event_id=arrival.event_id,
            lead_id=lead_id,
            receipt=arrival.receipt,
            occurred_at=claim.occurred_at,
            received_at=arrival.received_at,
            version=version,
            event_type=claim.event_type,
            channel=claim.channel,
            source=arrival.source,
            message_id=arrival.message_id,
            suppression_reason=None,
            metadata=claim.metadata,
        )


def _facts_by_lead(
    claims: Sequence[Claim], lead_ids: Sequence[str], version: int
) -> dict[str, list[Fact]]:
    facts: defaultdict[str, list[Fact]] = defaultdict(list)
    for claim, lead_id in zip(claims, lead_ids, strict=True):
        arrival = claim.arrival
        facts[lead_id].append(
            Fact(arrival.event_id, claim.event_type, claim.occurred_at, arrival.receipt, version)
        )
    return facts


def _score(
    scope: Scope, facts: Mapping[str, list[Fact]], *, moved: Collection[str], now: datetime
) -> None:
    """Move leads forward by their new events.

    Leads with a late event, and those whose older events have moved, are replayed whole.
    """
    standings = scorebook.load_standings(scope, list(facts))
    late = {one for one, new in facts.items() if scorebook.has_late(standings[one], new)}
    replayed = late.union(moved)
    scorer = scorebook.Scorer(scope)
    results = {
        lead_id: scorer.score(lead_id, standings[lead_id], new)
        for lead_id, new in facts.items()
        if lead_id not in replayed
    }
    scorebook.add(scope, results, now=now)
    rescore.replay_leads(scope, sorted(replayed), now=now)


def _tallies(arrivals: Sequence[InboxEvent], fresh: Sequence[InboxEvent]) -> list[Tally]:
    claimed = Counter(arrival.source for arrival in arrivals)
    processed = Counter(arrival.source for arrival in fresh)
    return [
        Tally(source, processed[source], count - processed[source], 0)
        for source, count in claimed.items()
    ]
