"""Triggers of a batch: which of its events make which of them fire, decided when all is stored.

Only what came in with the batch fires anything: a rescore, a replay, a merge or a quiet import
changes scores as well, and is no news. What a late event does to a score is what the lead's score
was before the batch and is after it; where leads were merged, only what the event itself did.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from leadvibe.engine.crossings import Step, steps_of
from leadvibe.engine.facts import Entry, Standing
from leadvibe.engine.firing import Key, Memory, choose
from leadvibe.engine.patterns import Act, find_firings
from leadvibe.engine.policies import SYSTEM_TYPES, Reach
from leadvibe.engine.rules import Config
from leadvibe.engine.triggers import ANY_TYPE, Filters, Milestone, types_of, window_of
from leadvibe.events.acts import load_acts
from leadvibe.events.usage import SAMPLE_SOURCE
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver, is_outage, session
from leadvibe.lib.queue import JobQueue
from leadvibe.notifications.deliveries import ring_for_deliveries
from leadvibe.pipeline.claims import Claim
from leadvibe.pipeline.falls import find_falls, rulesets_of, watching_falls
from leadvibe.pipeline.scorebook import Result
from leadvibe.scoring import lead_scores
from leadvibe.triggers import queries
from leadvibe.triggers.emitting import emit
from leadvibe.triggers.filtering import passing
from leadvibe.triggers.firings import Firing, details_of
from leadvibe.triggers.memory import load_memories
from leadvibe.triggers.types import Trigger

_log = logging.getLogger(__name__)
_KEY = attrgetter("key")
_NO_FILTERS = Filters()


class Heard(NamedTuple):
    """An event of the batch that triggers may hear."""

    event_id: UUID
    lead_id: str
    event_type: str
    occurred_at: datetime
    receipt: int
    received_at: datetime
    channel: str
    is_sample: bool
    """Of the sample: it makes the sample's own triggers fire, and nobody is told."""

    @property
    def key(self) -> Key:
        return self.occurred_at, self.receipt


class Rise(NamedTuple):
    """A score that an event took to a milestone."""

    cause: Heard
    score: int

    @property
    def key(self) -> Key:
        return self.cause.key


