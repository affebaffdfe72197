"""Between the engine and the tables: where leads stand, and what scoring them changes.

The engine says what events are worth; this module loads what it needs to know and stores what it
says, many leads at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from leadvibe.engine.decay import BEGINNING, Fading
from leadvibe.engine.engagement import Awarder
from leadvibe.engine.facts import EMPTY, Entry, Event, LeadState, Session
from leadvibe.engine.organic import MICRO_BURST, Judgement, Seen
from leadvibe.engine.replay import (
    Decay,
    History,
    LateEventError,
    Outcome,
    advance,
    reign_of,
    score_of,
)
from leadvibe.engine.rules import Config
from leadvibe.events import queries as event_queries
from leadvibe.events import service as events
from leadvibe.identity.types import Scope
from leadvibe.leads import queries as lead_queries
from leadvibe.leads import service as leads
from leadvibe.leads.types import LeadActivity
from leadvibe.scoring import lead_scores
from leadvibe.scoring import queries as score_queries
from leadvibe.scoring import service as scoring


class Standing(NamedTuple):
    """A lead before its next events: what the engine needs, and what lists count."""

    state: LeadState
    base_version: int
    last_event_type: str | None
    event_count: int
    session_count: int


NEW = Standing(EMPTY, base_version=0, last_event_type=None, event_count=0, session_count=0)


class Result(NamedTuple):
    """A lead after its events, with what was added on the way."""

    entries: list[Entry]
    sessions: list[Session]
    state: LeadState
    activity: LeadActivity
    decays: list[Decay]
    judgement: Judgement


def load_standings(scope: Scope, lead_ids: Sequence[str]) -> dict[str, Standing]:
    """Return where each lead stands; leads without events are NEW."""
    activities = lead_queries.load_activities(scope, lead_ids)
    known = [lead_id for lead_id, it in activities.items() if it.last_event_at is not None]
    scores = lead_scores.get_standings(scope, known)
    sessions = event_queries.open_sessions(scope, known)
    standings = dict.fromkeys(lead_ids, NEW)
    for lead_id, it in activities.items():
        if it.last_event_at is None:
            standings[lead_id] = NEW._replace(base_version=it.base_version)
            continue
        state = LeadState(
            scores.get(lead_id, {}),
            it.last_event_at,
            it.last_receipt,
            sessions.get(lead_id),
            it.surge_place,
            it.last_decay_at,
        )
        standings[lead_id] = Standing(
            state, it.base_version, it.last_event_type, it.event_count, it.session_count
        )
    return standings


class Scorer:
    """Scores leads of one unit, each event under its own config version.

    Given a `config`, everything is scored under that one instead, as if it had always been in
    force: what a rescore does, and what its preview shows.
    """

    def __init__(self, scope: Scope, *, config: Config | None = None) -> None:
        self._scope = scope
        self._is_bound = config is not None
        self._config = config or current_config(scope)
        self._histories: dict[int, History] = {}

    def score(
        self,
        lead_id: str,
        standing: Standing,
        events: Sequence[Event],
        *,
        past: Iterable[Seen] = (),
        until: datetime | None = None,
    ) -> Result:
        """Add events to a lead, and decay up to `until`.

        Raises LateEventError when history has to be gone over again: a counted event is older than
        what is counted already, or overturns what was said of an earlier one.
        """
        history = self.history(standing.base_version)
        outcome = advance(lead_id, standing.state, events, history, past=past, until=until)
        if outcome.judgement.overturns:
            raise LateEventError(f"a burst of {lead_id} took back what was counted before it")
        return Result(
            outcome.entries,
            outcome.sessions,
            outcome.state,
            self._activity(lead_id, standing, outcome),
            outcome.decays,
            outcome.judgement,
        )

    def history(self, base_version: int) -> History:
        """Return the configurations of a lead whose events are none older than the base version."""
        key = -1 if self._is_bound else base_version
        if key not in self._histories:
            self._histories[key] = self._bound() if self._is_bound else self._own(base_version)
        return self._histories[key]

    def _own(self, base_version: int) -> History:
        reigns = score_queries.list_reigns(self._scope)
        if base_version:
            base = score_queries.get_config(self._scope, base_version)
            later = (reign for reign in reigns if reign.version > base_version)
            reigns = [reign_of(base, BEGINNING), *later]
        return History(_Awarders(self._scope), Fading.of(reigns))

    def _bound(self) -> History:
        awarder = score_queries.compile_for(self._config)
        return History(_Always(awarder), Fading.of([reign_of(self._config, BEGINNING)]))

    def _activity(self, lead_id: str, standing: Standing, outcome: Outcome) -> LeadActivity:
        state = outcome.state
        headline = score_of(state.standings, self._config)
        counted = outcome.counted
        return LeadActivity(
            lead_id=lead_id,
            score=headline.score,
            ruleset_id=headline.ruleset_id,
            last_event_at=state.last_at,
            last_event_type=counted[-1].event_type if counted else standing.last_event_type,
            last_receipt=state.last_receipt,
            event_count=standing.event_count + len(counted),
            session_count=standing.session_count + _begun(standing.state, outcome.sessions),
            surge_place=state.surge_place,
            last_decay_at=state.last_decay_at,
            base_version=standing.base_version,
        )


class _Awarders(dict[int, Awarder]):
    """Config versions ready to score, loaded as events ask for them."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self._scope = scope

    def __missing__(self, version: int) -> Awarder:
        awarder = self[version] = score_queries.get_awarder(self._scope, version)
        return awarder


