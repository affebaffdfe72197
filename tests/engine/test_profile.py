"""Profile scores: what documents are worth by their properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadvibe.engine.conditions import ConditionError, holds
from leadvibe.engine.policies import AttributeRule, AttributeRuleset, FieldTest
from leadvibe.engine.profile import (
    NOTHING,
    AttributeScorer,
    condition_of,
    ordered,
    scorers_of,
    sets_to_rescore,
)
from tests.engine.factories import make_id


def rule(key: str, operator: str, value: object = None, weight: int = 10, order: int = 0):
    return AttributeRule(make_id(), FieldTest(key, operator, value), weight, order)


def ruleset(*rules: AttributeRule, **fields) -> AttributeRuleset:
    return AttributeRuleset(make_id(), "Fit", rules=rules, **fields)


def score(wanted: AttributeRuleset, document: dict, *, allow_negative: bool = False):
    return AttributeScorer(wanted, allow_negative=allow_negative).score(document)


def test_the_weights_of_all_rules_that_are_met_add_up():
    big, tech, title = (
        rule("employees", "gte", "200", 30),
        rule("industry", "equals", "technology", 20),
        rule("title", "contains", "vp", 50),
    )

    scored = score(ruleset(big, tech, title), {"employees": 250, "industry": "Technology"})

    assert scored == (50, (big.rule_id, tech.rule_id))


def test_any_element_of_a_list_will_do_and_numbers_compare_only_with_numbers():
    any_tag, at_least = rule("tags", "equals", "b2b", 5), rule("size", "gt", "10", 7)

    assert score(ruleset(any_tag), {"tags": ["saas", "B2B"]}).score == 5
    assert score(ruleset(at_least), {"size": "large"}) == NOTHING


@pytest.mark.parametrize(("allow_negative", "total"), [(False, 0), (True, -15)])
def test_a_total_below_zero_counts_only_where_that_is_allowed(allow_negative, total):
    student, cheap = rule("role", "equals", "student", -25), rule("plan", "exists", weight=10)

    scored = score(
        ruleset(student, cheap), {"role": "Student", "plan": "x"}, allow_negative=allow_negative
    )

    assert scored.score == total
    assert scored.matched == (student.rule_id, cheap.rule_id)


def test_who_has_no_property_may_be_worth_something_for_that():
    missing = rule("phone", "not_exists", weight=-5)

    assert score(ruleset(missing), {}, allow_negative=True) == (-5, (missing.rule_id,))


def test_matched_rules_come_in_the_order_in_which_they_were_arranged():
    second, first = rule("a", "exists", order=2), rule("b", "exists", order=1)

    assert score(ruleset(second, first), {"a": 1, "b": 1}).matched == (
        first.rule_id,
        second.rule_id,
    )
    assert ordered([second, first]) == [first, second]


def test_a_disabled_set_scores_nobody():
    off, on = ruleset(rule("a", "exists"), enabled=False), ruleset()

    assert [it.ruleset_id for it in scorers_of([off, on], allow_negative=False)] == [on.ruleset_id]


def test_a_test_that_means_nothing_is_refused():
    with pytest.raises(ConditionError):
        condition_of(FieldTest("a", "resembles", "b"))


class TestWhatAChangeMakesStale:
    rule = rule("a", "equals", "b")
    kept = ruleset(rule)

    def changed(self, *rules, **fields) -> AttributeRuleset:
        return AttributeRuleset(self.kept.ruleset_id, "Fit", rules=rules, **fields)

    def stale(self, before, after) -> bool:
        return sets_to_rescore(before, after) == [self.kept.ruleset_id]

    def test_a_new_rule_and_a_changed_one(self):
        heavier = AttributeRule(self.rule.rule_id, self.rule.test, 99)
        other = AttributeRule(self.rule.rule_id, FieldTest("a", "equals", 1), 10)

        assert self.stale([self.kept], [self.changed(self.rule, rule("c", "exists"))])
        assert self.stale([self.kept], [self.changed(heavier)])
        assert self.stale([self.kept], [self.changed(other)])

    def test_a_set_that_is_new_or_enabled_again(self):
        assert self.stale([], [self.kept])
        assert self.stale([self.changed(self.rule, enabled=False)], [self.kept])

    def test_nothing_that_is_deleted_disabled_renamed_or_moved(self):
        renamed = AttributeRuleset(self.kept.ruleset_id, "New", is_primary=True, rules=(self.rule,))
        moved = self.changed(AttributeRule(self.rule.rule_id, self.rule.test, 10, order=7))
        off = self.changed(self.rule, rule("c", "exists"), enabled=False)

        for after in ([], [self.changed()], [off], [renamed], [moved], [self.kept]):
            assert not sets_to_rescore([self.kept], after)

    def test_an_empty_set(self):
        assert not sets_to_rescore([], [ruleset()])


_tests = st.builds(
    FieldTest,
    st.sampled_from(("size", "industry")),
    st.sampled_from(("equals", "gt", "contains", "not_exists", "in")),
    st.sampled_from(("tech", "10", 5)),
)
_rules = st.builds(AttributeRule, st.uuids(), _tests, st.integers(-50, 50), st.integers(0, 3))
_documents = st.dictionaries(
    st.sampled_from(("size", "industry")), st.sampled_from(("Tech", 3, 20, ["tech", 12], None))
)


@given(st.lists(_rules, max_size=6), _documents)
def test_the_matched_rules_explain_the_score(rules, document):
    scored = score(ruleset(*rules), document, allow_negative=True)

    met = {it.rule_id: it.weight for it in rules if holds(condition_of(it.test), document)}
    assert set(scored.matched) == set(met)
    assert scored.score == sum(met[rule_id] for rule_id in scored.matched)
