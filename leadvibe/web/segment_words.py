"""Rules of segments in words, as pages say them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from types import MappingProxyType

from leadvibe.engine.conditions import Joiner, Operator
from leadvibe.scoring.condition_words import OPERATOR_LABELS, spell
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

JOINER_LABELS: Mapping[Joiner, str] = MappingProxyType({Joiner.AND: "and", Joiner.OR: "or"})
ACCOUNTS_OFF = "accounts are switched off"


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