class Watch:
    """What triggers look out for in one batch. Costs one read where there are none."""

    def __init__(self, scope: Scope, config: Config) -> None:
        self._scope = scope
        self._config = config
        self._triggers = queries.list_active_triggers(scope)
        self._unheard = unheard_types(config)
        self._heard: dict[str, list[Heard]] = {}
        self._scored: Mapping[str, Result] = {}
        self._before: dict[str, Mapping[UUID, Standing]] = {}
        self._merged: Collection[str] = ()

    def note(
        self,
        claims: Sequence[Claim],
        lead_ids: Sequence[str | None],
        scored: Mapping[str, Result],
        *,
        suppressed: Collection[int],
        replayed: Collection[str],
        merged: Collection[str],
    ) -> None:
        """Take note of the batch, before leads whose history changes are replayed."""
        if not self._triggers:
            return
        heard: defaultdict[str, list[Heard]] = defaultdict(list)
        for claim, lead_id in zip(claims, lead_ids, strict=True):
            if lead_id is None or claim.is_quiet or claim.is_mute:
                continue
            is_suppressed = claim.arrival.receipt in suppressed and lead_id in scored
            if claim.event_type not in self._unheard and not is_suppressed:
                heard[lead_id].append(_hear(claim, lead_id))
        self._heard, self._scored, self._merged = dict(heard), scored, merged
        late = [it for it in replayed if it in heard]
        self._before = {**lead_scores.get_standings(self._scope, late)} if late else {}

    def fire(self, queue: JobQueue | None, *, now: datetime) -> Sequence[Firing]:
        """Emit what fires, with its deliveries, and have them sent after the commit.

        A fault of ours in here must not keep events from being scored: it is logged.
        """
        if not self._heard:
            return ()
        try:
            with session().begin_nested():
                firings = self._find(now=now)
                posted = emit(self._scope, firings, self._config, now=now) if firings else 0
        except Exception as error:
            if is_outage(error):
                raise
            _log.exception("triggers of unit %s could not be tested", self._scope.unit_id)
            return ()
        if posted and queue is not None:
            ring_for_deliveries(queue)
        return firings

    def _find(self, *, now: datetime) -> list[Firing]:
        self._drop_suppressed()
        rises = self._rises()
        shaped = self._shaped()
        wanted = {lead for leads in rises.values() for lead in leads}
        wanted |= {lead for leads in shaped.values() for lead in leads}
        ids = [it.trigger_id for it in self._triggers]
        memories = load_memories(self._scope, ids, wanted) if wanted else {}
        found = [*self._milestones(rises, memories), *self._shapes(shaped, memories)]
        firings = [*self._filtered(found), *self._falls(now)]
        return sorted(firings, key=_KEY)

    def _drop_suppressed(self) -> None:
        """Forget events of replayed leads that do not count: only the replay has told."""
        replayed = {it: some for it, some in self._heard.items() if it not in self._scored}
        if not replayed:
            return
        ids = [it.event_id for some in replayed.values() for it in some]
        rows = driver().execute(
            "SELECT event_id FROM events WHERE unit_id = %s AND event_id = ANY(%s)"
            " AND suppression_reason IS NULL",
            (self._scope.unit_id, ids),
        )
        counted = {event_id for (event_id,) in rows}
        kept = {
            lead_id: [it for it in some if it.event_id in counted]
            for lead_id, some in replayed.items()
        }
        self._heard = {it: some for it, some in (self._heard | kept).items() if some}

    # Milestones

    def _rises(self) -> dict[UUID, dict[str, list[Rise]]]:
        """Return by trigger and lead the rises that a milestone is reached with."""
        milestones = [it for it in self._triggers if isinstance(it.shape, Milestone)]
        if not milestones:
            return {}
        steps = self._steps()
        found: dict[UUID, dict[str, list[Rise]]] = {}
        for trigger in milestones:
            rises = {
                lead_id: some
                for lead_id, of in steps.items()
                if (some := sorted(self._reached(trigger, lead_id, of), key=_KEY))
            }
            if rises:
                found[trigger.trigger_id] = rises
        return found

    def _reached(
        self, trigger: Trigger, lead_id: str, steps: Mapping[UUID, Sequence[Step]]
    ) -> Iterator[Rise]:
        shape = trigger.shape
        assert isinstance(shape, Milestone)
        for ruleset_id in rulesets_of(shape, self._config):
            for step in steps.get(ruleset_id, ()):
                if not step.reaches(shape.score_threshold):
                    continue
                events = (it for it in self._heard[lead_id] if it.event_id == step.event_id)
                cause = next(events, None)
                if (
                    cause is not None
                    and is_heard_by(trigger, cause)
                    and shape.event_type in (ANY_TYPE, cause.event_type)
                ):
                    yield Rise(cause, step.after)

    def _steps(self) -> dict[str, dict[UUID, list[Step]]]:
        """Return by lead and ruleset what the batch's events did to scores."""
        steps = {
            lead_id: _by_ruleset(self._scored[lead_id].entries)
            for lead_id in self._heard
            if lead_id in self._scored
        }
        replayed = [it for it in self._heard if it not in steps]
        if replayed:
            steps |= self._replayed_steps(replayed)
        return steps

    def _replayed_steps(self, lead_ids: Sequence[str]) -> dict[str, dict[UUID, list[Step]]]:
        after = lead_scores.get_standings(self._scope, lead_ids)
        merged = [it for it in lead_ids if it in self._merged]
        written = self._written_steps(merged) if merged else {}
        steps: dict[str, dict[UUID, list[Step]]] = {}
        for lead_id in lead_ids:
            now = after.get(lead_id, {})
            if lead_id in self._merged:
                # A step that does not show in the score of today is none to tell of.
                steps[lead_id] = {
                    ruleset_id: [_capped(step, _score(now, ruleset_id)) for step in of]
                    for ruleset_id, of in written.get(lead_id, {}).items()
                }
                continue
            then, latest = self._before.get(lead_id, {}), max(self._heard[lead_id], key=_KEY)
            steps[lead_id] = {
                ruleset_id: [
                    Step(latest.event_id, _score(then, ruleset_id), _score(now, ruleset_id))
                ]
                for ruleset_id in now
            }
        return steps

    def _written_steps(self, lead_ids: Sequence[str]) -> dict[str, dict[UUID, list[Step]]]:
        """Read what the batch's events did to scores from the ledger."""
        ids = [it.event_id for lead_id in lead_ids for it in self._heard[lead_id]]
        ledger = lead_scores.list_ledger(self._scope, lead_ids)
        wanted = set(ids)
        return {
            lead_id: _by_ruleset(it for it in entries if it.event_id in wanted)
            for lead_id, entries in ledger.items()
        }

    def _milestones(
        self,
        rises: Mapping[UUID, Mapping[str, Sequence[Rise]]],
        memories: Mapping[tuple[UUID, str], Memory],
    ) -> Iterator[Firing]:
        for trigger in self._triggers:
            for lead_id, some in rises.get(trigger.trigger_id, {}).items():
                memory = memories.get((trigger.trigger_id, lead_id))
                for rise in choose(some, trigger.pace, memory):
                    yield _firing(trigger, rise.cause, rise.key, score=rise.score)

    def _falls(self, now: datetime) -> Iterator[Firing]:
        if triggers := watching_falls(self._triggers):
            heard = {
                lead_id: self._scored[lead_id]
                for lead_id, some in self._heard.items()
                if lead_id in self._scored and not all(it.is_sample for it in some)
            }
            types = {it.event_id: it.event_type for some in self._heard.values() for it in some}
            yield from find_falls(self._scope, self._config, triggers, heard, types=types, now=now)

    # Sequences, patterns and surges

    def _shaped(self) -> dict[UUID, list[str]]:
        """Return by trigger the leads that did something which takes part in its shape."""
        wanted: dict[UUID, list[str]] = {}
        for trigger in self._triggers:
            if isinstance(trigger.shape, Milestone):
                continue
            types = types_of(trigger.shape)
            leads = [
                lead_id
                for lead_id, some in self._heard.items()
                if any(
                    is_heard_by(trigger, it) and not types.isdisjoint((ANY_TYPE, it.event_type))
                    for it in some
                )
            ]
            if leads:
                wanted[trigger.trigger_id] = leads
        return wanted

    def _shapes(
        self,
        shaped: Mapping[UUID, Sequence[str]],
        memories: Mapping[tuple[UUID, str], Memory],
    ) -> Iterator[Firing]:
        triggers = [it for it in self._triggers if it.trigger_id in shaped]
        if not triggers:
            return
        acts = self._acts(triggers, shaped)
        heard = [it for some in self._heard.values() for it in some]
        oldest, has_samples = min(it.received_at for it in heard), any(it.is_sample for it in heard)
        for trigger in triggers:
            is_older = trigger.created_at <= oldest
            hears_all = is_older and not has_samples  # as nearly always
            for lead_id in shaped[trigger.trigger_id]:
                memory = memories.get((trigger.trigger_id, lead_id))
                seen = acts.get(lead_id, [])
                if not hears_all:
                    seen = self._seen_by(trigger, lead_id, seen)
                for match in find_firings(trigger.shape, seen, trigger.pace, memory):
                    cause = self._event(lead_id, match.cause.event_id)
                    yield _firing(trigger, cause, match.key, details=details_of(match))

    def _seen_by(self, trigger: Trigger, lead_id: str, acts: Sequence[Act]) -> list[Act]:
        """Return a lead's acts, of which those are new that came in since the trigger is there."""
        known = {it.event_id for it in self._heard[lead_id] if is_heard_by(trigger, it)}
        return [act._replace(is_new=act.event_id in known) for act in acts]

    def _event(self, lead_id: str, event_id: UUID) -> Heard:
        return next(it for it in self._heard[lead_id] if it.event_id == event_id)

    def _acts(
        self, triggers: Sequence[Trigger], shaped: Mapping[UUID, Sequence[str]]
    ) -> dict[str, list[Act]]:
        window = max(window_of(it.shape) for it in triggers)
        types = frozenset[str]().union(*(types_of(it.shape) for it in triggers))
        leads = {lead_id for some in shaped.values() for lead_id in some}
        first = {lead_id: min(it.occurred_at for it in self._heard[lead_id]) for lead_id in leads}
        return load_acts(
            self._scope,
            {lead_id: at - window for lead_id, at in first.items()},
            types=None if ANY_TYPE in types else types,
            unheard=self._unheard,
            new=[it.event_id for lead_id in leads for it in self._heard[lead_id]],
        )

    def _filtered(self, firings: Sequence[Firing]) -> Iterator[Firing]:
        """Leave out leads that a trigger's filters do not let through."""
        by_trigger: defaultdict[UUID, list[Firing]] = defaultdict(list)
        for firing in firings:
            by_trigger[firing.trigger.trigger_id].append(firing)
        for some in by_trigger.values():
            filters = some[0].trigger.filters
            if filters == _NO_FILTERS:
                yield from some
                continue
            passed = passing(self._scope, filters, {it.lead_id for it in some})
            yield from (it for it in some if it.lead_id in passed)


