"""What somebody is worth by who they are: rules over the properties of a lead or an account.

The total of the weights of all rules that are met, independent of any event. Which rules these
are is part of the answer, so that every point can be explained.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from leadvibe.engine.conditions import Condition, find_value, holds, parse_operator
from leadvibe.engine.policies import AttributeRule, AttributeRuleset, FieldTest


class AttributeScore(NamedTuple):
    """A total, and the rules that it is the sum of; floored at 0 it may be more than that sum."""

    score: int
    matched: tuple[UUID, ...]


NOTHING = AttributeScore(score=0, matched=())

MOST_REMEMBERED = 10_000
"""Values that a condition remembers; where there are more, few of them come twice."""

_PLAIN = frozenset({str, int, float, bool, type(None)})


class AttributeScorer:
    """A ruleset made ready to score any number of documents."""

    def __init__(self, ruleset: AttributeRuleset, *, allow_negative: bool) -> None:
        self.ruleset_id = ruleset.ruleset_id
        self._allow_negative = allow_negative
        self._rules = tuple(
            (_Test(condition_of(rule.test)), rule.rule_id, rule.weight)
            for rule in ordered(ruleset.rules)
        )

    def score(self, document: Mapping[str, Any]) -> AttributeScore:
        """Return what the document is worth."""
        met = [(rule_id, weight) for test, rule_id, weight in self._rules if test.is_met(document)]
        if not met:
            return NOTHING
        total = sum(weight for _, weight in met)
        score = total if self._allow_negative else max(total, 0)
        return AttributeScore(score, tuple(rule_id for rule_id, _ in met))


class _Test:
    """A condition that remembers its answers: most leads share their values with many others."""

    def __init__(self, condition: Condition) -> None:
        self._condition = condition
        self._answers: dict[tuple[type, Any], bool] = {}

    def is_met(self, document: Mapping[str, Any]) -> bool:
        value = find_value(document, self._condition.field)
        kind = type(value)
        if kind not in _PLAIN:
            return holds(self._condition, document)
        answer = self._answers.get((kind, value))  # apart by kind, for 1 equals True
        if answer is None:
            answer = holds(self._condition, document)
            if len(self._answers) < MOST_REMEMBERED:
                self._answers[kind, value] = answer
        return answer


def scorers_of(
    rulesets: Iterable[AttributeRuleset], *, allow_negative: bool
) -> tuple[AttributeScorer, ...]:
    """Return a scorer for each ruleset that is enabled; the others keep the scores they gave."""
    return tuple(
        AttributeScorer(ruleset, allow_negative=allow_negative)
        for ruleset in rulesets
        if ruleset.enabled
    )


def condition_of(test: FieldTest) -> Condition:
    """Return the condition that a rule's test means. Raises ConditionError when it means none."""
    return Condition(test.key, parse_operator(test.operator), test.value)


def ordered(rules: Iterable[AttributeRule]) -> list[AttributeRule]:
    """Return rules in the order in which people arranged them."""
    return sorted(rules, key=lambda rule: rule.order)


def sets_to_rescore(
    before: Iterable[AttributeRuleset], after: Iterable[AttributeRuleset]
) -> list[UUID]:
    """Return the rulesets whose scores a change of configuration makes stale.

    New rules, changed ones and a set that is enabled again say something else of everybody. That
    rules or sets were deleted, disabled or renamed does not: what they gave so far stays.
    """
    old = {ruleset.ruleset_id: ruleset for ruleset in before}
    return [
        ruleset.ruleset_id
        for ruleset in after
        if ruleset.enabled and _says_more(old.get(ruleset.ruleset_id), ruleset)
    ]


def _says_more(before: AttributeRuleset | None, after: AttributeRuleset) -> bool:
    known = _meaning(before) if before is not None and before.enabled else frozenset()
    was_frozen = before is not None and not before.enabled
    return was_frozen or not _meaning(after) <= known


def _meaning(ruleset: AttributeRuleset) -> frozenset[tuple[UUID, str, int]]:
    return frozenset((rule.rule_id, repr(rule.test), rule.weight) for rule in ruleset.rules)
