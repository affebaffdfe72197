"""What a batch tells whoever watches the unit: new events, scores that have moved, and surges.

Costs nothing while nobody watches, and next to nothing otherwise: of a large batch only what came
last is told, with a sign that there was more. Leaves after the commit, and only then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Protocol
from uuid import UUID

from leadvibe.engine.facts import Entry, Standing
from leadvibe.engine.rules import Config
from leadvibe.engine.triggers import TriggerKind
from leadvibe.events.types import InboxEvent
from leadvibe.identity.types import Scope
from leadvibe.lib.db import after_commit
from leadvibe.lib.radio import Audience, Message
from leadvibe.metrics import live
from leadvibe.pipeline.scorebook import Result
from leadvibe.scoring import lead_scores
from leadvibe.triggers.firings import Firing

MOST_MESSAGES = 100
"""Of each kind in one batch: more than anybody can watch go by."""

Move = tuple[str, UUID, int, int]
"""A lead, a ruleset, the points it gained or lost there, and its score afterwards."""


class Happening(Protocol):
    """An event of the batch, as far as it is told."""

    @property
    def arrival(self) -> InboxEvent: ...
    @property
    def event_type(self) -> str: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def channel(self) -> str: ...
    @property
    def is_filtered(self) -> bool: ...


class News:
    """The news of one batch."""

    def __init__(self, audience: Audience | None, scope: Scope) -> None:
        self._scope = scope
        self._topic = live.topic_of(scope)
        is_wanted = audience is not None and audience.is_listening(self._topic)
        self._audience = audience if is_wanted else None
        self._events: list[tuple[str, Happening]] = []
        self._moves: list[Move] = []
        self._replayed: dict[str, Mapping[UUID, Standing]] = {}
        self._surges: list[Firing] = []
        self._has_more = False

    def note_firings(self, firings: Sequence[Firing]) -> None:
        """Take note of the triggers that fired: surges are told."""
        if self._audience is not None:
            surges = [it for it in firings if it.trigger.kind is TriggerKind.SURGE]
            self._surges = surges[-MOST_MESSAGES:]

    def note(
        self,
        claims: Sequence[Happening],
        lead_ids: Sequence[str | None],
        scored: dict[str, Result],
        *,
        suppressed: Collection[int],
        replayed: Collection[str],
    ) -> None:
        """Take note of what happened, before the leads whose history changes are replayed."""
        if self._audience is None:
            return
        pairs = zip(reversed(lead_ids), reversed(claims), strict=True)
        counted = (
            (lead_id, claim)
            for lead_id, claim in pairs
            if lead_id is not None
            and not claim.is_filtered
            and claim.arrival.receipt not in suppressed
        )
        self._events = list(islice(counted, MOST_MESSAGES))[::-1]
        latest = [(it, scored[it]) for it in islice(reversed(scored), MOST_MESSAGES)][::-1]
        self._moves = list(_moves(latest))
        watched = sorted(replayed)[:MOST_MESSAGES]
        before = lead_scores.get_standings(self._scope, watched) if watched else {}
        self._replayed = {lead_id: before.get(lead_id, {}) for lead_id in watched}
        self._has_more = max(len(claims), len(scored), len(replayed)) > MOST_MESSAGES

    def leave_after_commit(self, config: Config) -> None:
        """Tell it once the batch is committed, without the types that the unit hides."""
        audience = self._audience
        if audience is None:
            return
        messages = [*self._told_events(config), *self._told_moves(), *map(_surge, self._surges)]
        if self._has_more:
            messages.append(live.GAP)
        if messages:
            # A batch that was halved has several parts, each with its own news.
            name = f"tell of {messages[0].body}"
            after_commit(name, lambda: audience.tell(self._topic, messages))

    def _told_events(self, config: Config) -> Iterator[Message]:
        hidden = {name for name, it in config.policies.event_types.items() if it.hidden}
        for lead_id, claim in self._events:
            if claim.event_type not in hidden:
                yield live.new_event(
                    event_id=claim.arrival.event_id,
                    lead_id=lead_id,
                    event_type=claim.event_type,
                    occurred_at=claim.occurred_at,
                    channel=claim.channel,
                )

    def _told_moves(self) -> Iterator[Message]:
        moves = [*self._moves, *self._moved_by_replay()]
        if len(moves) > MOST_MESSAGES:
            moves = moves[-MOST_MESSAGES:]
            self._has_more = True
        for lead_id, ruleset_id, delta, score in moves:
            yield live.score_update(
                lead_id=lead_id, ruleset_id=ruleset_id, delta=delta, score=score
            )

    def _moved_by_replay(self) -> Iterator[Move]:
        leads = list(self._replayed)
        after = lead_scores.get_standings(self._scope, leads) if leads else {}
        for lead_id, then in self._replayed.items():
            now = after.get(lead_id, {})
            for ruleset_id in sorted(then.keys() | now.keys()):
                score, old = _score(now, ruleset_id), _score(then, ruleset_id)
                if score != old:
                    yield lead_id, ruleset_id, score - old, score


def _surge(firing: Firing) -> Message:
    return live.surge(
        lead_id=firing.lead_id,
        trigger_id=firing.trigger.trigger_id,
        name=firing.trigger.name,
        event_type=firing.event_type,
        at=firing.occurred_at,
    )


def _moves(scored: Sequence[tuple[str, Result]]) -> Iterator[Move]:
    """Yield each ledger entry, or the sum for each lead and ruleset when there are many."""
    if sum(len(result.entries) for _, result in scored) <= MOST_MESSAGES:
        for lead_id, result in scored:
            for entry in result.entries:
                yield lead_id, entry.ruleset_id, entry.delta, entry.after
        return
    for lead_id, result in scored:
        for ruleset_id, (delta, score) in _sums(result.entries).items():
            yield lead_id, ruleset_id, delta, score


def _sums(entries: Sequence[Entry]) -> dict[UUID, tuple[int, int]]:
    sums: dict[UUID, tuple[int, int]] = {}
    for entry in entries:
        delta, _ = sums.get(entry.ruleset_id, (0, 0))
        sums[entry.ruleset_id] = (delta + entry.delta, entry.after)
    return sums


def _score(standings: Mapping[UUID, Standing], ruleset_id: UUID) -> int:
    standing = standings.get(ruleset_id)
    return standing.score if standing else 0
