"""Rules of segments in words, as pages say them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import groupby
from types import MappingProxyType

from leadvibe.engine.conditions import Joiner, Operator
from leadvibe.segments.types import RuleType, SegmentRule
from leadvibe.web.pages.segments import GroupWords, RuleWords

TYPE_LABELS: Mapping[RuleType, str] = MappingProxyType({
    RuleType.LEAD_METADATA: "Lead property",
    RuleType.EVENT_METADATA: "Event property",
    RuleType.ENGAGEMENT_LEVEL: "Engagement level",
    RuleType.PROFILE_LEVEL: "Profile level",
    RuleType.ACCOUNT_METADATA: "Account property",
    RuleType.ACCOUNT_LEVEL: "Account level",
})  # fmt: skip

OPERATOR_LABELS: Mapping[Operator, str] = MappingProxyType({
    Operator.EQUALS: "is",
    Operator.NOT_EQUALS: "is not",
    Operator.CONTAINS: "contains",
    Operator.NOT_CONTAINS: "does not contain",
    Operator.STARTS_WITH: "starts with",
    Operator.ENDS_WITH: "ends with",
    Operator.GT: "is more than",
    Operator.GTE: "is at least",
    Operator.LT: "is less than",
    Operator.LTE: "is at most",
    Operator.IN: "is one of",
    Operator.NOT_IN: "is none of",
    Operator.EXISTS: "is not empty",
    Operator.NOT_EXISTS: "is empty",
})  # fmt: skip

JOINER_LABELS: Mapping[Joiner, str] = MappingProxyType({Joiner.AND: "and", Joiner.OR: "or"})
ACCOUNTS_OFF = "accounts are switched off"


def spell(value: object) -> str:
    """Write a rule's value as the form takes it: lists with commas, or as JSON when they have any.

    Read back by engine.conditions, it means the same.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list) and all(_is_plain(each) for each in value):
        return ", ".join(spell(each) for each in value)
    return json.dumps(value, ensure_ascii=False)


def _is_plain(value: object) -> bool:
    if not isinstance(value, str):
        return not isinstance(value, list | dict)
    return value == value.strip() != "" and "," not in value and not value.startswith("[")


def say_rule(rule: SegmentRule, *, has_accounts: bool) -> RuleWords:
    """Say one rule; what is wrong with it stands in the note."""
    operator = Operator(rule.operator)
    notes = [] if rule.active else ["paused"]
    if rule.rule_type.is_of_account and not has_accounts:
        notes.append(ACCOUNTS_OFF)
    return RuleWords(
        joiner=JOINER_LABELS[rule.logic_op],
        name=rule.name,
        subject=_subject(rule),
        operator=OPERATOR_LABELS[operator],
        value="" if operator.affirmative is Operator.EXISTS else spell(rule.value),
        note=", ".join(notes),
    )


def _subject(rule: SegmentRule) -> str:
    if rule.rule_type.is_level:
        return TYPE_LABELS[rule.rule_type]
    if rule.rule_type is RuleType.EVENT_METADATA:
        return f"{rule.event_type}: {rule.field}"
    if rule.rule_type is RuleType.ACCOUNT_METADATA:
        return f"Account: {rule.field}"
    return rule.field


def say_groups(rules: list[SegmentRule], *, has_accounts: bool) -> tuple[GroupWords, ...]:
    """Say rules group by group; each group is joined to those before it by its first rule."""
    groups = []
    for _, members in groupby(rules, key=lambda rule: rule.group):
        words = tuple(say_rule(rule, has_accounts=has_accounts) for rule in members)
        groups.append(GroupWords(joiner=words[0].joiner, rules=words))
    return tuple(groups)
