"""Two people's changes to one configuration, brought together. Pure.

Thing by thing, as changes tells them apart: what one of them left alone is as the other made it,
and what both have changed is as the draft has it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from operator import attrgetter
from typing import Any, TypeVar

from leadvibe.engine.policies import AttributeRuleset, EventTypePolicy, Policies
from leadvibe.engine.rules import Config, Rule, Ruleset

Thing = TypeVar("Thing")
Set = TypeVar("Set", Ruleset, AttributeRuleset)

_KEYS: Mapping[str, Callable[[Any], Hashable]] = {
    "decays": attrgetter("decay_id"),
    "velocity_filters": attrgetter("filter_id"),
    "metadata_filters": attrgetter("filter_id"),
    "profile_mappings": attrgetter("mapping_id"),
    "account_mappings": attrgetter("mapping_id"),
}


def merge_configs(base: Config, theirs: Config, mine: Config) -> Config:
    """Return `theirs` with what `mine` has changed of `base`.

    It may break rules that both keep to (checks.check_config), such as levels that overlap.
    """
    return replace(
        theirs,
        rulesets=_merge_rulesets(base.rulesets, theirs.rulesets, mine.rulesets),
        levels=_merge(base.levels, theirs.levels, mine.levels, attrgetter("level_id")),
        session_timeout_seconds=_pick(
            base.session_timeout_seconds,
            theirs.session_timeout_seconds,
            mine.session_timeout_seconds,
        ),
        policies=_merge_policies(base.policies, theirs.policies, mine.policies),
    )


def _merge_policies(base: Policies, theirs: Policies, mine: Policies) -> Policies:
    merged: dict[str, Any] = {
        name: _merge(getattr(base, name), getattr(theirs, name), getattr(mine, name), key)
        for name, key in _KEYS.items()
    }
    return replace(
        theirs,
        surge=_pick(base.surge, theirs.surge, mine.surge),
        profile_rulesets=_merge_rulesets(
            base.profile_rulesets, theirs.profile_rulesets, mine.profile_rulesets
        ),
        account_rulesets=_merge_rulesets(
            base.account_rulesets, theirs.account_rulesets, mine.account_rulesets
        ),
        event_types=_merge_types(base.event_types, theirs.event_types, mine.event_types),
        **merged,
    )


def _merge_types(
    base: Mapping[str, EventTypePolicy],
    theirs: Mapping[str, EventTypePolicy],
    mine: Mapping[str, EventTypePolicy],
) -> dict[str, EventTypePolicy]:
    names = sorted({*theirs, *mine})
    picked = {name: _pick(base.get(name), theirs.get(name), mine.get(name)) for name in names}
    return {name: policy for name, policy in picked.items() if policy is not None}


def _merge_rulesets(
    base: Iterable[Set], theirs: Iterable[Set], mine: Iterable[Set]
) -> tuple[Set, ...]:
    def shells(rulesets: Iterable[Set]) -> list[Set]:
        return [replace(it, rules=()) for it in rulesets]

    base, theirs, mine = list(base), list(theirs), list(mine)
    key = attrgetter("ruleset_id")
    merged = _merge(shells(base), shells(theirs), shells(mine), key)
    return tuple(
        replace(shell, rules=_merge_rules(*(_rules(it, shell) for it in (base, theirs, mine))))
        for shell in merged
    )


def _rules(rulesets: Iterable[Set], shell: Set) -> tuple[Any, ...]:
    return next((it.rules for it in rulesets if it.ruleset_id == shell.ruleset_id), ())


def _merge_rules(
    base: tuple[Any, ...], theirs: tuple[Any, ...], mine: tuple[Any, ...]
) -> tuple[Any, ...]:
    """Merge rules; where both have a new one for the same event type, the draft's is kept."""
    merged = _merge(base, theirs, mine, attrgetter("rule_id"))
    in_mine = {it.rule_id for it in mine}
    kept: dict[Hashable, Any] = {}
    for rule in merged:
        scored = rule.event_type if isinstance(rule, Rule) else rule.rule_id
        if scored not in kept or rule.rule_id in in_mine:
            kept[scored] = rule
    return tuple(kept.values())


def _merge(
    base: Iterable[Thing],
    theirs: Iterable[Thing],
    mine: Iterable[Thing],
    key: Callable[[Any], Hashable],
) -> tuple[Thing, ...]:
    old, new, drafted = ({key(it): it for it in things} for things in (base, theirs, mine))
    names = dict.fromkeys((*new, *drafted))
    picked = (_pick(old.get(name), new.get(name), drafted.get(name)) for name in names)
    return tuple(it for it in picked if it is not None)


def _pick(base: Thing, theirs: Thing, mine: Thing) -> Thing:
    return theirs if mine == base else mine
