"""Between the engine and the tables: where leads stand, and what scoring them changes.

The engine says what events are worth; this module loads what it needs to know and stores what it
says, many leads at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from leadvibe.engine.engagement import Awarder
from leadvibe.engine.facts import EMPTY, Entry, Event, LeadState, Session
from leadvibe.engine.replay import Outcome, advance, is_late, score_of
from leadvibe.events import queries as event_queries
from leadvibe.events import service as events
from leadvibe.identity.types import Scope
from leadvibe.leads import queries as lead_queries
from leadvibe.leads import service as leads
from leadvibe.leads.types import LeadActivity
from leadvibe.scoring import queries as score_queries
from leadvibe.scoring import service as scoring


class Standing(NamedTuple):
    """A lead before its next events: what the engine needs, and what lists count."""

    state: LeadState
    event_count: int
    session_count: int


NEW = Standing(EMPTY, 0, 0)


class Result(NamedTuple):
    """A lead after its events, with what was added on the way."""

    entries: list[Entry]
    sessions: list[Session]
    state: LeadState
    activity: LeadActivity


def load_standings(scope: Scope, lead_ids: Sequence[str]) -> dict[str, Standing]:
    """Return where each lead stands; leads without events are NEW."""
    counts = lead_queries.count_activity(scope, lead_ids)
    known = [lead_id for lead_id in lead_ids if counts[lead_id].event_count]
    scores = score_queries.get_standings(scope, known)
    sessions = event_queries.open_sessions(scope, known)
    standings = dict.fromkeys(lead_ids, NEW)
    for lead_id in known:
        count = counts[lead_id]
        state = LeadState(
            scores.get(lead_id, {}), count.last_event_at, count.last_receipt, sessions[lead_id]
        )
        standings[lead_id] = Standing(state, count.event_count, count.session_count)
    return standings


class Scorer:
    """Scores leads of one unit, each event under its own config version."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._config = score_queries.get_config(scope, score_queries.current_version(scope))
        self._awarders = _Awarders(scope)

    def score(self, lead_id: str, standing: Standing, events: Sequence[Event]) -> Result:
        """Add events to a lead. Raises LateEventError when one is older than its last."""
        outcome = advance(standing.state, events, self._awarders)
        return Result(
            outcome.entries,
            outcome.sessions,
            outcome.state,
            self._activity(lead_id, standing, events, outcome),
        )

    def _activity(
        self, lead_id: str, standing: Standing, events: Sequence[Event], outcome: Outcome
    ) -> LeadActivity:
        state = outcome.state
        headline = score_of(state.standings, self._config)
        last = max(events, key=lambda event: (event.occurred_at, event.receipt), default=None)
        return LeadActivity(
            lead_id=lead_id,
            score=headline.score,
            ruleset_id=headline.ruleset_id,
            last_event_at=state.last_at,
            last_event_type=last.event_type if last else None,
            last_receipt=state.last_receipt,
            event_count=standing.event_count + len(events),
            session_count=standing.session_count + _begun(standing.state, outcome.sessions),
        )


class _Awarders(dict[int, Awarder]):
    """Config versions ready to score, loaded as events ask for them."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self._scope = scope

    def __missing__(self, version: int) -> Awarder:
        awarder = self[version] = score_queries.get_awarder(self._scope, version)
        return awarder


def _begun(before: LeadState, sessions: Sequence[Session]) -> int:
    """Count the sessions that are new: the first may be the open one, continued."""
    continued = (
        before.session is not None
        and bool(sessions)
        and sessions[0].started_at == before.session.started_at
    )
    return len(sessions) - continued


def has_late(standing: Standing, new: Iterable[Event]) -> bool:
    """Say whether any of the events is older than the lead's last, so that it needs a replay."""
    return any(is_late(standing.state, event) for event in new)


def add(scope: Scope, results: dict[str, Result], *, now: datetime) -> None:
    """Store what was added to leads: ledger rows, scores, sessions and last activity."""
    if not results:
        return
    scoring.append_entries(
        scope, ((lead, entry) for lead, result in results.items() for entry in result.entries)
    )
    events.save_sessions(
        scope, ((lead, one) for lead, result in results.items() for one in result.sessions)
    )
    _save_heads(scope, results, now=now)


def replace(scope: Scope, results: dict[str, Result], *, now: datetime) -> None:
    """Store what a replay from nothing came to, in the place of all that was there."""
    lead_ids = list(results)
    scoring.erase_ledger(scope, lead_ids)
    events.replace_sessions(
        scope,
        lead_ids,
        ((lead, one) for lead, result in results.items() for one in result.sessions),
    )
    scoring.append_entries(
        scope, ((lead, entry) for lead, result in results.items() for entry in result.entries)
    )
    _save_heads(scope, results, now=now)


def _save_heads(scope: Scope, results: dict[str, Result], *, now: datetime) -> None:
    scoring.save_standings(
        scope,
        (
            (lead_id, ruleset_id, standing)
            for lead_id, result in results.items()
            for ruleset_id, standing in result.state.standings.items()
        ),
        now=now,
    )
    leads.record_activity(scope, [result.activity for result in results.values()], now=now)
