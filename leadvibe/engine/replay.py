"""A lead's events in; its ledger, sessions and scores out.

The same events end in the same state however they are batched: `advance` goes on from where a lead
stands, `replay` starts over, and an event older than what was counted (`is_late`) calls for the
latter. Does not read or store anything, and does not decide which events count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple, TypeAlias
from uuid import UUID

from leadvibe.engine.decay import BEGINNING, Fading, Firing, Reign, event_id_of, take
from leadvibe.engine.engagement import Awarder, award
from leadvibe.engine.facts import EMPTY, Entry, EntryKind, Event, LeadState, Session, Standing
from leadvibe.engine.organic import NOTHING_SUPPRESSED, Judgement, Seen, judge
from leadvibe.engine.policies import PLAIN_PERCENT
from leadvibe.engine.rules import Config
from leadvibe.engine.sessions import group_sessions
from leadvibe.engine.surge import next_place

_IN_ORDER = attrgetter("occurred_at", "receipt")
_DECAY = EntryKind.DECAY.value

_Running: TypeAlias = dict[UUID, tuple[int, int]]
"""Score and seq by ruleset: plain tuples while they still move, for each entry makes one."""


class LateEventError(ValueError):
    """A counted event reached advance that precedes what is counted already: replay instead."""


class History(NamedTuple):
    """The configurations that events and inactivity are scored under."""

    awarders: Mapping[int, Awarder]
    fading: Fading = Fading()


class Decay(NamedTuple):
    """An event that decay wrote: what a rule took, and when."""

    event_id: UUID
    occurred_at: datetime
    version: int
    decay_id: UUID
    decrease: int


class Outcome(NamedTuple):
    """What scoring a run of events led to.

    `entries` are the ledger lines to add, in order, and `decays` the events behind those of decay;
    `sessions` those begun or continued, the first possibly being the one that was open before (same
    `started_at`). `counted` are the events that counted, in order; `judgement` says why others did
    not, and whether an event counted earlier does not any more.
    """

    state: LeadState
    entries: list[Entry]
    sessions: list[Session]
    counted: Sequence[Event]
    decays: list[Decay]
    judgement: Judgement


class Headline(NamedTuple):
    """The one score that stands for a lead, and the ruleset behind it (None while unscored)."""

    score: int
    ruleset_id: UUID | None


UNSCORED_HEADLINE = Headline(score=0, ruleset_id=None)


def is_late(state: LeadState, event: Event) -> bool:
    """Say whether a counted event comes before something that is counted already."""
    if state.last_at is None:
        return False
    if state.last_decay_at is not None and event.occurred_at < state.last_decay_at:
        return True
    return (event.occurred_at, event.receipt) < (state.last_at, state.last_receipt)


def advance(
    lead_id: str,
    state: LeadState,
    events: Iterable[Event],
    history: History,
    *,
    past: Iterable[Seen] = (),
    until: datetime | None = None,
) -> Outcome:
    """Score the events that follow a state, each under the config version it carries.

    The events are put in order here. `past` is what engine.organic.judge needs to know of the ones
    before them. Decay is settled up to the last counted event, and up to `until` when that is
    given. Raises LateEventError when a counted event is late, KeyError for an unknown version.
    """
    awarders, fading = history
    judgement = _judge(events := list(events), past, awarders)
    counted = _counted(events, judgement, awarders)
    if counted and is_late(state, counted[0]):
        raise LateEventError(
            f"event {counted[0].event_id} precedes one that is counted already: replay the lead"
        )
    running: _Running = dict(state.standings)
    entries: list[Entry] = []
    decays: list[Decay] = []
    _, last_at, last_receipt, session, place, decayed_at = state
    for event in counted:
        _, _, at, last_receipt, version, _, _ = event
        awarder = awarders[version]
        if last_at is not None and at - last_at >= fading.shortest:
            firings = fading.firings(last_at, after=decayed_at, until=at, version=awarder.version)
            _fade(lead_id, firings, running, entries, decays)
        place = next_place(place, last_at, at, awarder.idle_reset)
        for entry in award(awarder, event, running, awarder.multiplier(place)):
            running[entry.ruleset_id] = (entry.after, entry.seq)
            entries.append(entry)
        last_at, decayed_at = at, None
    if until is not None and last_at is not None and until - last_at >= fading.shortest:
        firings = fading.firings(last_at, after=decayed_at, until=until)
        decayed_at = _fade(lead_id, firings, running, entries, decays) or decayed_at
    sessions = group_sessions(
        session, ((event.occurred_at, awarders[event.version].session_timeout) for event in counted)
    )
    standings = {ruleset_id: Standing(*standing) for ruleset_id, standing in running.items()}
    open_session = sessions[-1] if sessions else session
    reached = LeadState(standings, last_at, last_receipt, open_session, place, decayed_at)
    return Outcome(reached, entries, sessions, counted, decays, judgement)


def replay(
    lead_id: str, events: Iterable[Event], history: History, *, until: datetime | None = None
) -> Outcome:
    """Score all of a lead's events from nothing, given in any order, as they were scored then."""
    return advance(lead_id, EMPTY, events, history, until=until)


