"""Going over history again: replays of leads, the proof that scores are right, and their repair."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from leadvibe.engine.engagement import Awarder
from leadvibe.engine.facts import Entry, Event, Session
from leadvibe.engine.organic import fingerprint
from leadvibe.engine.rules import Config
from leadvibe.events import days
from leadvibe.events import queries as event_queries
from leadvibe.events import service as events
from leadvibe.events.types import COUNTS, Fact, Verdict, WrittenDecay
from leadvibe.identity.types import Scope
from leadvibe.leads import accounts, histograms, record_checks
from leadvibe.leads import queries as lead_queries
from leadvibe.leads import service as leads
from leadvibe.leads.types import LeadActivity
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, reading_apart, rollback, writing_behind
from leadvibe.lib.queue import JobQueue
from leadvibe.pipeline import scorebook
from leadvibe.pipeline.falls import tell_of_decay
from leadvibe.pipeline.scorebook import NEW, Result, Scorer
from leadvibe.scoring import lead_scores, ledger_sums
from leadvibe.scoring import queries as score_queries
from leadvibe.scoring import service as scoring

LEADS_READ_AT_ONCE = 100
"""Of those, leads whose events are read while others are written."""

LEADS_AT_ONCE = 500
"""Leads replayed or verified in one go: some 10,000 events, which memory hardly notices."""

HEADLINES_AT_ONCE = 20_000
"""Leads whose headline is refreshed in one statement; a second's work at most."""


class Discrepancy(NamedTuple):
    """Something stored about a lead that its events do not say."""

    lead_id: str
    what: str
    stored: object
    replayed: object


class Replay(NamedTuple):
    """A lead gone over again: its stored events, how they were judged, and what came of it."""

    facts: list[Fact]
    events: list[Event]
    result: Result

    def verdicts(self) -> list[Verdict]:
        """Say how filters see each of the events."""
        reasons, folded, _ = self.result.judgement
        if not reasons:
            return [COUNTS] * len(self.events)
        receipts = (event.receipt for event in self.events)
        return [Verdict(reasons.get(receipt), receipt in folded) for receipt in receipts]

    def based_on(self, version: int) -> Replay:
        """Return the same with all its events counted as that version's."""
        activity = self.result.activity._replace(base_version=version)
        return self._replace(result=self.result._replace(activity=activity))


Replays = Iterator[tuple[str, Replay]]
"""Replays of leads whose events are read already, each worked out as it is asked for."""


class Step(NamedTuple):
    """How far a walk over all leads has come, and what it found on the last stretch."""

    leads_done: int
    found: list[Discrepancy]


def replay_leads(
    scope: Scope, lead_ids: Sequence[str], *, now: datetime, is_afresh: bool = False
) -> None:
    """Write the leads' ledger, scores and sessions anew, each event under its own version.

    Filters see the events as they saw them before, or `is_afresh` look at their metadata again:
    as they must when events come from another lead, for which another version may have counted.
    Needs the identities' lock, and flushes without committing.
    """
    for start in range(0, len(lead_ids), LEADS_AT_ONCE):
        chunk = lead_ids[start : start + LEADS_AT_ONCE]
        _rewrite_own(scope, chunk, now=now, is_afresh=is_afresh)


def rescore_leads(scope: Scope, lead_ids: Sequence[str], *, now: datetime) -> None:
    """Write the leads' scores anew under the current version, as if it had always been in force.

    Their events count as that version's from now on. Needs the identities' lock, and flushes
    without committing. What is committed of the leads is what is gone over: the next are read
    while those before them are written, over a second connection.
    """
    config = scorebook.current_config(scope)
    scorer = Scorer(scope, config=config)
    with writing_behind():
        for start in range(0, len(lead_ids), LEADS_READ_AT_ONCE):
            some = lead_ids[start : start + LEADS_READ_AT_ONCE]
            with reading_apart():
                replays = _under(scope, some, scorer, config, until=now)
                sessions = event_queries.list_sessions(scope, some)
            based = ((lead_id, replay.based_on(config.version)) for lead_id, replay in replays)
            _rewrite(scope, some, based, sessions, now=now)


