"""What the API does with triggers, the same for each kind but for what it answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from leadvibe.api.simulations import SimulationQuestion, SimulationResult, simulated
from leadvibe.engine.triggers import TriggerKind
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.triggers import queries, service
from leadvibe.triggers.types import Trigger

Item = TypeVar("Item")
Shown = Callable[[Scope, Trigger], Item]
"""What is answered of a trigger."""


def listed(principal: Principal, kind: TriggerKind, show: Shown[Item]) -> list[Item]:
    return [show(principal.scope, it) for it in queries.list_triggers(principal.scope, kind)]


def found(principal: Principal, kind: TriggerKind, trigger_id: UUID, show: Shown[Item]) -> Item:
    return show(principal.scope, queries.get_trigger(principal.scope, kind, trigger_id))


def created(
    principal: Principal, kind: TriggerKind, given: dict[str, Any], show: Shown[Item]
) -> Item:
    scope = principal.scope
    return show(scope, service.create_trigger(principal, scope, kind, given, now=utc_now()))


def changed(
    principal: Principal,
    kind: TriggerKind,
    trigger_id: UUID,
    given: dict[str, Any],
    show: Shown[Item],
) -> Item:
    scope = principal.scope
    trigger = service.update_trigger(principal, scope, kind, trigger_id, given, now=utc_now())
    return show(scope, trigger)


def deleted(principal: Principal, kind: TriggerKind, trigger_id: UUID) -> None:
    service.delete_trigger(principal.scope, kind, trigger_id)


def tried(
    principal: Principal, kind: TriggerKind, trigger_id: UUID, question: SimulationQuestion
) -> SimulationResult:
    trigger = queries.get_trigger(principal.scope, kind, trigger_id)
    return simulated(principal.scope, trigger, question)
