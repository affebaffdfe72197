"""Scores by attributes made anew after a change of rules, a stretch of leads or accounts at a time.

Which ones is noted with the change itself (scoring.profiles), so that a walk that was cut short
goes on where it was, and one whose rules change again begins again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from leadvibe.engine.profile import scorers_of
from leadvibe.identity.types import Scope
from leadvibe.leads import accounts, documents
from leadvibe.leads import queries as lead_queries
from leadvibe.leads import service as leads
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, held_lock, held_lock_keys, rollback
from leadvibe.lib.queue import JobQueue
from leadvibe.pipeline.describe import redescribe_leads
from leadvibe.pipeline.scorebook import current_config
from leadvibe.scoring import profiles
from leadvibe.scoring.profiles import HEADLINE, LINKS, Rescore, Side

RESCORE_ATTRIBUTES = "leadvibe.jobs.describing.rescore_attributes"
"""What a worker calls, with the unit."""

AT_ONCE = 5_000
"""Leads or accounts in one transaction: the pipeline waits for some tenths of a second at most."""

HISTORIES_AT_ONCE = 500
"""Leads in one transaction when all their events are read."""

Properties = Mapping[str, Any]

_LOCK_SALT = 0x0A77_41B5  # apart from the keys that come from the same id
_LARGEST_KEY = 2**63 - 1


def advance_rescores(scope: Scope, *, is_stopping: Callable[[], bool]) -> None:
    """Make all stale scores of a unit anew, committing as it goes, or until `is_stopping`.

    Returns at once when another worker is at it.
    """
    with held_lock(lock_key(scope.unit_id)) as lock:
        if lock is None:
            return
        while not is_stopping() and rescore_some(scope, now=utc_now()):
            commit()
        rollback()


def send_rescores(queue: JobQueue, unit_id: UUID) -> None:
    """Call a worker for the stale scores of a unit."""
    queue.send(RESCORE_ATTRIBUTES, str(unit_id), job_id=f"attributes-{unit_id}")


def resume_due_rescores(queue: JobQueue) -> None:
    """Send a job for every unit whose scores are stale, unless a worker is at them."""
    stale = profiles.units_with_stale_scores()
    held = held_lock_keys() if stale else set()
    for unit_id in stale:
        if lock_key(unit_id) not in held:
            send_rescores(queue, unit_id)


def rescore_some(scope: Scope, *, now: datetime, limit: int = AT_ONCE) -> bool:
    """Make the next stale scores anew; False when all are right. Flushes without committing."""
    leads.lock_identities(scope)
    stale = profiles.next_rescore(scope)
    if stale is None:
        return False
    walk = _WALKS[stale.kind]
    at_once = min(limit, walk.at_once)
    subjects = walk.list_ids(scope, after=stale.after, limit=at_once)
    walk.do(scope, stale, subjects, now=now)
    is_last = len(subjects) < at_once
    profiles.note_rescored(scope, stale, after=None if is_last else subjects[-1])
    return True


def lock_key(unit_id: UUID) -> int:
    """Return the key of the lock that the worker at a unit's stale scores holds."""
    return (int.from_bytes(unit_id.bytes[8:]) ^ _LOCK_SALT) & _LARGEST_KEY


def _link(scope: Scope, _stale: Rescore, lead_ids: list[str], *, now: datetime) -> None:
    redescribe_leads(scope, lead_ids, current_config(scope), now=now)


def _score_leads(scope: Scope, stale: Rescore, lead_ids: list[str], *, now: datetime) -> None:
    _score(scope, Side.PROFILE, stale, documents.load_properties(scope, lead_ids), now=now)


def _score_accounts(scope: Scope, stale: Rescore, account_ids: list[str], *, now: datetime) -> None:
    known = accounts.load_documents(scope, account_ids)
    properties = {account_id: each.properties for account_id, each in known.items()}
    _score(scope, Side.ACCOUNT, stale, properties, now=now)
    _refresh_headlines(scope, stale, account_ids, now=now)


def _score(
    scope: Scope, side: Side, stale: Rescore, known: Mapping[str, Properties], *, now: datetime
) -> None:
    """Score documents in one ruleset, unless that was disabled or deleted meanwhile."""
    config = current_config(scope)
    rulesets = profiles.rulesets_of(config.policies, side)
    wanted = [it for it in rulesets if it.ruleset_id == stale.ruleset_id]
    for scorer in scorers_of(wanted, allow_negative=config.allow_negative_scores):
        scores = {
            subject: {scorer.ruleset_id: scorer.score(properties)}
            for subject, properties in known.items()
        }
        profiles.save_scores(scope, side, scores, version=config.version, now=now)


def _refresh_headlines(
    scope: Scope, _stale: Rescore, account_ids: list[str], *, now: datetime
) -> None:
    del now  # a headline is as old as its score
    primary = profiles.primary_of(current_config(scope).policies.account_rulesets)
    scores = profiles.list_scores(scope, Side.ACCOUNT, account_ids) if primary else {}
    accounts.save_scores(
        scope,
        {it: scores.get(it, {}).get(primary.ruleset_id, 0) if primary else 0 for it in account_ids},
    )


class _ListIds(Protocol):
    def __call__(self, scope: Scope, *, after: str, limit: int) -> list[str]: ...


class _Do(Protocol):
    def __call__(
        self, scope: Scope, stale: Rescore, subjects: list[str], /, *, now: datetime
    ) -> None: ...


class _Walk(NamedTuple):
    """What a walk goes over, and what it does with each stretch."""

    list_ids: _ListIds
    do: _Do
    at_once: int = AT_ONCE


_WALKS: Mapping[str, _Walk] = {
    LINKS: _Walk(lead_queries.list_ids, _link, at_once=HISTORIES_AT_ONCE),
    Side.PROFILE: _Walk(lead_queries.list_ids, _score_leads),
    Side.ACCOUNT: _Walk(accounts.list_ids, _score_accounts),
    HEADLINE: _Walk(accounts.list_ids, _refresh_headlines),
}