def replay_under(
    scope: Scope, lead_ids: Sequence[str], config: Config, *, until: datetime
) -> dict[str, Replay]:
    """Return what the leads' events come to under a configuration, writing nothing."""
    return dict(_under(scope, lead_ids, Scorer(scope, config=config), config, until=until))


def settle_decay(scope: Scope, *, now: datetime, queue: JobQueue | None = None) -> Iterator[int]:
    """Take the points that inactivity has cost by now, committing as it goes.

    Yields how many leads lost some. Run again at once it finds nothing: what a lead owes follows
    from its events, not from when anybody looked.
    """
    scorer = Scorer(scope)
    spells = scorer.history(0).fading.spells()
    after = ""
    while spells:
        leads.lock_identities(scope)
        chunk = lead_scores.list_quiet_leads(
            scope, spells, now=now, after=after, limit=LEADS_AT_ONCE
        )
        if not chunk:
            rollback()
            return
        after = chunk[-1]
        standings = scorebook.load_standings(scope, chunk)
        results = {
            lead_id: scorer.score(lead_id, standing, (), until=now)
            for lead_id, standing in standings.items()
        }
        faded = {lead_id: result for lead_id, result in results.items() if result.decays}
        scorebook.add(scope, faded, now=now)
        tell_of_decay(scope, faded, queue=queue, now=now)
        commit()
        yield len(faded)


def verify(scope: Scope) -> Iterator[Step]:
    """Compare what is stored with a replay of the events, lead by lead, changing nothing.

    Stored scores, the ledger and the replay must agree to the point; so must sessions, counts, what
    filters said and what decay wrote. Decay is replayed as far as it was written. What is kept of
    records must be what they say.
    """
    done = 0
    for done, chunk in _walk(scope):
        replays = dict(_own(scope, chunk, until=None, is_afresh=True))
        results = {lead_id: it.result for lead_id, it in replays.items()}
        found = [
            *_compare_ledgers(scope, results),
            *_compare_sums(scope, chunk),
            *_compare_leads(scope, results),
            *_compare_verdicts(replays),
            *_compare_decays(scope, results),
        ]
        rollback()
        yield Step(done, found)
    wrong = [Discrepancy(*it) for it in record_checks.find_wrong(scope)]
    unit_wide = [*_compare_tally(scope), *_compare_days(scope), *_compare_accounts(scope)]
    yield Step(done, [*unit_wide, *wrong])


def rebuild(scope: Scope) -> Iterator[Step]:
    """Replay every lead of the unit from its events, committing as it goes."""
    for done, chunk in _walk(scope):
        now = utc_now()
        _rewrite_own(scope, chunk, now=now, is_afresh=True)
        commit()
        yield Step(done, [])
    leads.lock_identities(scope)
    leads.recount_listed(scope)
    days.rebuild_days(scope)
    histograms.recount(scope)
    commit()
    record_checks.make_anew(scope)
    commit()
    for chunk in _walk_accounts(scope):
        accounts.refresh_roll_ups(scope, chunk)
        commit()


def refresh_headlines(scope: Scope) -> None:
    """Show on every lead the score of the ruleset that stands for it now, and commit.

    Done again from the start when it dies half-way, or when that ruleset changes meanwhile: it only
    ever writes what is true.
    """
    since = score_queries.headlines_stale_since(scope)
    after: str | None = ""
    while after is not None:
        leads.lock_identities(scope)
        after = scoring.refresh_headlines(scope, after=after, limit=HEADLINES_AT_ONCE)
        if after is None:
            scoring.settle_headlines(scope, since=since)
        commit()


def _walk(scope: Scope) -> Iterator[tuple[int, list[str]]]:
    """Yield all leads in chunks, each under the lock, with how many there were up to its end."""
    done, after = 0, ""
    while True:
        leads.lock_identities(scope)
        chunk = lead_queries.list_ids(scope, after=after, limit=LEADS_AT_ONCE)
        if not chunk:
            rollback()
            return
        done, after = done + len(chunk), chunk[-1]
        yield done, chunk


