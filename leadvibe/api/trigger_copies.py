"""Copies of triggers, of any kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from leadvibe.api.fields import Named
from leadvibe.api.trigger_fields import TriggerId
from leadvibe.engine.triggers import TriggerKind
from leadvibe.identity.types import Principal
from leadvibe.lib.clock import utc_now
from leadvibe.triggers import service

TriggerKindName = Annotated[TriggerKind, Named("trigger kind")]


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerCopy:
    """The trigger that was made. It is listed among those of its kind, with all that it holds."""

    trigger_id: UUID
    kind: TriggerKind
    name: str
    active: bool


def copy_trigger(principal: Principal, kind: TriggerKindName, trigger_id: TriggerId) -> TriggerCopy:
    """Make a trigger as another is, with a name of its own; it is inactive at first."""
    made = service.copy_trigger(principal, principal.scope, kind, trigger_id, now=utc_now())
    return TriggerCopy(
        trigger_id=made.trigger_id, kind=made.kind, name=made.name, active=made.active
    )
