"""Rulesets: named sets of rules, each of which keeps its own score per lead."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool

from leadvibe.api.editing import Editable
from leadvibe.api.fields import LEFT_OUT, Active, Changes, EndAt, Name, RulesetId, StartAt
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.scoring import queries, service
from leadvibe.scoring.types import Ruleset

DEFAULT_SCORE_COLUMN = "total_score"

RulesetName = Annotated[Name, Field(description="Its name, unique in the unit.")]
ScoreColumn = Annotated[Name, Field(description="What its score is called.")]
IsPrimary = Annotated[StrictBool, Field(description="Whether its score stands for a lead.")]


class NewRuleset(BaseModel):
    """A set of rules. A new primary one takes the place of the old."""

    name: RulesetName
    score_column: ScoreColumn = DEFAULT_SCORE_COLUMN
    is_primary: IsPrimary = False
    active: Active = True
    start_at: StartAt = None
    end_at: EndAt = None


class RulesetChanges(Changes):
    """Fields of a ruleset to change; those left out stay as they are."""

    name: RulesetName = LEFT_OUT
    score_column: ScoreColumn = LEFT_OUT
    is_primary: IsPrimary = LEFT_OUT
    active: Active = LEFT_OUT
    start_at: StartAt = None
    end_at: EndAt = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesetItem(Editable):
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


def get_ruleset(principal: Principal, ruleset_id: RulesetId) -> RulesetItem:
    return _item(principal.scope, queries.get_ruleset(principal.scope, ruleset_id))


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
    return RulesetItem(**asdict(ruleset), org_id=scope.org_id)
