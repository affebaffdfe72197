"""Scoring rules: what an event of a type is worth in a ruleset."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool

from leadvibe.api.fields import LEFT_OUT, Changes, Instant, Name, RuleId, RulesetId, Weight
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError
from leadvibe.pipeline.intake import ShortText
from leadvibe.scoring import queries, service
from leadvibe.scoring.types import Rule


class NewRule(BaseModel):
    """What events of a type are worth; ids and audit fields are the server's to set."""

    event_type: ShortText = Field(description="The events that score, by their exact type.")
    weight: Weight = Field(description="Points an event gives, a whole number; may be negative.")
    ruleset_id: UUID | None = Field(None, description="The primary ruleset when left out.")
    icon: Name | None = Field(None, description="Name of a picture to show.")
    active: StrictBool = Field(True, description="Whether it scores events now.")
    start_at: Instant | None = Field(None, description="Events from then on score by it.")
    end_at: Instant | None = Field(None, description="Events from then on score by it no more.")


class RuleChanges(Changes):
    """Fields of a rule to change; those left out stay as they are."""

    event_type: ShortText = Field(LEFT_OUT, description="The events that score, by exact type.")
    weight: Weight = Field(LEFT_OUT, description="Points an event gives, a whole number.")
    ruleset_id: UUID = Field(LEFT_OUT, description="Only the one it is in fits.")
    icon: Name | None = Field(None, description="Name of a picture; null for none.")
    active: StrictBool = Field(LEFT_OUT, description="Whether it scores events now.")
    start_at: Instant | None = Field(None, description="When it begins; null for always.")
    end_at: Instant | None = Field(None, description="When it ends; null for never.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleItem:
    rule_id: UUID
    ruleset_id: UUID
    org_id: UUID
    unit_id: UUID
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
    return RuleItem(
        rule_id=rule.rule_id,
        ruleset_id=rule.ruleset_id,
        org_id=scope.org_id,
        unit_id=rule.unit_id,
        event_type=rule.event_type,
        weight=rule.weight,
        icon=rule.icon,
        active=rule.active,
        start_at=rule.start_at,
        end_at=rule.end_at,
        created_at=rule.created_at,
        updated_at=rule.updated_at,
        created_by=rule.created_by,
        updated_by=rule.updated_by,
    )
