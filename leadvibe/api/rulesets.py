"""Rulesets: named sets of rules, each of which keeps its own score per lead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool

from leadvibe.api.fields import LEFT_OUT, Changes, Instant, Name, RulesetId
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.scoring import queries, service
from leadvibe.scoring.types import Ruleset

DEFAULT_SCORE_COLUMN = "total_score"


class NewRuleset(BaseModel):
    """A set of rules. A new primary one takes the place of the old."""

    name: Name = Field(description="Its name, unique in the unit.")
    score_column: Name = Field(DEFAULT_SCORE_COLUMN, description="What its score is called.")
    is_primary: StrictBool = Field(False, description="Whether its score stands for a lead.")
    active: StrictBool = Field(True, description="Whether it scores events now.")
    start_at: Instant | None = Field(None, description="Events from then on score.")
    end_at: Instant | None = Field(None, description="Events from then on score no more.")


class RulesetChanges(Changes):
    """Fields of a ruleset to change; those left out stay as they are."""

    name: Name = Field(LEFT_OUT, description="Its name, unique in the unit.")
    score_column: Name = Field(LEFT_OUT, description="What its score is called.")
    is_primary: StrictBool = Field(LEFT_OUT, description="Whether its score stands for a lead.")
    active: StrictBool = Field(LEFT_OUT, description="Whether it scores events now.")
    start_at: Instant | None = Field(None, description="When it begins; null for always.")
    end_at: Instant | None = Field(None, description="When it ends; null for never.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesetItem:
    ruleset_id: UUID
    org_id: UUID
    unit_id: UUID
    name: str
    score_column: str
    is_primary: bool
    active: bool
    start_at: datetime | None
    end_at: datetime | None
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str


def list_rulesets(principal: Principal) -> list[RulesetItem]:
    """All rulesets of the unit, the primary one first."""
    scope = principal.scope
    return [_item(scope, ruleset) for ruleset in queries.list_rulesets(scope)]


def create_ruleset(principal: Principal, body: NewRuleset) -> RulesetItem:
    """Make a ruleset without rules."""
    scope = principal.scope
    made = service.create_ruleset(principal, scope, body.model_dump(), now=utc_now())
    return _item(scope, made)


def update_ruleset(
    principal: Principal, ruleset_id: RulesetId, body: RulesetChanges
) -> RulesetItem:
    """Change a ruleset; what it scored so far stays."""
    scope, changes = principal.scope, body.given()
    if not changes:
        return _item(scope, queries.get_ruleset(scope, ruleset_id))
    changed = service.update_ruleset(principal, scope, ruleset_id, changes, now=utc_now())
    return _item(scope, changed)


def delete_ruleset(principal: Principal, ruleset_id: RulesetId) -> None:
    """Delete a ruleset with its rules; its scores show no more."""
    service.delete_ruleset(principal, principal.scope, ruleset_id, now=utc_now())


def _item(scope: Scope, ruleset: Ruleset) -> RulesetItem:
    return RulesetItem(
        ruleset_id=ruleset.ruleset_id,
        org_id=scope.org_id,
        unit_id=ruleset.unit_id,
        name=ruleset.name,
        score_column=ruleset.score_column,
        is_primary=ruleset.is_primary,
        active=ruleset.active,
        start_at=ruleset.start_at,
        end_at=ruleset.end_at,
        created_at=ruleset.created_at,
        updated_at=ruleset.updated_at,
        created_by=ruleset.created_by,
        updated_by=ruleset.updated_by,
    )
