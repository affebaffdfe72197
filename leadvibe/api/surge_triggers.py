"""Surge triggers: many events of a lead within a short time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field

from leadvibe.api import trigger_acts
from leadvibe.api.fields import LEFT_OUT
from leadvibe.api.simulations import (
    Days,
    MatchedLeadItem,
    SimulationQuestion,
    SimulationResult,
    matched_leads,
)
from leadvibe.api.trigger_fields import (
    AnyType,
    Threshold,
    TriggerFields,
    TriggerId,
    TriggerItem,
    Window,
    in_common,
    shown_type,
    stored,
)
from leadvibe.engine.triggers import Surge, TriggerKind
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.triggers import queries
from leadvibe.triggers.simulation import simulate
from leadvibe.triggers.types import Trigger, WindowUnit

KIND = TriggerKind.SURGE
SAMPLE_LEADS = 10

_WINDOW = "How long the rolling window is in seconds, 90 days at most."
_COUNT = "How many events within the window make a surge."
_NOWHERE: dict[str, Any] = {"webhook_url": "", "emails": ()}
"""Exactly one of the two is where a surge is sent."""


class SurgeFields(TriggerFields):
    """Fields of a surge trigger to change; those left out stay as they are."""

    event_type: AnyType = Field(LEFT_OUT, description="Only events of this type; * for any.")
    window_seconds: Window = Field(LEFT_OUT, description=_WINDOW)
    window_unit: WindowUnit = Field(LEFT_OUT, description="In which unit people see the window.")
    threshold_count: Threshold = Field(LEFT_OUT, description=_COUNT)


class NewSurge(SurgeFields):
    """Fires when a lead does many things in a short time. Give webhook_url or emails, not both."""

    window_seconds: Window = Field(description=_WINDOW)
    threshold_count: Threshold = Field(description=_COUNT)


class PreviewQuestion(BaseModel):
    """How far to look back."""

    days: Days = Field(30, description="How many days to look back.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SurgeItem(TriggerItem):
    window_seconds: int
    window_unit: WindowUnit
    event_type: str
    threshold_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SurgePreview:
    """How often it would have fired in the last days, for how many leads, and for whom last."""

    would_have_fired: int
    leads: int
    sample_leads: list[MatchedLeadItem]
    days: int


def list_triggers(principal: Principal) -> list[SurgeItem]:
    """All surge triggers of the unit, by name."""
    return trigger_acts.listed(principal, KIND, _item)


def get_trigger(principal: Principal, trigger_id: TriggerId) -> SurgeItem:
    """A surge trigger, in the state that its etag names."""
    return trigger_acts.found(principal, KIND, trigger_id, _item)


def create_trigger(principal: Principal, body: NewSurge) -> SurgeItem:
    """Make a surge trigger; it hears of events that come from now on."""
    return trigger_acts.created(principal, KIND, read(body), _item)


def update_trigger(principal: Principal, trigger_id: TriggerId, body: SurgeFields) -> None:
    """Change a surge trigger. A webhook_url takes the place of the emails, and the reverse."""
    given = read(body)
    if any(given.get(name) for name in _NOWHERE):
        given = _NOWHERE | given
    trigger_acts.changed(principal, KIND, trigger_id, given, _item)


def delete_trigger(principal: Principal, trigger_id: TriggerId) -> None:
    """Delete a surge trigger; what it emitted stays."""
    trigger_acts.deleted(principal, KIND, trigger_id)


def simulate_trigger(
    principal: Principal, trigger_id: TriggerId, body: SimulationQuestion
) -> SimulationResult:
    """For whom it would have fired lately, or whether for one lead. Nothing is sent."""
    return trigger_acts.tried(principal, KIND, trigger_id, body)


def preview_trigger(
    principal: Principal, trigger_id: TriggerId, body: PreviewQuestion
) -> SurgePreview:
    """How often it would have fired lately, and for whom. Nothing is sent."""
    trigger = queries.get_trigger(principal.scope, KIND, trigger_id)
    found = simulate(principal.scope, trigger, days=body.days, now=utc_now())
    return SurgePreview(
        would_have_fired=found.firings,
        leads=found.total,
        sample_leads=matched_leads(found)[:SAMPLE_LEADS],
        days=body.days,
    )


def read(body: SurgeFields) -> dict[str, Any]:
    """Return what was sent as the service calls it."""
    return stored(body)


def _item(scope: Scope, trigger: Trigger) -> SurgeItem:
    assert isinstance(trigger.shape, Surge)
    return SurgeItem(
        event_type=shown_type(trigger.shape.event_type),
        window_seconds=trigger.shape.window_seconds,
        window_unit=WindowUnit(trigger.window_unit),
        threshold_count=trigger.shape.threshold_count,
        **in_common(scope, trigger),
    )
