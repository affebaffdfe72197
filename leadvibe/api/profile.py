"""Profile scoring: what leads are worth by their metadata, and how events fill that in."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import AliasChoices, Field

from leadvibe.api import attributes
from leadvibe.api.attributes import (
    PROFILE,
    AttributeMappingChanges,
    AttributeMappingItem,
    AttributeReasons,
    AttributeRuleChanges,
    AttributeRuleItem,
    AttributeRulesetChanges,
    AttributeRulesetItem,
    NewAttributeMapping,
    NewAttributeRule,
    NewAttributeRuleset,
)
from leadvibe.api.fields import LEFT_OUT, ProfileMappingId, ProfileRuleId, ProfileRulesetId
from leadvibe.engine.levels import LevelCut
from leadvibe.engine.rules import LevelKind
from leadvibe.explain.profile import explain_attributes
from leadvibe.identity.types import Principal
from leadvibe.leads import documents
from leadvibe.leads.queries import get_lead
from leadvibe.lib.clock import utc_now
from leadvibe.pipeline.intake import ShortText
from leadvibe.scoring import attributes as service
from leadvibe.scoring import queries
from leadvibe.scoring.profiles import Side
from leadvibe.scoring.types import ConfigItem, ItemKind

_NAMES = AliasChoices("profile_property", "profile_field")


class NewProfileRule(NewAttributeRule):
    """What a property of a lead's metadata is worth when a condition holds for it."""

    profile_property: ShortText = Field(
        validation_alias=_NAMES, description="The property; dots reach into objects."
    )


class ProfileRuleChanges(AttributeRuleChanges):
    """Fields of a rule to change; those left out stay as they are."""

    profile_property: ShortText = Field(
        LEFT_OUT, validation_alias=_NAMES, description="The property; dots reach into objects."
    )


class NewProfileMapping(NewAttributeMapping):
    """Which key of events' metadata fills in which property of a lead."""

    profile_property: ShortText = Field(description="The lead's property that it fills in.")


