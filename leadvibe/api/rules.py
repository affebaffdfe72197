"""Scoring rules: what an event of a type is worth in a ruleset."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from leadvibe.api.editing import Editable
from leadvibe.api.fields import (
    LEFT_OUT,
    Active,
    Changes,
    EndAt,
    Name,
    RuleId,
    RulesetId,
    StartAt,
    Weight,
)
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError
from leadvibe.pipeline.intake import ShortText
from leadvibe.scoring import queries, service
from leadvibe.scoring.types import Rule

EventType = Annotated[ShortText, Field(description="The events that score, by their exact type.")]
Points = Annotated[
    Weight, Field(description="Points an event gives, a whole number; may be negative.")
]
Icon = Annotated[Name | None, Field(description="Name of a picture to show; null for none.")]


class NewRule(BaseModel):
    """What events of a type are worth; ids and audit fields are the server's to set."""

    event_type: EventType
    weight: Points
    ruleset_id: UUID | None = Field(None, description="The primary ruleset when left out.")
    icon: Icon = None
    active: Active = True
    start_at: StartAt = None
    end_at: EndAt = None


class RuleChanges(Changes):
    """Fields of a rule to change; those left out stay as they are."""

    event_type: EventType = LEFT_OUT
    weight: Points = LEFT_OUT
    ruleset_id: UUID = Field(LEFT_OUT, description="Only the one it is in fits.")
    icon: Icon = None
    active: Active = LEFT_OUT
    start_at: StartAt = None
    end_at: EndAt = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleItem(Editable):
    rule_id: UUID
    org_id: UUID
    unit_id: UUID
    ruleset_id: UUID
    event_type: str
    weight: int
    icon: str | None
    active: bool
    start_at: datetime | None
    end_at: datetime | None
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str


def list_rules(principal: Principal) -> list[RuleItem]:
    """All rules of the unit, the heaviest of each ruleset first."""
    return [_item(principal.scope, rule) for rule in queries.list_rules(principal.scope)]


def list_rules_in_set(principal: Principal, ruleset_id: RulesetId) -> list[RuleItem]:
    """The rules of one ruleset, the heaviest first."""
    scope = principal.scope
    queries.get_ruleset(scope, ruleset_id)
    return [_item(scope, rule) for rule in queries.list_rules(scope, ruleset_id=ruleset_id)]


def get_rule(principal: Principal, rule_id: RuleId) -> RuleItem:
    return _item(principal.scope, queries.get_rule(principal.scope, rule_id))


def create_rule(principal: Principal, body: NewRule) -> RuleItem:
    """Make a rule; events that come from now on score by it."""
    scope = principal.scope
    ruleset_id = body.ruleset_id or _primary_id(scope)
    fields = body.model_dump(exclude={"ruleset_id"})
    made = service.create_rule(principal, scope, ruleset_id, fields, now=utc_now())
    return _item(scope, made)


def update_rule(principal: Principal, rule_id: RuleId, body: RuleChanges) -> RuleItem:
    """Change a rule; what it gave so far stays, and later events score by the new one."""
    scope, changes = principal.scope, body.given()
    current = queries.get_rule(scope, rule_id)
    if changes.pop("ruleset_id", current.ruleset_id) != current.ruleset_id:
        raise InvalidError(
            "A rule stays in its ruleset: make a new one in the other and delete this one.",
            fields={"ruleset_id": "cannot be changed"},
        )
    if not changes:
        return _item(scope, current)
    return _item(scope, service.update_rule(principal, scope, rule_id, changes, now=utc_now()))


def delete_rule(principal: Principal, rule_id: RuleId) -> None:
    """Delete a rule; what it gave so far stays."""
    service.delete_rule(principal, principal.scope, rule_id, now=utc_now())


def _primary_id(scope: Scope) -> UUID:
    primary = queries.find_primary(scope)
    if primary is None:
        raise InvalidError(
            "The unit has no primary ruleset: name one in ruleset_id.",
            fields={"ruleset_id": "is missing, and there is no primary ruleset"},
        )
    return primary.ruleset_id


def _item(scope: Scope, rule: Rule) -> RuleItem:
    return RuleItem(**asdict(rule), org_id=scope.org_id)
