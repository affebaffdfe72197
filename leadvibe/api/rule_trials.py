"""A rule tried on a lead before anybody makes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from leadvibe.api.fields import Text, UnitId, Weight
from leadvibe.engine.conditions import Condition, ConditionError, parse_operator
from leadvibe.identity.types import Principal
from leadvibe.leads.queries import get_lead
from leadvibe.lib.errors import InvalidError
from leadvibe.pipeline.intake import ShortText
from leadvibe.pipeline.trial import TriedRule, try_rule

MOST_FILTERS = 20


class AttributeFilter(BaseModel):
    """A condition on the event's metadata, or on the lead's where the event says nothing."""

    field: ShortText = Field(description="Name of a property; dots reach inside.")
    operator: Text = Field(description="equals, contains, starts_with, gte, lte and others.")
    value: Any = Field(None, description="What to compare with; a list for in and not_in.")


class RuleToTry(BaseModel):
    """What events of a type would be worth."""

    event_type: ShortText = Field(description="The events that would score, by their exact type.")
    weight: Weight = Field(description="Points an event would give, a whole number.")
    attribute_filters: list[AttributeFilter] = Field(
        default_factory=list, max_length=MOST_FILTERS, description="Conditions that all hold."
    )


class RuleTest(BaseModel):
    """A rule, and the lead to try it on."""

    lead_id: ShortText = Field(description="Id of a lead.")
    rule: RuleToTry


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingEvent:
    """An event that the rule matches, and the points it would give."""

    event_id: UUID
    timestamp: datetime
    delta: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTestResult:
    """What the rule would do. `events` are the newest of those that match; filters suppress some.

    `projectedScore` is the score in that ruleset if the rule had always been there, in the place
    of what the ruleset has for the event type.
    """

    matches: bool
    reason: str
    rulesetId: UUID  # noqa: N815 - as the contract spells its neighbours
    currentScore: int  # noqa: N815
    projectedScore: int  # noqa: N815
    matchingEvents: int  # noqa: N815
    suppressedEvents: int  # noqa: N815
    events: list[MatchingEvent]


def test_rule(
    principal: Principal,
    unit_id: UnitId,  # noqa: ARG001 - the caller works in it by now
    body: RuleTest,
) -> RuleTestResult:
    """Try a rule on the events that a lead really has, without storing anything."""
    scope = principal.scope
    conditions = tuple(
        _condition(place, it) for place, it in enumerate(body.rule.attribute_filters)
    )
    rule = TriedRule(body.rule.event_type, body.rule.weight, conditions)
    found = try_rule(scope, get_lead(scope, body.lead_id), rule)
    return RuleTestResult(
        matches=found.matches,
        reason=found.reason,
        rulesetId=found.ruleset_id,
        currentScore=found.current_score,
        projectedScore=found.projected_score,
        matchingEvents=found.matching_events,
        suppressedEvents=found.suppressed_events,
        events=[
            MatchingEvent(event_id=it.event_id, timestamp=it.occurred_at, delta=it.delta)
            for it in found.events
        ],
    )


def _condition(place: int, given: AttributeFilter) -> Condition:
    path = f"rule.attribute_filters.{place}"
    try:
        operator = parse_operator(given.operator)
    except ConditionError as error:
        raise InvalidError(f"{error}.", fields={f"{path}.operator": f"is an {error}"}) from None
    try:
        return Condition(given.field, operator, given.value)
    except ConditionError as error:
        raise InvalidError(f"{error}.", fields={f"{path}.value": str(error)}) from None
