"""From the inbox to scores: the order of consequences of an event, written once.

A batch is one transaction under the unit's lock, so a worker that dies leaves nothing half done and
two workers never touch one unit at once. An event that cannot be processed is found by halving
the batch and put aside; it never stops the others.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic_core import to_json

from leadvibe.engine.facts import Event as Fact
from leadvibe.engine.mapping import Told
from leadvibe.engine.organic import Suppression
from leadvibe.engine.replay import LateEventError
from leadvibe.events import queries as event_queries
from leadvibe.events import service as events
from leadvibe.events.channels import note_channels
from leadvibe.events.types import COUNTS, InboxEvent, NewEvent, Tally, Verdict
from leadvibe.events.usage import count_usage
from leadvibe.identity.types import Scope
from leadvibe.leads import queries as lead_queries
from leadvibe.leads import service as leads
from leadvibe.leads.types import Identity
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver, is_outage, rollback, session, writing_behind
from leadvibe.lib.queue import JobQueue
from leadvibe.lib.radio import Audience
from leadvibe.pipeline import describe, rescore, scorebook
from leadvibe.pipeline.announcing import News
from leadvibe.pipeline.claims import Claim, ReadAhead
from leadvibe.pipeline.firing import Watch
from leadvibe.pipeline.scorebook import Result
from leadvibe.segments.picking import hand_over_picks
from leadvibe.triggers.memory import hand_over_memories

log = logging.getLogger(__name__)

BATCH_SIZE = 5_000
"""Events a transaction: beyond this, speed grows little and a crash repeats more work."""

GROWING_TABLES = (
    "leads", "lead_aliases", "lead_search", "lead_scores", "lead_sessions", "events",
    "score_entries", "lead_traces", "lead_profile_scores", "accounts", "account_search",
    "account_scores", "trigger_memories", "emitted_events", "destinations", "notices",
    "deliveries", "delivery_attempts",
)  # fmt: skip

FEWEST_CHANGES = 500
"""Rows below which any plan is quick."""

MAX_REASON_LENGTH = 2_000
"""Enough of an error to understand it."""


class Progress(NamedTuple):
    """What one batch did. `claimed` 0 means the inbox was empty, or another worker had the unit."""

    claimed: int = 0
    scored: int = 0
    duplicates: int = 0
    failed: int = 0


IDLE = Progress()


class Listeners(NamedTuple):
    """Who is told once a batch is committed: who watches the unit, and who sends deliveries."""

    audience: Audience | None = None
    queue: JobQueue | None = None


NOBODY = Listeners()


class Reading(NamedTuple):
    """What was read ahead, and how much at a time is read on; None for not at all."""

    ahead: ReadAhead
    limit: int | None


def process_batch(
    scope: Scope,
    *,
    limit: int = BATCH_SIZE,
    listeners: Listeners = NOBODY,
    ahead: ReadAhead | None = None,
) -> Progress:
    """Process the oldest events of a unit's inbox and commit. Returns IDLE when there are none.

    The `listeners` are told of it afterwards. An event that fails goes to
    the dead letters with the reason. A database that cannot be reached raises, and nothing is lost:
    the events are still in the inbox. Who processes batch after batch keeps what is read `ahead`.
    """
    if not leads.try_lock_identities(scope):
        rollback()
        return IDLE
    reading = Reading(ahead or ReadAhead(), limit if ahead else None)
    arrivals = reading.ahead.claim(scope, limit=limit)
    if not arrivals:
        rollback()
        return IDLE
    progress = _process_or_isolate(scope, arrivals, listeners, reading)
    commit()
    return progress


def drain(scope: Scope, *, limit: int = BATCH_SIZE) -> int:
    """Process a unit's inbox until it is empty; returns how many events left it."""
    total, ahead = 0, ReadAhead()
    while (progress := process_batch(scope, limit=limit, ahead=ahead)).claimed:
        total += progress.claimed
    return total


def refresh_statistics() -> None:
    """Tell PostgreSQL of tables that have outgrown what it knows of them; commits.

    Until autovacuum comes by, what was empty a moment ago is planned as if it still were. Does
    nothing to tables whose statistics are fit, so it may be called often and at any size.
    """
    driver().execute("SELECT pg_stat_force_next_flush()")
    commit()  # with which the server learns what this connection has changed
    bound = (list(GROWING_TABLES), FEWEST_CHANGES)
    outgrown = [name for (name,) in driver().execute(_OUTGROWN_TABLES, bound)]
    if outgrown:
        driver().execute(f"ANALYZE {', '.join(outgrown)}")
    commit()