class _Always(dict[int, Awarder]):
    """One config, whichever version an event asks for."""

    def __init__(self, awarder: Awarder) -> None:
        super().__init__()
        self._awarder = awarder

    def __missing__(self, version: int) -> Awarder:
        return self._awarder


def current_config(scope: Scope) -> Config:
    """Return the configuration in force."""
    return score_queries.get_config(scope, score_queries.current_version(scope))


def _begun(before: LeadState, sessions: Sequence[Session]) -> int:
    """Count the sessions that are new: the first may be the open one, continued."""
    continued = (
        before.session is not None
        and bool(sessions)
        and sessions[0].started_at == before.session.started_at
    )
    return len(sessions) - continued


def load_past(scope: Scope, new: Mapping[str, Sequence[Event]]) -> dict[str, list[Seen]]:
    """Return, per lead, the stored events that velocity filters see beside the new ones.

    Filters of older versions see them too: those still say what counts of the events that came
    under them. Empty when none of any version names a type among the new events.
    """
    windows = score_queries.longest_windows(scope)
    if not windows:
        return {}
    since: dict[str, datetime] = {}
    depth = 2 * max(windows.values()) + MICRO_BURST
    for lead_id, some in new.items():
        times = [event.occurred_at for event in some if event.event_type in windows]
        if times:
            since[lead_id] = min(times) - min(depth, min(times) - BEGINNING)
    return event_queries.load_seen(scope, since, list(windows)) if since else {}


def is_overtaken(new: Iterable[Event], past: Sequence[Seen]) -> bool:
    """Say whether a stored event that filters see is later than a new one of its type."""
    latest: dict[str, tuple[datetime, int]] = {}
    for seen in past:
        at = (seen.event.occurred_at, seen.event.receipt)
        latest[seen.event.event_type] = max(at, latest.get(seen.event.event_type, at))
    return any(
        (event.occurred_at, event.receipt) < latest[event.event_type]
        for event in new
        if event.event_type in latest
    )


def add(
    scope: Scope,
    results: Mapping[str, Result],
    *,
    properties: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    now: datetime,
) -> None:
    """Store what was added to leads: ledger rows, decay, scores, sessions and last activity.

    And `properties` of some of them, which would otherwise have to be written after these.
    """
    if not results:
        return
    _append(scope, results, now=now)
    events.save_sessions(
        scope, ((lead, one) for lead, result in results.items() for one in result.sessions)
    )
    _save_heads(scope, results, properties, now=now)


def erase(scope: Scope, lead_ids: Sequence[str]) -> None:
    """Take away what `replace` will put another in the place of: ledger, scores and decay."""
    scoring.erase_ledger(scope, lead_ids)
    events.erase_decays(scope, lead_ids)


def replace(
    scope: Scope,
    results: Mapping[str, Result],
    *,
    sessions: Mapping[str, list[Session]],
    now: datetime,
) -> None:
    """Store what a replay from nothing came to, of leads that are erased but for `sessions`."""
    if not results:
        return
    _append(scope, results, now=now)
    _replace_sessions(scope, results, sessions)
    _save_heads(scope, results, {}, now=now)


def _replace_sessions(
    scope: Scope, results: Mapping[str, Result], stored: Mapping[str, list[Session]]
) -> None:
    """Store the sessions of leads that have others now: few replays change any."""
    changed = {
        lead_id: result.sessions
        for lead_id, result in results.items()
        if stored.get(lead_id, []) != result.sessions
    }
    if changed:
        events.replace_sessions(
            scope, list(changed), ((lead, one) for lead, some in changed.items() for one in some)
        )


def _append(scope: Scope, results: Mapping[str, Result], *, now: datetime) -> None:
    scoring.append_entries(scope, ((lead, result.entries) for lead, result in results.items()))
    decays = [(lead, one) for lead, result in results.items() for one in result.decays]
    if decays:
        events.store_decays(scope, decays, now=now)


def _save_heads(
    scope: Scope,
    results: Mapping[str, Result],
    properties: Mapping[str, Mapping[str, Any]],
    *,
    now: datetime,
) -> None:
    scoring.save_standings(
        scope,
        (
            (lead_id, ruleset_id, standing)
            for lead_id, result in results.items()
            for ruleset_id, standing in result.state.standings.items()
        ),
        now=now,
    )
    activities = [result.activity for result in results.values()]
    leads.record_activity(scope, activities, properties=properties, now=now)
