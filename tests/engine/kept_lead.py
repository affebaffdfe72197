"""A lead as the pipeline keeps it, but in memory: the decisions of leadvibe.pipeline.process."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from leadvibe.engine.facts import EMPTY, Entry, Event, LeadState, Session
from leadvibe.engine.organic import MICRO_BURST, Seen
from leadvibe.engine.replay import Decay, History, LateEventError, Outcome, advance, replay
from leadvibe.pipeline.scorebook import is_overtaken

from .strategies import Versions

LEAD_ID = "ana"


class KeptLead:
    """What is stored of a lead. New events are judged beside the past; history is gone over again
    when they are late, or come before something that filters saw, or overturn what counted.
    """

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self._events: list[Event] = []
        self.state: LeadState = EMPTY
        self.entries: list[Entry] = []
        self.sessions: dict[datetime, Session] = {}
        self.decays: list[Decay] = []
        self.reasons: dict[int, str] = {}
        self.folded: set[int] = set()

    def receive(self, now: datetime, batch: Sequence[Event]) -> None:
        """Score events that came in; without any, settle what decay has taken by now."""
        history = self._versions.history(known_at=now)
        outcome = self._go_on(history, now, batch)
        self._events += batch
        if outcome is None:
            self._forget()
            outcome = replay(LEAD_ID, self._events, history, until=now)
        self._store(outcome)

    def _go_on(self, history: History, now: datetime, batch: Sequence[Event]) -> Outcome | None:
        past = self._past(batch)
        if is_overtaken(batch, past):
            return None
        until = None if batch else now
        try:
            outcome = advance(LEAD_ID, self.state, batch, history, past=past, until=until)
        except LateEventError:
            return None
        return None if outcome.judgement.overturns else outcome

    def _past(self, batch: Sequence[Event]) -> list[Seen]:
        """Return no more of the past than the pipeline loads."""
        filters = [
            it
            for config in self._versions.configs.values()
            for it in config.policies.velocity_filters
        ]
        watched = {it.event_type for it in filters}
        times = [event.occurred_at for event in batch if event.event_type in watched]
        if not times:
            return []
        since = min(times) - 2 * max(it.window for it in filters) - MICRO_BURST
        return [
            Seen(event, self.reasons.get(event.receipt), event.receipt not in self.folded)
            for event in self._events
            if event.event_type in watched and event.occurred_at > since
        ]

    def _forget(self) -> None:
        self.state, self.entries, self.sessions, self.decays = EMPTY, [], {}, []
        self.reasons, self.folded = {}, set()

    def _store(self, outcome: Outcome) -> None:
        self.state = outcome.state
        self.entries += outcome.entries
        self.sessions |= {session.started_at: session for session in outcome.sessions}
        self.decays += outcome.decays
        self.reasons |= outcome.judgement.reasons
        self.folded |= set(outcome.judgement.folded)