class ProfileMappingChanges(AttributeMappingChanges):
    """Fields of a mapping to change; those left out stay as they are."""

    profile_property: ShortText = Field(LEFT_OUT, description="The property that it fills in.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileRuleItem(AttributeRuleItem):
    profile_property: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileMappingItem(AttributeMappingItem):
    profile_property: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileReasons:
    """Why a lead is worth what it is; `score` and `profile_level` are of the primary ruleset."""

    lead_id: str
    score: int
    profile_level: str
    rulesets: list[AttributeReasons]


def list_rulesets(principal: Principal) -> list[AttributeRulesetItem]:
    """All profile rulesets of the unit, oldest first."""
    return attributes.list_rulesets(principal.scope, Side.PROFILE)


def get_ruleset(principal: Principal, ruleset_id: ProfileRulesetId) -> AttributeRulesetItem:
    return attributes.get_ruleset(principal.scope, Side.PROFILE, ruleset_id)


def create_ruleset(principal: Principal, body: NewAttributeRuleset) -> AttributeRulesetItem:
    """Make a profile ruleset without rules."""
    return attributes.create_ruleset(principal, Side.PROFILE, body)


def update_ruleset(
    principal: Principal, ruleset_id: ProfileRulesetId, body: AttributeRulesetChanges
) -> AttributeRulesetItem:
    """Change a profile ruleset. Disabled, its scores stay as they are; enabled, they catch up."""
    return attributes.update_ruleset(principal, Side.PROFILE, ruleset_id, body)


def delete_ruleset(principal: Principal, ruleset_id: ProfileRulesetId) -> None:
    """Delete a profile ruleset with its rules; what it scored so far stays."""
    service.delete_ruleset(principal, principal.scope, Side.PROFILE, ruleset_id, now=utc_now())


def list_rules(principal: Principal, ruleset_id: ProfileRulesetId) -> list[ProfileRuleItem]:
    """The rules of a profile ruleset, as people arranged them."""
    found = service.list_rules(principal.scope, Side.PROFILE, ruleset_id)
    return [_rule(principal, item) for item in found]


def get_rule(
    principal: Principal, ruleset_id: ProfileRulesetId, rule_id: ProfileRuleId
) -> ProfileRuleItem:
    found = service.get_rule(principal.scope, Side.PROFILE, rule_id, ruleset_id=ruleset_id)
    return _rule(principal, found)


def create_rule(
    principal: Principal, ruleset_id: ProfileRulesetId, body: NewProfileRule
) -> ProfileRuleItem:
    """Make a profile rule; all leads are scored by it soon."""
    return _rule(principal, attributes.create_rule(principal, PROFILE, ruleset_id, body))


def update_rule(
    principal: Principal,
    ruleset_id: ProfileRulesetId,
    rule_id: ProfileRuleId,
    body: ProfileRuleChanges,
) -> ProfileRuleItem:
    """Change a profile rule; all leads are scored by it soon."""
    ids = (ruleset_id, rule_id)
    return _rule(principal, attributes.update_rule(principal, PROFILE, ids, body))


def delete_rule(principal: Principal, ruleset_id: ProfileRulesetId, rule_id: ProfileRuleId) -> None:
    """Delete a profile rule; scores stay until a lead's properties change."""
    scope = principal.scope
    service.delete_rule(
        principal, scope, Side.PROFILE, rule_id, ruleset_id=ruleset_id, now=utc_now()
    )


def list_mappings(principal: Principal) -> list[ProfileMappingItem]:
    """All profile mappings of the unit, oldest first."""
    found = queries.list_items(principal.scope, ItemKind.PROFILE_MAPPING)
    return [_mapping(item) for item in found]


def get_mapping(principal: Principal, mapping_id: ProfileMappingId) -> ProfileMappingItem:
    return _mapping(queries.get_item(principal.scope, ItemKind.PROFILE_MAPPING, mapping_id))


def create_mapping(principal: Principal, body: NewProfileMapping) -> ProfileMappingItem:
    """Make a mapping; events that come from now on fill in the property."""
    return _mapping(attributes.create_mapping(principal, PROFILE, body))


def update_mapping(
    principal: Principal, mapping_id: ProfileMappingId, body: ProfileMappingChanges
) -> ProfileMappingItem:
    """Change a mapping; what it filled in stays until later events, or a backfill."""
    return _mapping(attributes.update_mapping(principal, PROFILE, mapping_id, body))


def delete_mapping(principal: Principal, mapping_id: ProfileMappingId) -> None:
    """Delete a mapping; what it filled in stays."""
    service.delete_mapping(principal, principal.scope, Side.PROFILE, mapping_id, now=utc_now())


def list_properties(principal: Principal) -> list[str]:
    """The names of all properties seen in leads' metadata."""
    return documents.list_properties(principal.scope, documents.LEAD)


def explain(principal: Principal, lead_id: str) -> ProfileReasons:
    """Why the lead has its profile scores: by ruleset, the rules that it meets."""
    scope = principal.scope
    lead = get_lead(scope, lead_id)
    explained = explain_attributes(scope, Side.PROFILE, lead.lead_id)
    score = next((it.score for it in explained if it.is_primary), 0)
    levels = LevelCut(queries.list_levels(scope, LevelKind.PROFILE))
    return ProfileReasons(
        lead_id=lead.lead_id,
        score=score,
        profile_level=levels.name_of(score),
        rulesets=[attributes.reasons(it) for it in explained],
    )


def _rule(principal: Principal, item: ConfigItem) -> ProfileRuleItem:
    return ProfileRuleItem(
        profile_property=item.body["test"]["key"],
        **attributes.rule_fields(principal.scope, item),
    )


def _mapping(item: ConfigItem) -> ProfileMappingItem:
    return ProfileMappingItem(
        profile_property=item.body["target_property"], **attributes.mapping_fields(item)
    )
