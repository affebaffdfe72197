"""What profile and account scoring have in common: rulesets, rules and field mappings.

Both sides are called by names of their own, which is all that they differ in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AliasChoices, BaseModel, Field, StrictBool, StrictInt
from pydantic_core import PydanticCustomError, to_json

from leadvibe.api.editing import Editable
from leadvibe.api.fields import LARGEST_INTEGER, LEFT_OUT, Changes, Name, Text, Weight
from leadvibe.engine.policies import FieldTest, UpdateBehavior
from leadvibe.explain.profile import AttributeExplanation
from leadvibe.http.workers import job_queue
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import after_commit
from leadvibe.pipeline.attributes import send_rescores
from leadvibe.pipeline.intake import ShortText
from leadvibe.scoring import attributes, profiles, queries
from leadvibe.scoring.checks import refuse
from leadvibe.scoring.errors import BadConfigError, ConfigItemExistsError
from leadvibe.scoring.profiles import Side
from leadvibe.scoring.types import ConfigItem

LONGEST_COMPARISON = 4_000
"""In bytes of JSON: lists of names fit, and every config version holds a copy."""


def _brief(value: Any) -> Any:
    if len(to_json(value)) > LONGEST_COMPARISON:
        raise PydanticCustomError("too_long_value", "is too long: give at most 4,000 bytes of JSON")
    return value


_Operator = Annotated[Text, Field(min_length=1)]
_Comparison = Annotated[Any, AfterValidator(_brief)]
_Order = Annotated[StrictInt, Field(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)]

_OPERATOR_NAMES = AliasChoices("condition", "operator")
_COMPARISON_NAMES = AliasChoices("comparison_value", "value")

_CONDITION = "equals, not_equals, contains, gt, gte, lt, lte, before, after, in, exists and so on."
_COMPARED = "Text, a number, true or false, or a list of them; none for exists and its like."
_SOURCE = "A key of the events' metadata; dots reach into objects."
_BEHAVIOR = "What becomes of the value that there is: by the time of events, not of arrival."


class NewAttributeRuleset(BaseModel):
    """A set of rules that add up to one score. A new primary one takes the place of the old."""

    name: Name = Field(description="Its name, unique in the unit.")
    enabled: StrictBool = Field(True, description="Whether it scores; if not, scores stay.")
    is_primary: StrictBool = Field(False, description="Whether its score is the one that is shown.")


class AttributeRulesetChanges(Changes):
    """Fields of a ruleset to change; those left out stay as they are."""

    name: Name = Field(LEFT_OUT, description="Its name, unique in the unit.")
    enabled: StrictBool = Field(LEFT_OUT, description="Whether it scores; if not, scores stay.")
    is_primary: StrictBool = Field(LEFT_OUT, description="Whether its score is shown.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeRulesetItem(Editable):
    id: UUID
    ruleset_id: UUID
    org_id: UUID
    unit_id: UUID
    name: str
    enabled: bool
    is_primary: bool
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str


class NewAttributeRule(BaseModel):
    """What a property is worth when a condition holds for it."""

    condition: _Operator = Field(validation_alias=_OPERATOR_NAMES, description=_CONDITION)
    comparison_value: _Comparison = Field(
        None, validation_alias=_COMPARISON_NAMES, description=_COMPARED
    )
    weight: Weight = Field(description="Points, a whole number; may be negative.")
    ui_order: _Order = Field(0, description="Its place among the rules, lowest first.")


class AttributeRuleChanges(Changes):
    """Fields of a rule to change; those left out stay as they are."""

    condition: _Operator = Field(LEFT_OUT, validation_alias=_OPERATOR_NAMES, description=_CONDITION)
    comparison_value: _Comparison = Field(
        None, validation_alias=_COMPARISON_NAMES, description=_COMPARED
    )
    weight: Weight = Field(LEFT_OUT, description="Points, a whole number; may be negative.")
    ui_order: _Order = Field(LEFT_OUT, description="Its place among the rules, lowest first.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeRuleItem(Editable):
    id: UUID
    rule_id: UUID
    ruleset_id: UUID
    org_id: UUID
    unit_id: UUID
    condition: str
    comparison_value: Any
    weight: int
    ui_order: int
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str


class NewAttributeMapping(BaseModel):
    """Which key of events' metadata fills in which property."""

    source_field: ShortText = Field(description=_SOURCE)
    update_behavior: UpdateBehavior = Field(UpdateBehavior.ALWAYS_LATEST, description=_BEHAVIOR)


