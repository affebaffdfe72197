"""Going over history again: replays of leads, the proof that scores are right, and their repair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from leadvibe.engine.facts import Entry
from leadvibe.events import queries as event_queries
from leadvibe.identity.types import Scope
from leadvibe.leads import queries as lead_queries
from leadvibe.leads import service as leads
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, rollback
from leadvibe.pipeline import scorebook
from leadvibe.pipeline.scorebook import NEW, Result, Scorer
from leadvibe.scoring import queries as score_queries
from leadvibe.scoring import service as scoring

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


class Step(NamedTuple):
    """How far a walk over all leads has come, and what it found on the last stretch."""

    leads_done: int
    found: list[Discrepancy]


def replay_leads(scope: Scope, lead_ids: Sequence[str], *, now: datetime) -> None:
    """Write the leads' ledger, scores and sessions anew, each event under its own version.

    Needs the identities' lock, and flushes without committing.
    """
    for start in range(0, len(lead_ids), LEADS_AT_ONCE):
        chunk = lead_ids[start : start + LEADS_AT_ONCE]
        scorebook.replace(scope, _replay(scope, chunk), now=now)


def verify(scope: Scope) -> Iterator[Step]:
    """Compare what is stored with a replay of the events, lead by lead, changing nothing.

    Stored scores, the ledger and the replay must agree to the point; sessions and counts too.
    """
    done = 0
    for done, chunk in _walk(scope):
        results = _replay(scope, chunk)
        found = [*_compare_ledgers(scope, results), *_compare_leads(scope, results)]
        rollback()
        yield Step(done, found)
    yield Step(done, list(_compare_tally(scope)))


def rebuild(scope: Scope) -> Iterator[Step]:
    """Replay every lead of the unit from its events, committing as it goes."""
    for done, chunk in _walk(scope):
        scorebook.replace(scope, _replay(scope, chunk), now=utc_now())
        commit()
        yield Step(done, [])
    leads.lock_identities(scope)
    leads.recount_listed(scope)
    commit()


def refresh_headlines(scope: Scope) -> None:
    """Show on every lead the score of the ruleset that stands for it now, and commit.

    Done again from the start when it dies half-way: it only ever writes what is true.
    """
    after: str | None = ""
    while after is not None:
        leads.lock_identities(scope)
        after = scoring.refresh_headlines(scope, after=after, limit=HEADLINES_AT_ONCE)
        if after is None:
            scoring.settle_headlines(scope)
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


def _replay(scope: Scope, lead_ids: Sequence[str]) -> dict[str, Result]:
    scorer = Scorer(scope)
    results = {
        lead_id: scorer.score(lead_id, NEW, facts)
        for lead_id, facts in event_queries.stream_facts(scope, lead_ids)
    }
    for lead_id in lead_ids:
        if lead_id not in results:
            results[lead_id] = scorer.score(lead_id, NEW, [])
    return results


def _compare_ledgers(scope: Scope, results: dict[str, Result]) -> Iterator[Discrepancy]:
    stored = score_queries.list_ledger(scope, list(results))
    standings = score_queries.get_standings(scope, list(results))
    for lead_id, result in results.items():
        expected = sorted(result.entries, key=_entry_key)
        yield from _difference(lead_id, "ledger", stored.get(lead_id, []), expected)
        yield from _difference(
            lead_id, "scores", standings.get(lead_id, {}), dict(result.state.standings)
        )


def _compare_leads(scope: Scope, results: dict[str, Result]) -> Iterator[Discrepancy]:
    sessions = event_queries.list_sessions(scope, list(results))
    activities = lead_queries.list_activities(scope, list(results))
    for lead_id, result in results.items():
        yield from _difference(lead_id, "sessions", sessions.get(lead_id, []), result.sessions)
        yield from _difference(lead_id, "lead", activities[lead_id], result.activity)


def _compare_tally(scope: Scope) -> Iterator[Discrepancy]:
    leads.lock_identities(scope)
    stored, counted = lead_queries.count_listed(scope), lead_queries.recount_listed(scope)
    rollback()
    yield from _difference("", "number of leads", stored, counted)


def _difference(lead_id: str, what: str, stored: object, replayed: object) -> Iterator[Discrepancy]:
    if stored != replayed:
        yield Discrepancy(lead_id, what, stored, replayed)


def _entry_key(entry: Entry) -> tuple[str, int]:
    return str(entry.ruleset_id), entry.seq
