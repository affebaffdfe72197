"""Why leads and accounts are worth what they are: the rules that their attributes meet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from leadvibe.engine.policies import AttributeRule, AttributeRuleset
from leadvibe.identity.types import Scope
from leadvibe.scoring import profiles, queries
from leadvibe.scoring.profiles import Side, StoredScore


@dataclass(frozen=True, slots=True)
class AttributeExplanation:
    """A score in one ruleset and the rules behind it, as they were when it was last made.

    Their weights add up to the score, unless that was floored at 0. A ruleset that is not
    `is_live` is disabled or deleted and keeps the scores it gave.
    """

    ruleset_id: UUID
    name: str
    is_primary: bool
    is_live: bool
    score: int
    matched: tuple[AttributeRule, ...]
    scored_at: datetime | None


def explain_attributes(scope: Scope, side: Side, subject: str) -> list[AttributeExplanation]:
    """Return every score that a lead or an account has by its attributes, the primary one first."""
    config = queries.get_config(scope, queries.current_version(scope))
    current = {it.ruleset_id: it for it in profiles.rulesets_of(config.policies, side)}
    stored = {it.ruleset_id: it for it in profiles.list_stored(scope, side, subject)}
    explained = [_explain(scope, side, it, current.get(it.ruleset_id)) for it in stored.values()]
    explained += [
        AttributeExplanation(it.ruleset_id, it.name, it.is_primary, True, 0, (), None)
        for it in current.values()
        if it.enabled and it.ruleset_id not in stored
    ]
    return sorted(explained, key=lambda it: (not it.is_primary, not it.is_live, it.name))


def _explain(
    scope: Scope, side: Side, stored: StoredScore, current: AttributeRuleset | None
) -> AttributeExplanation:
    then = _ruleset_then(scope, side, stored)
    rules = {rule.rule_id: rule for rule in then.rules}
    shown = current or then
    return AttributeExplanation(
        ruleset_id=stored.ruleset_id,
        name=shown.name,
        is_primary=current is not None and current.is_primary,
        is_live=current is not None and current.enabled,
        score=stored.score,
        matched=tuple(rules[rule_id] for rule_id in stored.matched),
        scored_at=stored.updated_at,
    )


def _ruleset_then(scope: Scope, side: Side, stored: StoredScore) -> AttributeRuleset:
    policies = queries.get_config(scope, stored.version).policies
    return next(
        it for it in profiles.rulesets_of(policies, side) if it.ruleset_id == stored.ruleset_id
    )