def _walk_accounts(scope: Scope) -> Iterator[list[str]]:
    """Yield all accounts in chunks, each under the lock."""
    after = ""
    while True:
        leads.lock_identities(scope)
        chunk = accounts.list_ids(scope, after=after, limit=LEADS_AT_ONCE)
        if not chunk:
            rollback()
            return
        after = chunk[-1]
        yield chunk


def _under(
    scope: Scope, lead_ids: Sequence[str], scorer: Scorer, config: Config, *, until: datetime
) -> Replays:
    """Read the leads' events; return their replays under the scorer's one configuration."""
    awarder = scorer.history(0).awarders[config.version]
    told = dict(
        event_queries.stream_facts(
            scope, lead_ids, under=config.version, with_metadata_of=_types_in_need(awarder)
        )
    )

    def replay(lead_id: str) -> Replay:
        facts = told.pop(lead_id, [])
        events = [_judged(fact, awarder) for fact in facts]
        return Replay(facts, events, scorer.score(lead_id, NEW, events, until=until))

    return ((lead_id, replay(lead_id)) for lead_id in lead_ids)


def _own(
    scope: Scope, lead_ids: Sequence[str], *, until: datetime | None, is_afresh: bool
) -> Replays:
    """Read the leads' events; return their replays under the events' own versions.

    Decay comes up to `until`, or as far as it was written.
    """
    scorer = Scorer(scope)
    stored = lead_queries.load_activities(scope, lead_ids)
    wanted = score_queries.filtered_types(scope) if is_afresh else ()
    told = dict(event_queries.stream_facts(scope, lead_ids, with_metadata_of=wanted))

    def replay(lead_id: str, activity: LeadActivity) -> Replay:
        facts = told.pop(lead_id, [])
        standing = NEW._replace(base_version=activity.base_version)
        awarders = scorer.history(activity.base_version).awarders
        events = [_judged(fact, awarders[fact.event.version]) for fact in facts]
        end = until or activity.last_decay_at
        return Replay(facts, events, scorer.score(lead_id, standing, events, until=end))

    return ((lead_id, replay(lead_id, activity)) for lead_id, activity in stored.items())


def _types_in_need(awarder: Awarder) -> Collection[str] | None:
    """Name the event types whose metadata the filters ask for; None for all."""
    if awarder.metadata_test.concerns_all:
        return None
    return awarder.metadata_test.event_types | awarder.velocity_filters.keys()


def _judged(fact: Fact, awarder: Awarder) -> Event:
    """Return the event as the filters of a configuration see it, going by its metadata if given."""
    event, _, _, metadata = fact
    if metadata is None:
        return event
    event_type, test = event.event_type, awarder.metadata_test
    return event._replace(
        fingerprint=fingerprint(metadata) if event_type in awarder.velocity_filters else 0,
        is_filtered=test.concerns(event_type) and test.suppresses(event_type, metadata),
    )


def _rewrite_own(scope: Scope, lead_ids: Sequence[str], *, now: datetime, is_afresh: bool) -> None:
    replays = _own(scope, lead_ids, until=now, is_afresh=is_afresh)
    sessions = event_queries.list_sessions(scope, lead_ids)
    with writing_behind():
        _rewrite(scope, lead_ids, replays, sessions, now=now)


def _rewrite(
    scope: Scope,
    lead_ids: Sequence[str],
    replays: Replays,
    sessions: Mapping[str, list[Session]],
    *,
    now: datetime,
) -> None:
    """Store replays, whose events are read, in the place of what was there.

    The old rows go while the replays are worked out, and ledger rows are stored while the next are
    written out: nothing in between asks the database for anything.
    """
    scorebook.erase(scope, lead_ids)
    replayed = dict(replays)
    results = {lead_id: it.result for lead_id, it in replayed.items()}
    scorebook.replace(scope, results, sessions=sessions, now=now)
    events.save_verdicts(scope, _changed_verdicts(replayed))