class AttributeMappingChanges(Changes):
    """Fields of a mapping to change; those left out stay as they are."""

    source_field: ShortText = Field(LEFT_OUT, description=_SOURCE)
    update_behavior: UpdateBehavior = Field(LEFT_OUT, description=_BEHAVIOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeMappingItem(Editable):
    id: UUID
    source_field: str
    update_behavior: UpdateBehavior
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleNames:
    """What one side calls the parts of a rule's test, and its mappings' property."""

    side: Side
    key: str

    @property
    def by_part(self) -> Mapping[str, str]:
        return {"key": self.key, "operator": "condition", "value": "comparison_value"}

    @contextmanager
    def blaming(self) -> Iterator[None]:
        """Name the client's fields when the parts of a rule or a mapping do not fit."""
        try:
            yield
        except BadConfigError as error:
            refuse({self.by_part.get(name, name): it for name, it in error.fields.items()})
        except ConfigItemExistsError as error:
            if "target_property" in error.fields:
                error.fields[self.key] = error.fields.pop("target_property")
            raise


PROFILE = RuleNames(side=Side.PROFILE, key="profile_property")
ACCOUNT = RuleNames(side=Side.ACCOUNT, key="account_property")


def list_rulesets(scope: Scope, side: Side) -> list[AttributeRulesetItem]:
    found = queries.list_items(scope, attributes.KINDS[side].ruleset)
    return [_ruleset(scope, item) for item in found]


def get_ruleset(scope: Scope, side: Side, ruleset_id: UUID) -> AttributeRulesetItem:
    return _ruleset(scope, queries.get_item(scope, attributes.KINDS[side].ruleset, ruleset_id))


def create_ruleset(
    principal: Principal, side: Side, body: NewAttributeRuleset
) -> AttributeRulesetItem:
    scope = principal.scope
    made = attributes.create_ruleset(principal, scope, side, body.model_dump(), now=utc_now())
    return _ruleset(scope, made)


def update_ruleset(
    principal: Principal, side: Side, ruleset_id: UUID, body: AttributeRulesetChanges
) -> AttributeRulesetItem:
    scope, changes = principal.scope, body.given()
    changed = attributes.update_ruleset(principal, scope, side, ruleset_id, changes, now=utc_now())
    follow(scope)
    return _ruleset(scope, changed)


def create_rule(
    principal: Principal, names: RuleNames, ruleset_id: UUID, body: NewAttributeRule
) -> ConfigItem:
    scope, fields = principal.scope, body.model_dump()
    parts = {part: fields[name] for part, name in names.by_part.items()}
    with names.blaming():
        made = attributes.create_rule(
            principal,
            scope,
            names.side,
            ruleset_id,
            test=FieldTest(**parts),
            weight=fields["weight"],
            order=fields["ui_order"],
            now=utc_now(),
        )
    follow(scope)
    return made


def update_rule(
    principal: Principal, names: RuleNames, ids: tuple[UUID, UUID], body: AttributeRuleChanges
) -> ConfigItem:
    """Change a rule, named by its ruleset and itself."""
    scope, given, (ruleset_id, rule_id) = principal.scope, body.given(), ids
    parts = {name: part for part, name in names.by_part.items()} | {"ui_order": "order"}
    changes = {parts.get(name, name): value for name, value in given.items()}
    with names.blaming():
        changed = attributes.update_rule(
            principal, scope, names.side, rule_id, changes, ruleset_id=ruleset_id, now=utc_now()
        )
    follow(scope)
    return changed


def create_mapping(principal: Principal, names: RuleNames, body: NewAttributeMapping) -> ConfigItem:
    scope, wanted = principal.scope, _as_stored(names, body.model_dump(mode="json"))
    with names.blaming():
        return attributes.create_mapping(principal, scope, names.side, wanted, now=utc_now())


def update_mapping(
    principal: Principal, names: RuleNames, mapping_id: UUID, body: AttributeMappingChanges
) -> ConfigItem:
    scope = principal.scope
    changes = _as_stored(names, body.model_dump(mode="json", exclude_unset=True))
    with names.blaming():
        return attributes.update_mapping(
            principal, scope, names.side, mapping_id, changes, now=utc_now()
        )


def follow(scope: Scope) -> None:
    """Have a worker make anew what a change has made stale, once it is committed."""
    if profiles.next_rescore(scope) is not None:
        queue = job_queue()
        after_commit("rescore attributes", lambda: send_rescores(queue, scope.unit_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedRule:
    """A rule that is met, as it was when the score was made."""

    rule_id: UUID
    property: str
    condition: str
    comparison_value: Any
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeReasons:
    """A score and its rules: their weights add up to it, or below 0 where it is floored there.

    One that is not `is_live` is of a ruleset that is disabled or deleted, and stays as it is.
    """

    ruleset_id: UUID
    ruleset_name: str
    is_primary: bool
    is_live: bool
    score: int
    matched: list[MatchedRule]
    scored_at: datetime | None


def reasons(explained: AttributeExplanation) -> AttributeReasons:
    return AttributeReasons(
        ruleset_id=explained.ruleset_id,
        ruleset_name=explained.name,
        is_primary=explained.is_primary,
        is_live=explained.is_live,
        score=explained.score,
        matched=[
            MatchedRule(
                rule_id=rule.rule_id,
                property=rule.test.key,
                condition=rule.test.operator,
                comparison_value=rule.test.value,
                weight=rule.weight,
            )
            for rule in explained.matched
        ],
        scored_at=explained.scored_at,
    )


def rule_fields(scope: Scope, item: ConfigItem) -> dict[str, Any]:
    """Return what both sides call the same of a rule."""
    return {
        "id": item.item_id,
        "rule_id": item.item_id,
        "ruleset_id": UUID(item.body["ruleset_id"]),
        "org_id": scope.org_id,
        "unit_id": scope.unit_id,
        "condition": item.body["test"]["operator"],
        "comparison_value": item.body["test"]["value"],
        "weight": item.body["weight"],
        "ui_order": item.body["order"],
        "created_at": item.created_at,
        "updated_at": item.updated_at,
        "created_by": item.created_by,
        "updated_by": item.updated_by,
    }


def mapping_fields(item: ConfigItem) -> dict[str, Any]:
    """Return what both sides call the same of a mapping."""
    return {
        "id": item.item_id,
        "source_field": item.body["source_field"],
        "update_behavior": UpdateBehavior(item.body["update_behavior"]),
        "created_at": item.created_at,
        "updated_at": item.updated_at,
        "created_by": item.created_by,
        "updated_by": item.updated_by,
    }


def _ruleset(scope: Scope, item: ConfigItem) -> AttributeRulesetItem:
    return AttributeRulesetItem(
        id=item.item_id,
        ruleset_id=item.item_id,
        org_id=scope.org_id,
        unit_id=scope.unit_id,
        name=item.body["name"],
        enabled=item.body["enabled"],
        is_primary=item.body["is_primary"],
        created_at=item.created_at,
        updated_at=item.updated_at,
        created_by=item.created_by,
        updated_by=item.updated_by,
    )


def _as_stored(names: RuleNames, fields: Mapping[str, Any]) -> dict[str, Any]:
    renamed = {names.key: "target_property"}
    return {renamed.get(name, name): value for name, value in fields.items()}
