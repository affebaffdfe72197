"""What a trigger would have done lately, as a simulation answers it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StrictInt

from leadvibe.api.fields import Text
from leadvibe.identity.types import Scope
from leadvibe.leads.queries import get_lead
from leadvibe.lib.clock import utc_now
from leadvibe.triggers.simulation import simulate
from leadvibe.triggers.types import Setup, Simulation
from leadvibe.triggers.wording import words_of_simulation

MOST_DAYS = 365

Days = Annotated[StrictInt, Field(ge=1, le=MOST_DAYS)]


class SimulationQuestion(BaseModel):
    """Of whom, and how far to look back."""

    lead_id: Text | None = Field(None, description="Only this lead; all when left out.")
    days: Days = Field(30, description="How many days to look back.")


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedLeadItem:
    """When it would have fired last, through an event of which type, and how often in all.

    `score` is the one that the event led to; null for what does not look at scores.
    """

    lead_id: str
    name: str
    fired_at: datetime
    event_type: str
    score: int | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationResult:
    """What would have happened; `matched_leads` holds the latest 100 of `total_matches` leads."""

    would_fire: bool
    matched_leads: list[MatchedLeadItem]
    total_matches: int
    message: str


def simulated(scope: Scope, setup: Setup, question: SimulationQuestion) -> SimulationResult:
    """Answer what a trigger would have done."""
    lead = None if question.lead_id is None else get_lead(scope, question.lead_id)
    lead_id, name = (lead.lead_id, lead.name) if lead else (None, None)
    found = simulate(scope, setup, days=question.days, now=utc_now(), lead_id=lead_id)
    return SimulationResult(
        would_fire=found.total > 0,
        matched_leads=matched_leads(found),
        total_matches=found.total,
        message=words_of_simulation(found, days=question.days, lead_name=name),
    )


def matched_leads(found: Simulation) -> list[MatchedLeadItem]:
    return [
        MatchedLeadItem(
            lead_id=it.lead_id,
            name=it.name,
            fired_at=it.fired_at,
            event_type=it.event_type,
            score=it.score,
            count=it.count,
        )
        for it in found.leads
    ]