_OUTGROWN_TABLES = """
    SELECT relname FROM pg_stat_user_tables
    WHERE relname = ANY(%s) AND n_mod_since_analyze >= greatest(%s, n_live_tup / 3)
"""


def _process_or_isolate(
    scope: Scope, arrivals: Sequence[InboxEvent], listeners: Listeners, reading: Reading
) -> Progress:
    """Process arrivals, halving them until those that fail stand alone and can be put aside."""
    now = utc_now()
    try:
        with session().begin_nested(), writing_behind():
            progress = _process(scope, arrivals, listeners, reading.ahead, now=now)
            if reading.limit is not None:
                reading.ahead.read_on(scope, arrivals, limit=reading.limit)
            return progress
    except Exception as error:
        if is_outage(error):
            raise
        if len(arrivals) > 1:
            middle = len(arrivals) // 2
            parts = (arrivals[:middle], arrivals[middle:])
            return _sum(_process_or_isolate(scope, part, listeners, reading) for part in parts)
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


def _process(
    scope: Scope,
    arrivals: Sequence[InboxEvent],
    listeners: Listeners,
    ahead: ReadAhead,
    *,
    now: datetime,
) -> Progress:
    fresh = _drop_duplicates(scope, arrivals)
    config = scorebook.current_config(scope)
    news, watch = News(listeners.audience, scope), Watch(scope, config)
    claims = ahead.read_all(scope, fresh, current=config.version)
    lead_ids, folded = _resolve(scope, claims, now=now)
    events.move_events(scope, folded)
    hand_over_memories(scope, folded)
    hand_over_picks(scope, folded)
    facts = _facts_by_lead(claims, lead_ids)
    moved = {*folded, *folded.values()}
    scored, late = _score(scope, facts, moved=moved)
    verdicts = _verdicts(scored)
    news.note(claims, lead_ids, scored, suppressed=verdicts, replayed=late)
    watch.note(claims, lead_ids, scored, suppressed=verdicts, replayed=late, merged=folded.values())
    told = _told(claims, lead_ids, verdicts) if describe.is_needed(config) else {}
    describing = describe.begin(scope, told, config, now=now, rebuilt=late)
    events.store_events(scope, _new_events(claims, lead_ids, verdicts))
    events.register_types(scope, Counter(claim.event_type for claim in claims), now=now)
    note_channels(scope, {claim.channel for claim in claims})
    properties = describing.give_properties(scored.keys())
    scorebook.add(scope, scored, properties=properties, now=now)
    rescore.replay_leads(scope, sorted(late - moved), now=now)
    rescore.replay_leads(scope, sorted(moved), now=now, is_afresh=True)
    describing.finish()
    news.note_firings(watch.fire(listeners.queue, now=now))
    events.add_to_tallies(scope, _tallies(arrivals, fresh), now=now)
    count_usage(scope, fresh)
    events.clear_arrivals(scope, [arrival.receipt for arrival in arrivals])
    news.leave_after_commit(config)
    return Progress(claimed=len(arrivals), scored=len(fresh), duplicates=len(arrivals) - len(fresh))


def _resolve(
    scope: Scope, claims: Sequence[Claim], *, now: datetime
) -> tuple[list[str | None], Mapping[str, str]]:
    """Give each event its lead, and say who was folded into whom.

    An event that will not count makes no lead and no alias: it goes to whom it names, if anybody.
    """
    mute = {place for place, claim in enumerate(claims) if claim.is_mute}
    heard = [claim.identity for place, claim in enumerate(claims) if place not in mute]
    resolution = leads.resolve_identities(scope, heard, now=now)
    if not mute:
        return list(resolution.lead_ids), resolution.folded
    of_heard = iter(resolution.lead_ids)
    of_mute = iter(
        lead_queries.recognise(scope, [claims[place].identity for place in sorted(mute)])
    )
    lead_ids = [next(of_mute if place in mute else of_heard) for place in range(len(claims))]
    return lead_ids, resolution.folded


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


