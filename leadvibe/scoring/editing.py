"""Changes to a configuration that somebody works on, one at a time. Pure: each returns a new one.

The three kinds of score have rulesets and rules alike, so they are edited alike. Whoever edits may
say in which state they saw a thing; nothing of what somebody else made of it meanwhile is lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias
from uuid import UUID

from leadvibe.engine.policies import AttributeRule, AttributeRuleset
from leadvibe.engine.rules import Config, LevelKind, Rule, Ruleset
from leadvibe.scoring.checks import problems_of_test, problems_of_window, refuse
from leadvibe.scoring.errors import (
    DraftItemChangedError,
    RuleExistsError,
    RuleNotFoundError,
    RulesetExistsError,
    RulesetNotFoundError,
)

AnyRule: TypeAlias = Rule | AttributeRule
AnyRuleset: TypeAlias = Ruleset | AttributeRuleset

_STATE_BYTES = 9
"""Enough that no two states of one thing ever have the same name by chance."""


def rulesets_of(config: Config, kind: LevelKind) -> Sequence[AnyRuleset]:
    """Return the rulesets behind one kind of score, in the order in which they are stored."""
    if kind is LevelKind.PROFILE:
        return config.policies.profile_rulesets
    if kind is LevelKind.ACCOUNT:
        return config.policies.account_rulesets
    return config.rulesets


def with_rulesets(config: Config, kind: LevelKind, rulesets: Iterable[AnyRuleset]) -> Config:
    """Return the configuration with other rulesets behind one kind of score."""
    given: tuple[Any, ...] = tuple(rulesets)
    if kind is LevelKind.PROFILE:
        return replace(config, policies=replace(config.policies, profile_rulesets=given))
    if kind is LevelKind.ACCOUNT:
        return replace(config, policies=replace(config.policies, account_rulesets=given))
    return replace(config, rulesets=given)


def get_ruleset(config: Config, kind: LevelKind, ruleset_id: UUID) -> AnyRuleset:
    """Return a ruleset. Raises RulesetNotFoundError."""
    found = next((it for it in rulesets_of(config, kind) if it.ruleset_id == ruleset_id), None)
    if found is None:
        raise RulesetNotFoundError("This ruleset is not in the draft any more.")
    return found


def get_rule(config: Config, kind: LevelKind, rule_id: UUID) -> tuple[AnyRuleset, AnyRule]:
    """Return a rule and the ruleset that it is in. Raises RuleNotFoundError."""
    for ruleset in rulesets_of(config, kind):
        for rule in ruleset.rules:
            if rule.rule_id == rule_id:
                return ruleset, rule
    raise RuleNotFoundError("This rule is not in the draft any more.")


def state_of(item: AnyRule | AnyRuleset) -> str:
    """Name the state that a rule, or a ruleset without its rules, is in."""
    shell = _holding(item, ()) if isinstance(item, Ruleset | AttributeRuleset) else item
    return hashlib.blake2b(repr(shell).encode(), digest_size=_STATE_BYTES).hexdigest()


def add_ruleset(config: Config, kind: LevelKind, ruleset: AnyRuleset) -> Config:
    """Add a ruleset; a primary one takes the place of the old. Raises RulesetExistsError."""
    _check_name(config, kind, ruleset)
    others = _outranked(rulesets_of(config, kind), ruleset)
    return with_rulesets(config, kind, (*others, ruleset))


def change_ruleset(
    config: Config,
    kind: LevelKind,
    ruleset_id: UUID,
    changes: Mapping[str, Any],
    *,
    state: str | None = None,
) -> Config:
    """Change fields of a ruleset; one that becomes primary takes the place of the old.

    Raises RulesetNotFoundError, RulesetExistsError, and DraftItemChangedError when it was changed
    since it was in `state`.
    """
    current = get_ruleset(config, kind, ruleset_id)
    wanted = replace(current, **changes)
    _check_state(current, wanted, state)
    _check_name(config, kind, wanted)
    rulesets = _outranked(rulesets_of(config, kind), wanted)
    return with_rulesets(
        config, kind, (wanted if it.ruleset_id == ruleset_id else it for it in rulesets)
    )


def remove_ruleset(config: Config, kind: LevelKind, ruleset_id: UUID) -> Config:
    """Remove a ruleset with its rules. Raises RulesetNotFoundError."""
    get_ruleset(config, kind, ruleset_id)
    kept = (it for it in rulesets_of(config, kind) if it.ruleset_id != ruleset_id)
    return with_rulesets(config, kind, kept)


def add_rule(config: Config, kind: LevelKind, ruleset_id: UUID, rule: AnyRule) -> Config:
    """Add a rule to a ruleset.

    Raises RulesetNotFoundError, RuleExistsError, and BadConfigError for one that means nothing.
    """
    ruleset = get_ruleset(config, kind, ruleset_id)
    _check_rule(ruleset, rule)
    return _with_rules(config, kind, ruleset, lambda rules: (*rules, rule))


def change_rule(
    config: Config,
    kind: LevelKind,
    rule_id: UUID,
    changes: Mapping[str, Any],
    *,
    state: str | None = None,
) -> Config:
    """Change fields of a rule.

    Raises RuleNotFoundError, what adding raises, and DraftItemChangedError when it was changed
    since it was in `state`.
    """
    ruleset, current = get_rule(config, kind, rule_id)
    wanted = replace(current, **changes)
    _check_state(current, wanted, state)
    _check_rule(ruleset, wanted)
    return _with_rules(
        config,
        kind,
        ruleset,
        lambda rules: (wanted if it.rule_id == rule_id else it for it in rules),
    )


def remove_rule(config: Config, kind: LevelKind, rule_id: UUID) -> Config:
    """Remove a rule. Raises RuleNotFoundError."""
    ruleset, _ = get_rule(config, kind, rule_id)
    return _with_rules(
        config, kind, ruleset, lambda rules: (it for it in rules if it.rule_id != rule_id)
    )


def _with_rules(
    config: Config,
    kind: LevelKind,
    ruleset: AnyRuleset,
    change: Callable[[Sequence[AnyRule]], Iterable[AnyRule]],
) -> Config:
    changed = _holding(ruleset, tuple(change(ruleset.rules)))
    return with_rulesets(
        config,
        kind,
        (changed if it is ruleset else it for it in rulesets_of(config, kind)),
    )


def _holding(ruleset: AnyRuleset, rules: tuple[Any, ...]) -> AnyRuleset:
    held: dict[str, Any] = {"rules": rules}
    return replace(ruleset, **held)


def _outranked(rulesets: Iterable[AnyRuleset], newcomer: AnyRuleset) -> list[AnyRuleset]:
    """Return the rulesets beside another: where that is primary, none of these is."""
    return [
        replace(it, is_primary=False)
        if newcomer.is_primary and it.ruleset_id != newcomer.ruleset_id
        else it
        for it in rulesets
    ]


def _check_state(
    current: AnyRule | AnyRuleset, wanted: AnyRule | AnyRuleset, state: str | None
) -> None:
    # Whoever wants what is there already has nothing to lose: a form may have been sent twice.
    if state and state != state_of(current) and wanted != current:
        raise DraftItemChangedError(
            "Somebody has changed this in the draft since you opened it. Nothing of yours is saved"
            " yet: look at what stands there now, then save again to replace it."
        )


def _check_name(config: Config, kind: LevelKind, ruleset: AnyRuleset) -> None:
    others = (it for it in rulesets_of(config, kind) if it.ruleset_id != ruleset.ruleset_id)
    if any(it.name == ruleset.name for it in others):
        raise RulesetExistsError(
            f"A ruleset '{ruleset.name}' exists already. Choose another name.",
            fields={"name": "exists already"},
        )
    if isinstance(ruleset, Ruleset):
        refuse(dict(problems_of_window(ruleset.start_at, ruleset.end_at)))


def _check_rule(ruleset: AnyRuleset, rule: AnyRule) -> None:
    if isinstance(rule, AttributeRule):
        refuse(dict(problems_of_test(rule.test, "")))
        return
    others = (it for it in ruleset.rules if it.rule_id != rule.rule_id and isinstance(it, Rule))
    if any(it.event_type == rule.event_type for it in others):
        raise RuleExistsError(
            f"{ruleset.name} scores '{rule.event_type}' already. Change that rule instead.",
            fields={"event_type": "is scored already in this ruleset"},
        )
    refuse(dict(problems_of_window(rule.start_at, rule.end_at)))
