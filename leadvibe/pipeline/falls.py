"""Scores that fell below a milestone which they had reached: news for the lead's owner alone.

Of what a batch or decay did to a score, only where it ended counts: one that is back above the
milestone by then has not left it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from leadvibe.engine.facts import Entry
from leadvibe.engine.policies import DECAY_TYPE
from leadvibe.engine.rules import Config
from leadvibe.engine.triggers import Milestone
from leadvibe.events.channels import SYSTEM_CHANNEL
from leadvibe.identity.types import Scope
from leadvibe.lib.queue import JobQueue
from leadvibe.notifications.deliveries import ring_for_deliveries
from leadvibe.notifications.types import Happening
from leadvibe.pipeline.scorebook import Result, current_config
from leadvibe.triggers.emitting import emit
from leadvibe.triggers.firings import Firing
from leadvibe.triggers.memory import load_memories
from leadvibe.triggers.queries import list_active_triggers
from leadvibe.triggers.types import Trigger


def tell_of_decay(
    scope: Scope, results: Mapping[str, Result], *, queue: JobQueue | None, now: datetime
) -> None:
    """Emit what decay made fall, with its deliveries."""
    triggers = watching_falls(list_active_triggers(scope)) if results else []
    if not triggers:
        return
    config = current_config(scope)
    firings = list(find_falls(scope, config, triggers, results, now=now))
    if firings and emit(scope, firings, config, now=now) and queue is not None:
        ring_for_deliveries(queue)


def watching_falls(triggers: Sequence[Trigger]) -> list[Trigger]:
    """Return the triggers that somebody is told of when a score leaves their milestone."""
    return [it for it in triggers if isinstance(it.shape, Milestone) and it.recipients.notify_owner]


def rulesets_of(shape: Milestone, config: Config) -> list[UUID]:
    """Return the ruleset a milestone is about; without a primary one, any that is active."""
    if shape.ruleset_id is not None:
        return [shape.ruleset_id]
    active = [it for it in config.rulesets if it.active]
    primary = [it.ruleset_id for it in active if it.is_primary]
    return primary or [it.ruleset_id for it in active]


def find_falls(
    scope: Scope,
    config: Config,
    triggers: Sequence[Trigger],
    results: Mapping[str, Result],
    *,
    types: Mapping[UUID, str] = MappingProxyType({}),
    now: datetime,
) -> Iterator[Firing]:
    """Yield the milestones that scores have left, of leads that their triggers fired for.

    `types` are those of the events behind it; what is not among them was decay.
    """
    fallen = [
        (trigger, lead_id, last)
        for trigger in triggers
        for lead_id, result in results.items()
        if (last := _last_of_fall(trigger, result.entries, config)) is not None
    ]
    if not fallen:
        return
    leads = {lead_id for _, lead_id, _ in fallen}
    known: Collection[tuple[UUID, str]] = load_memories(
        scope, [it.trigger_id for it in triggers], leads
    )
    for trigger, lead_id, last in fallen:
        if (trigger.trigger_id, lead_id) in known:
            yield Firing(
                trigger=trigger,
                happening=Happening.MILESTONE_EXITED,
                lead_id=lead_id,
                cause_id=last.event_id,
                event_type=types.get(last.event_id, DECAY_TYPE),
                occurred_at=last.occurred_at,
                received_at=now,
                channel=SYSTEM_CHANNEL,
                key=(last.occurred_at, 0),
                score=last.after,
            )


def _last_of_fall(trigger: Trigger, entries: Sequence[Entry], config: Config) -> Entry | None:
    """Return the ledger's last entry when the score came from the threshold to below it."""
    shape = trigger.shape
    assert isinstance(shape, Milestone)
    for ruleset_id in rulesets_of(shape, config):
        own = [it for it in entries if it.ruleset_id == ruleset_id]
        if own and own[-1].after < shape.score_threshold <= own[0].before:
            return own[-1]
    return None