def unheard_types(config: Config) -> frozenset[str]:
    """Return the event types that no trigger hears: hidden ones, and those held back."""
    decided = config.policies.event_types.items()
    return SYSTEM_TYPES.union(
        name for name, it in decided if it.hidden or it.reach is not Reach.ACTIVATE
    )


def is_heard_by(trigger: Trigger, event: Heard) -> bool:
    """Say whether an event came in since the trigger is there, and is not made up for another."""
    is_for_it = not event.is_sample or trigger.created_by == SAMPLE_SOURCE
    return is_for_it and event.received_at >= trigger.created_at


def _hear(claim: Claim, lead_id: str) -> Heard:
    arrival = claim.arrival
    return Heard(
        arrival.event_id, lead_id, claim.event_type, claim.occurred_at, arrival.receipt,
        arrival.received_at, claim.channel, arrival.source == SAMPLE_SOURCE,
    )  # fmt: skip


def _firing(
    trigger: Trigger,
    cause: Heard,
    key: Key,
    *,
    score: int | None = None,
    details: dict[str, object] | None = None,
) -> Firing:
    return Firing(
        trigger=trigger,
        lead_id=cause.lead_id,
        cause_id=cause.event_id,
        event_type=cause.event_type,
        occurred_at=cause.occurred_at,
        received_at=cause.received_at,
        channel=cause.channel,
        key=key,
        score=score,
        details=details or {},
        is_told=not cause.is_sample,
    )


def _by_ruleset(entries: Iterable[Entry]) -> dict[UUID, list[Step]]:
    sorted_out: defaultdict[UUID, list[Entry]] = defaultdict(list)
    for entry in entries:
        sorted_out[entry.ruleset_id].append(entry)
    return {ruleset_id: list(steps_of(some)) for ruleset_id, some in sorted_out.items()}


def _capped(step: Step, score: int) -> Step:
    return step._replace(after=min(step.after, score))


def _score(standings: Mapping[UUID, Standing], ruleset_id: UUID) -> int:
    standing = standings.get(ruleset_id)
    return standing.score if standing else 0
