"""Account scoring: what accounts are worth by their metadata, and how events fill that in.

All of it is refused to organisations that do not score accounts.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import AliasChoices, Field

from leadvibe.api import attributes
from leadvibe.api.attributes import (
    ACCOUNT,
    AttributeMappingChanges,
    AttributeMappingItem,
    AttributeRuleChanges,
    AttributeRuleItem,
    AttributeRulesetChanges,
    AttributeRulesetItem,
    NewAttributeMapping,
    NewAttributeRule,
    NewAttributeRuleset,
)
from leadvibe.api.fields import LEFT_OUT, AccountMappingId, AccountRuleId, AccountRulesetId
from leadvibe.identity.types import Principal
from leadvibe.leads import documents
from leadvibe.lib.clock import utc_now
from leadvibe.pipeline.intake import ShortText
from leadvibe.scoring import attributes as service
from leadvibe.scoring import queries
from leadvibe.scoring.profiles import Side
from leadvibe.scoring.types import ConfigItem, ItemKind

_NAMES = AliasChoices("account_property", "account_field")


class NewAccountRule(NewAttributeRule):
    """What a property of an account's metadata is worth when a condition holds for it."""

    account_property: ShortText = Field(
        validation_alias=_NAMES, description="The property; dots reach into objects."
    )


class AccountRuleChanges(AttributeRuleChanges):
    """Fields of a rule to change; those left out stay as they are."""

    account_property: ShortText = Field(
        LEFT_OUT, validation_alias=_NAMES, description="The property; dots reach into objects."
    )


class NewAccountMapping(NewAttributeMapping):
    """Which key of events' metadata fills in which property of its lead's account."""

    account_property: ShortText = Field(description="The account's property that it fills in.")


class AccountMappingChanges(AttributeMappingChanges):
    """Fields of a mapping to change; those left out stay as they are."""

    account_property: ShortText = Field(LEFT_OUT, description="The property that it fills in.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRuleItem(AttributeRuleItem):
    account_property: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMappingItem(AttributeMappingItem):
    account_property: str


def list_rulesets(principal: Principal) -> list[AttributeRulesetItem]:
    """All account rulesets of the unit, oldest first."""
    queries.require_abm(principal.scope)
    return attributes.list_rulesets(principal.scope, Side.ACCOUNT)


def get_ruleset(principal: Principal, ruleset_id: AccountRulesetId) -> AttributeRulesetItem:
    queries.require_abm(principal.scope)
    return attributes.get_ruleset(principal.scope, Side.ACCOUNT, ruleset_id)


def create_ruleset(principal: Principal, body: NewAttributeRuleset) -> AttributeRulesetItem:
    """Make a account ruleset without rules."""
    queries.require_abm(principal.scope)
    return attributes.create_ruleset(principal, Side.ACCOUNT, body)


def update_ruleset(
    principal: Principal, ruleset_id: AccountRulesetId, body: AttributeRulesetChanges
) -> AttributeRulesetItem:
    """Change a account ruleset. Disabled, its scores stay as they are; enabled, they catch up."""
    queries.require_abm(principal.scope)
    return attributes.update_ruleset(principal, Side.ACCOUNT, ruleset_id, body)


def delete_ruleset(principal: Principal, ruleset_id: AccountRulesetId) -> None:
    """Delete a account ruleset with its rules; what it scored so far stays."""
    queries.require_abm(principal.scope)
    service.delete_ruleset(principal, principal.scope, Side.ACCOUNT, ruleset_id, now=utc_now())


def list_rules(principal: Principal, ruleset_id: AccountRulesetId) -> list[AccountRuleItem]:
    """The rules of a account ruleset, as people arranged them."""
    queries.require_abm(principal.scope)
    found = service.list_rules(principal.scope, Side.ACCOUNT, ruleset_id)
    return [_rule(principal, item) for item in found]


def get_rule(
    principal: Principal, ruleset_id: AccountRulesetId, rule_id: AccountRuleId
) -> AccountRuleItem:
    queries.require_abm(principal.scope)
    found = service.get_rule(principal.scope, Side.ACCOUNT, rule_id, ruleset_id=ruleset_id)
    return _rule(principal, found)


def create_rule(
    principal: Principal, ruleset_id: AccountRulesetId, body: NewAccountRule
) -> AccountRuleItem:
    """Make a account rule; all accounts are scored by it soon."""
    queries.require_abm(principal.scope)
    return _rule(principal, attributes.create_rule(principal, ACCOUNT, ruleset_id, body))


def update_rule(
    principal: Principal,
    ruleset_id: AccountRulesetId,
    rule_id: AccountRuleId,
    body: AccountRuleChanges,
) -> AccountRuleItem:
    """Change a account rule; all accounts are scored by it soon."""
    queries.require_abm(principal.scope)
    ids = (ruleset_id, rule_id)
    return _rule(principal, attributes.update_rule(principal, ACCOUNT, ids, body))


def delete_rule(principal: Principal, ruleset_id: AccountRulesetId, rule_id: AccountRuleId) -> None:
    """Delete a account rule; scores stay until an account's properties change."""
    queries.require_abm(principal.scope)
    scope = principal.scope
    service.delete_rule(
        principal, scope, Side.ACCOUNT, rule_id, ruleset_id=ruleset_id, now=utc_now()
    )


def list_mappings(principal: Principal) -> list[AccountMappingItem]:
    """All account mappings of the unit, oldest first."""
    queries.require_abm(principal.scope)
    found = queries.list_items(principal.scope, ItemKind.ACCOUNT_MAPPING)
    return [_mapping(item) for item in found]


def get_mapping(principal: Principal, mapping_id: AccountMappingId) -> AccountMappingItem:
    queries.require_abm(principal.scope)
    return _mapping(queries.get_item(principal.scope, ItemKind.ACCOUNT_MAPPING, mapping_id))


def create_mapping(principal: Principal, body: NewAccountMapping) -> AccountMappingItem:
    """Make a mapping; events that come from now on fill in the property."""
    queries.require_abm(principal.scope)
    return _mapping(attributes.create_mapping(principal, ACCOUNT, body))


def update_mapping(
    principal: Principal, mapping_id: AccountMappingId, body: AccountMappingChanges
) -> AccountMappingItem:
    """Change a mapping; what it filled in stays until later events, or a backfill."""
    queries.require_abm(principal.scope)
    return _mapping(attributes.update_mapping(principal, ACCOUNT, mapping_id, body))


def delete_mapping(principal: Principal, mapping_id: AccountMappingId) -> None:
    """Delete a mapping; what it filled in stays."""
    queries.require_abm(principal.scope)
    service.delete_mapping(principal, principal.scope, Side.ACCOUNT, mapping_id, now=utc_now())


def list_properties(principal: Principal) -> list[str]:
    """The names of all properties seen in accounts' metadata."""
    queries.require_abm(principal.scope)
    return documents.list_properties(principal.scope, documents.ACCOUNT)


def _rule(principal: Principal, item: ConfigItem) -> AccountRuleItem:
    return AccountRuleItem(
        account_property=item.body["test"]["key"],
        **attributes.rule_fields(principal.scope, item),
    )


def _mapping(item: ConfigItem) -> AccountMappingItem:
    return AccountMappingItem(
        account_property=item.body["target_property"], **attributes.mapping_fields(item)
    )