def history_under(config: Config, awarder: Awarder, events: Iterable[Event]) -> History:
    """Return a history in which one version has always been in force, whatever the events' own.

    Entries carry that version; the caller gives it to the events as well when it keeps them.
    """
    awarders = dict.fromkeys((event.version for event in events), awarder)
    return History(awarders, Fading.of([reign_of(config, BEGINNING)]))


def reign_of(config: Config, starts_at: datetime) -> Reign:
    """Return what a config says about decay, in force from an instant on."""
    has_floor = not config.allow_negative_scores
    return Reign(config.version, starts_at, config.policies.decays, has_floor)


def score_of(standings: Mapping[UUID, Standing], config: Config) -> Headline:
    """Return the score that stands for the lead.

    It is the primary ruleset's, paused or not; without a primary, the highest across active
    rulesets, of which those that have not scored the lead say 0.
    """
    primary = config.find_primary()
    candidates = [primary] if primary else [it for it in config.rulesets if it.active]
    scored = [
        Headline(standings[ruleset.ruleset_id].score, ruleset.ruleset_id)
        for ruleset in candidates
        if ruleset.ruleset_id in standings
    ]
    highest = max(scored, key=lambda headline: headline.score, default=UNSCORED_HEADLINE)
    is_any_silent = len(scored) < len(candidates)
    return UNSCORED_HEADLINE if is_any_silent and highest.score < 0 else highest


def _judge(
    events: Sequence[Event], past: Iterable[Seen], awarders: Mapping[int, Awarder]
) -> Judgement:
    versions = {event.version for event in events}
    if not any(awarders[it].velocity_filters or awarders[it].metadata_test for it in versions):
        return NOTHING_SUPPRESSED
    return judge(events, past, lambda version: awarders[version].velocity_filters)


def _counted(
    events: Iterable[Event], judgement: Judgement, awarders: Mapping[int, Awarder]
) -> list[Event]:
    reasons = judgement.reasons
    return sorted(
        (
            event
            for event in events
            if event.receipt not in reasons
            and event.event_type not in awarders[event.version].uncounted
        ),
        key=_IN_ORDER,
    )


def _fade(
    lead_id: str,
    firings: Iterable[Firing],
    running: _Running,
    entries: list[Entry],
    decays: list[Decay],
) -> datetime | None:
    """Take what is due from every ruleset that has points; return when the last was taken."""
    last: datetime | None = None
    for firing in firings:
        if not any(score for score, _ in running.values()):
            break  # there is nothing to take, and there will not be
        taken = [*_take(firing, event_id_of(firing, lead_id), running)]
        if taken:
            last = firing.at
            at, rule, version, _ = firing
            decays.append(Decay(taken[0].event_id, at, version, rule.decay_id, rule.decrease))
            entries += taken
    return last


def _take(firing: Firing, event_id: UUID, running: _Running) -> Iterable[Entry]:
    at, rule, version, _ = firing
    for ruleset_id in sorted(running):
        before, seq = running[ruleset_id]
        after = take(firing, before)
        if before in {after, 0}:
            continue
        running[ruleset_id] = (after, seq + 1)
        yield Entry(
            ruleset_id, seq + 1, event_id, rule.decay_id, version, _DECAY,
            -rule.decrease, PLAIN_PERCENT, before, after - before, after, at,
        )  # fmt: skip
