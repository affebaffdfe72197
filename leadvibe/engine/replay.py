"""A lead's events in; its ledger, sessions and scores out.

The same events end in the same state however they are batched: `advance` goes on from where a lead
stands, `replay` starts over, and an event older than what was counted (`is_late`) calls for the
latter. Does not read or store anything, and does not decide which events count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from leadvibe.engine.engagement import Awarder, award
from leadvibe.engine.facts import EMPTY, Entry, Event, LeadState, Session, Standing
from leadvibe.engine.rules import Config
from leadvibe.engine.sessions import group_sessions

_IN_ORDER = attrgetter("occurred_at", "receipt")


class LateEventError(ValueError):
    """An event older than the lead's last counted one reached advance: replay the lead instead."""


class Outcome(NamedTuple):
    """What scoring a run of events led to.

    `entries` are the ledger lines to add, in order; `sessions` those begun or continued, the first
    possibly being the one that was open before (same `started_at`).
    """

    state: LeadState
    entries: list[Entry]
    sessions: list[Session]


class Headline(NamedTuple):
    """The one score that stands for a lead, and the ruleset behind it (None while unscored)."""

    score: int
    ruleset_id: UUID | None


UNSCORED_HEADLINE = Headline(score=0, ruleset_id=None)


def is_late(state: LeadState, event: Event) -> bool:
    """Say whether the event comes before one that is counted already: the lead needs a replay."""
    return state.last_at is not None and (event.occurred_at, event.receipt) < (
        state.last_at,
        state.last_receipt,
    )


def advance(state: LeadState, events: Iterable[Event], configs: Mapping[int, Awarder]) -> Outcome:
    """Score the events that follow a state, each under the config version it carries.

    The events are put in order here; none may be late. Raises LateEventError for one that is, and
    KeyError for an event whose version is not among the configs.
    """
    ordered = sorted(events, key=_IN_ORDER)
    if not ordered:
        return Outcome(state, [], [])
    if is_late(state, ordered[0]):
        raise LateEventError(
            f"event {ordered[0].event_id} precedes one that is counted already: replay the lead"
        )
    # Plain tuples while the scores still move: one is made for every entry.
    running: dict[UUID, tuple[int, int]] = dict(state.standings)
    entries: list[Entry] = []
    for event in ordered:
        for entry in award(configs[event.version], event, running):
            running[entry.ruleset_id] = (entry.after, entry.seq)
            entries.append(entry)
    sessions = group_sessions(
        state.session,
        ((event.occurred_at, configs[event.version].session_timeout) for event in ordered),
    )
    standings = {ruleset_id: Standing(*standing) for ruleset_id, standing in running.items()}
    last = ordered[-1]
    reached = LeadState(standings, last.occurred_at, last.receipt, sessions[-1])
    return Outcome(reached, entries, sessions)


def replay(events: Iterable[Event], configs: Mapping[int, Awarder]) -> Outcome:
    """Score all of a lead's events from nothing, given in any order, as they were scored then."""
    return advance(EMPTY, events, configs)


def replay_as(events: Iterable[Event], awarder: Awarder) -> Outcome:
    """Score all of a lead's events from nothing under one version, whatever theirs were.

    The entries carry that version; the caller gives it to the events as well when it keeps them.
    """
    events = list(events)
    return replay(events, dict.fromkeys((event.version for event in events), awarder))


def score_of(standings: Mapping[UUID, Standing], config: Config) -> Headline:
    """Return the score that stands for the lead.

    It is the primary ruleset's, paused or not; without a primary, the highest across active
    rulesets; 0 where those have not scored the lead.
    """
    primary = config.find_primary()
    candidates = [primary] if primary else [it for it in config.rulesets if it.active]
    scored = (
        Headline(standings[ruleset.ruleset_id].score, ruleset.ruleset_id)
        for ruleset in candidates
        if ruleset.ruleset_id in standings
    )
    return max(scored, key=lambda headline: headline.score, default=UNSCORED_HEADLINE)
