"""Why a lead is in a segment: each rule in words, whether it is met, what the lead has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from leadvibe.engine.conditions import find_value
from leadvibe.engine.levels import UNCLASSIFIED, level_of
from leadvibe.engine.rules import Config, LevelKind
from leadvibe.identity.types import Scope
from leadvibe.leads.accounts import Account, find_account
from leadvibe.leads.types import Lead
from leadvibe.scoring import profiles
from leadvibe.scoring import queries as scoring
from leadvibe.scoring.condition_words import spell
from leadvibe.scoring.profiles import Side
from leadvibe.segments.membership import Explained
from leadvibe.segments.types import RuleType, SegmentRule
from leadvibe.web.pages.segments import RuleReason
from leadvibe.web.segment_words import say_rule

NOTHING = "nothing"
LONGEST_FOUND = 120


def list_reasons(
    scope: Scope, lead: Lead, rules: Sequence[SegmentRule], explained: Explained
) -> tuple[RuleReason, ...]:
    """Return the rules in their order, each with its answer for the lead."""
    has_accounts, traits = scoring.get_settings(scope).abm_enabled, _Traits(scope, lead)
    return tuple(
        RuleReason(
            words=say_rule(rule, has_accounts=has_accounts),
            is_met=explained.met.get(rule.rule_id),
            found=traits.of(rule),
        )
        for rule in rules
    )


class _Traits:
    """What a lead has where rules look, read as far as they look."""

    def __init__(self, scope: Scope, lead: Lead) -> None:
        self._scope, self._lead = scope, lead

    def of(self, rule: SegmentRule) -> str:
        text = _FOUND[rule.rule_type](self, rule)
        return text if len(text) <= LONGEST_FOUND else f"{text[: LONGEST_FOUND - 1]}…"

    def lead_metadata(self, rule: SegmentRule) -> str:
        return spell(find_value(self._lead.metadata, rule.field)) or NOTHING

    def event_metadata(self, _rule: SegmentRule) -> str:
        return ""  # a lead has many events, and one that meets the rule is enough

    def account_metadata(self, rule: SegmentRule) -> str:
        if self._account is None:
            return "no account"
        return spell(find_value(self._account.metadata, rule.field)) or NOTHING

    def engagement_level(self, _rule: SegmentRule) -> str:
        return self._level(LevelKind.ENGAGEMENT, self._lead.score)

    def profile_level(self, _rule: SegmentRule) -> str:
        primary = profiles.primary_of(self._config.policies.profile_rulesets)
        scores = profiles.list_scores(self._scope, Side.PROFILE, [self._lead.lead_id])
        of_lead = scores.get(self._lead.lead_id, {})
        return self._level(LevelKind.PROFILE, of_lead.get(primary.ruleset_id, 0) if primary else 0)

    def account_level(self, _rule: SegmentRule) -> str:
        if self._account is None:
            return "no account"
        return self._level(LevelKind.ACCOUNT, self._account.score)

    def _level(self, kind: LevelKind, score: int) -> str:
        level = level_of(self._config.levels_of(kind), score)
        return level.name if level else UNCLASSIFIED

    @cached_property
    def _config(self) -> Config:
        return scoring.get_config(self._scope, scoring.current_version(self._scope))

    @cached_property
    def _account(self) -> Account | None:
        account_id = self._lead.account_id
        return find_account(self._scope, account_id) if account_id else None


_FOUND: Mapping[RuleType, Callable[[_Traits, SegmentRule], str]] = {
    RuleType.LEAD_METADATA: _Traits.lead_metadata,
    RuleType.EVENT_METADATA: _Traits.event_metadata,
    RuleType.ACCOUNT_METADATA: _Traits.account_metadata,
    RuleType.ENGAGEMENT_LEVEL: _Traits.engagement_level,
    RuleType.PROFILE_LEVEL: _Traits.profile_level,
    RuleType.ACCOUNT_LEVEL: _Traits.account_level,
}