def _changed_verdicts(replays: Mapping[str, Replay]) -> dict[UUID, tuple[Verdict, int | None]]:
    return {
        event.event_id: (verdict, event.fingerprint or None)
        for it in replays.values()
        for (_, stored, mark, _), event, verdict in zip(
            it.facts, it.events, it.verdicts(), strict=True
        )
        if stored != verdict or mark != event.fingerprint
    }


def _compare_verdicts(replays: Mapping[str, Replay]) -> Iterator[Discrepancy]:
    for lead_id, it in replays.items():
        stored = [(fact.verdict, fact.fingerprint) for fact in it.facts]
        marks = (event.fingerprint for event in it.events)
        replayed = [*zip(it.verdicts(), marks, strict=True)]
        yield from _difference(lead_id, "suppressed", stored, replayed)


def _compare_decays(scope: Scope, results: dict[str, Result]) -> Iterator[Discrepancy]:
    stored = event_queries.list_decays(scope, list(results))
    for lead_id, result in results.items():
        expected = sorted(
            WrittenDecay(event_id, at, version, str(decay_id), str(decrease))
            for event_id, at, version, decay_id, decrease in result.decays
        )
        yield from _difference(lead_id, "decay", sorted(stored.get(lead_id, [])), expected)


def _compare_ledgers(scope: Scope, results: dict[str, Result]) -> Iterator[Discrepancy]:
    stored = lead_scores.list_ledger(scope, list(results))
    standings = lead_scores.get_standings(scope, list(results))
    for lead_id, result in results.items():
        expected = sorted(result.entries, key=_entry_key)
        yield from _difference(lead_id, "ledger", stored.get(lead_id, []), expected)
        yield from _difference(
            lead_id, "scores", standings.get(lead_id, {}), dict(result.state.standings)
        )


def _compare_sums(scope: Scope, lead_ids: Sequence[str]) -> Iterator[Discrepancy]:
    for lead_id in ledger_sums.find_wrong_sums(scope, lead_ids):
        yield Discrepancy(lead_id, "sums of the ledger", "others", "those of its entries")


def _compare_leads(scope: Scope, results: dict[str, Result]) -> Iterator[Discrepancy]:
    sessions = event_queries.list_sessions(scope, list(results))
    activities = lead_queries.load_activities(scope, list(results))
    for lead_id, result in results.items():
        yield from _difference(lead_id, "sessions", sessions.get(lead_id, []), result.sessions)
        yield from _difference(lead_id, "lead", activities[lead_id], result.activity)


def _compare_tally(scope: Scope) -> Iterator[Discrepancy]:
    leads.lock_identities(scope)
    stored, counted = lead_queries.count_listed(scope), lead_queries.recount_listed(scope)
    wrong = list(histograms.find_wrong(scope))
    rollback()
    yield from _difference("", "number of leads", stored, counted)
    for bucket in wrong:
        yield from _difference("", bucket.name, bucket.stored, bucket.counted)


def _compare_days(scope: Scope) -> Iterator[Discrepancy]:
    leads.lock_identities(scope)
    stored, counted = days.list_days(scope), days.recount_days(scope)
    rollback()
    yield from _difference("", "events by day", stored, counted)


def _compare_accounts(scope: Scope) -> Iterator[Discrepancy]:
    for chunk in _walk_accounts(scope):
        wrong = list(accounts.compare_roll_ups(scope, chunk))
        rollback()
        for account_id, stored, counted in wrong:
            yield Discrepancy(account_id, "account", stored, counted)


def _difference(lead_id: str, what: str, stored: object, replayed: object) -> Iterator[Discrepancy]:
    if stored != replayed:
        yield Discrepancy(lead_id, what, stored, replayed)


def _entry_key(entry: Entry) -> tuple[str, int]:
    return str(entry.ruleset_id), entry.seq
