"""Triggers tried before anybody makes them."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from leadvibe.api import pattern_triggers, sequences, surge_triggers, triggers
from leadvibe.api.pattern_triggers import NewPattern
from leadvibe.api.sequences import NewSequence
from leadvibe.api.simulations import SimulationQuestion, SimulationResult, simulated
from leadvibe.api.surge_triggers import NewSurge
from leadvibe.api.triggers import NewMilestone
from leadvibe.engine.triggers import TriggerKind
from leadvibe.identity.types import Principal
from leadvibe.triggers import service


class DraftQuestion(SimulationQuestion):
    """One trigger of one kind as it would be made, and where to look; destinations may be empty."""

    milestone: NewMilestone | None = Field(None, description="As POST /triggers takes it.")
    sequence: NewSequence | None = Field(None, description="As POST /sequences takes it.")
    pattern: NewPattern | None = Field(None, description="As POST /pattern-triggers takes it.")
    surge: NewSurge | None = Field(None, description="As POST /surge-triggers takes it.")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(self.drafts) != 1:
            raise PydanticCustomError(
                "not_one", "give exactly one trigger: milestone, sequence, pattern or surge"
            )
        return self

    @property
    def drafts(self) -> list[tuple[TriggerKind, dict[str, Any]]]:
        """The triggers that are given, as the service calls their fields."""
        found = []
        if self.milestone:
            found.append((TriggerKind.MILESTONE, triggers.read(self.milestone)))
        if self.sequence:
            found.append((TriggerKind.SEQUENCE, sequences.read(self.sequence)))
        if self.pattern:
            found.append((TriggerKind.PATTERN, pattern_triggers.read(self.pattern)))
        if self.surge:
            found.append((TriggerKind.SURGE, surge_triggers.read(self.surge)))
        return found


def simulate_draft(principal: Principal, body: DraftQuestion) -> SimulationResult:
    """For whom a trigger would have fired lately, before it is made. Nothing is stored or sent."""
    [(kind, given)] = body.drafts
    setup = service.draft_trigger(principal.scope, kind, given, prefix=f"{kind}.")
    return simulated(principal.scope, setup, body)