def _new_events(
    claims: Sequence[Claim],
    lead_ids: Sequence[str | None],
    verdicts: Mapping[int, Verdict],
) -> Iterable[NewEvent]:
    for claim, lead_id in zip(claims, lead_ids, strict=True):
        arrival = claim.arrival
        verdict = verdicts.get(arrival.receipt) or _verdict_alone(claim)
        yield NewEvent(
            event_id=arrival.event_id,
            lead_id=lead_id,
            receipt=arrival.receipt,
            occurred_at=claim.occurred_at,
            received_at=arrival.received_at,
            version=claim.version,
            event_type=claim.event_type,
            channel=claim.channel,
            source=arrival.source,
            message_id=arrival.message_id,
            suppression_reason=verdict.reason,
            metadata=claim.metadata,
            fingerprint=claim.fingerprint,
            is_folded=verdict.is_folded,
            unclaimed=None if lead_id is not None else _unclaimed(claim.identity),
        )


def _verdict_alone(claim: Claim) -> Verdict:
    """Say of an event by itself whether it counts; a replay may find more."""
    if claim.is_filtered:
        return Verdict(Suppression.METADATA.value, is_folded=False)
    if claim.is_banned:
        return Verdict(Suppression.RATE.value, is_folded=False)
    return COUNTS


def _unclaimed(identity: Identity) -> str:
    aliases = [(alias.kind, alias.raw_value) for alias in identity.aliases]
    return to_json({"lead_id": identity.lead_id, "aliases": aliases}).decode()


def _facts_by_lead(
    claims: Sequence[Claim], lead_ids: Sequence[str | None]
) -> dict[str, list[Fact]]:
    facts: defaultdict[str, list[Fact]] = defaultdict(list)
    for claim, lead_id in zip(claims, lead_ids, strict=True):
        if lead_id is None:
            continue
        fact = Fact(
            event_id=claim.arrival.event_id,
            event_type=claim.event_type,
            occurred_at=claim.occurred_at,
            receipt=claim.arrival.receipt,
            version=claim.version,
            fingerprint=claim.fingerprint or 0,
            is_filtered=claim.is_filtered,
        )
        facts[lead_id].append(fact)
    return facts


def _score(
    scope: Scope,
    facts: Mapping[str, list[Fact]],
    *,
    moved: set[str],
) -> tuple[dict[str, Result], set[str]]:
    """Move leads forward by their new events; return also those that have to be replayed whole.

    These are leads with a late event, and those whose older events have moved. Among the latter
    come leads that were rescored since one of their new events was accepted.
    """
    standings = scorebook.load_standings(scope, list(facts))
    past = scorebook.load_past(scope, facts)
    moved |= {
        lead_id
        for lead_id, new in facts.items()
        if standings[lead_id].base_version > min(fact.version for fact in new)
    }
    late = set(moved)
    scorer = scorebook.Scorer(scope)
    results: dict[str, Result] = {}
    for lead_id, new in facts.items():
        seen = past.get(lead_id, ())
        if lead_id in late or scorebook.is_overtaken(new, seen):
            late.add(lead_id)
            continue
        try:
            results[lead_id] = scorer.score(lead_id, standings[lead_id], new, past=seen)
        except LateEventError:
            late.add(lead_id)
    return results, late


def _verdicts(scored: Mapping[str, Result]) -> dict[int, Verdict]:
    return {
        receipt: Verdict(reason, receipt in result.judgement.folded)
        for result in scored.values()
        for receipt, reason in result.judgement.reasons.items()
    }


def _told(
    claims: Sequence[Claim], lead_ids: Sequence[str | None], verdicts: Mapping[int, Verdict]
) -> dict[str, list[Told]]:
    """Return what the events that count told of their leads."""
    told: defaultdict[str, list[Told]] = defaultdict(list)
    for claim, lead_id in zip(claims, lead_ids, strict=True):
        receipt = claim.arrival.receipt
        if lead_id is not None and receipt not in verdicts:
            told[lead_id].append(Told(claim.occurred_at, receipt, claim.document))
    return told


def _tallies(arrivals: Sequence[InboxEvent], fresh: Sequence[InboxEvent]) -> list[Tally]:
    claimed = Counter(arrival.source for arrival in arrivals)
    processed = Counter(arrival.source for arrival in fresh)
    return [
        Tally(source, processed[source], count - processed[source], 0)
        for source, count in claimed.items()
    ]
