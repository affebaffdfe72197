"""Rulesets and rules as a page shows them: those in force, or a draft's with what differs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from leadvibe.engine.conditions import Operator, parse_operator
from leadvibe.engine.policies import SYSTEM_TYPES, AttributeRule, AttributeRuleset, FieldTest
from leadvibe.engine.profile import ordered
from leadvibe.engine.rules import Config, LevelKind, Rule, Ruleset
from leadvibe.events.queries import list_event_types
from leadvibe.identity.types import Scope
from leadvibe.leads import documents
from leadvibe.scoring.condition_words import spell, words_of_test
from leadvibe.scoring.editing import AnyRule, AnyRuleset, rulesets_of, state_of
from leadvibe.scoring.wording import effect_of, signed
from leadvibe.web.forms.scoring import (
    AnyRuleForm,
    AnyRulesetForm,
    AttributeRuleForm,
    AttributeRulesetForm,
    RuleForm,
    RulesetForm,
    WeightForm,
    days_of,
)
from leadvibe.web.pages.display import Choice, counted, query_url, thousands
from leadvibe.web.pages.explanation import direction
from leadvibe.web.pages.scoring import RuleRow, RulesetCard

OFFERED = 300
"""Suggestions while typing: what else there is can be typed."""
UNSCORED_SHOWN = 8

DOCUMENTS = {LevelKind.PROFILE: documents.LEAD, LevelKind.ACCOUNT: documents.ACCOUNT}
_NOBODYS = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Forms that were opened, or sent and refused, to be shown where they stand."""

    ruleset: AnyRulesetForm | None = None
    """For a new one."""
    rulesets: Mapping[UUID, AnyRulesetForm] = field(default_factory=dict)
    added: Mapping[UUID, AnyRuleForm] = field(default_factory=dict)
    """For a new rule, by ruleset."""
    rules: Mapping[UUID, AnyRuleForm] = field(default_factory=dict)
    weights: Mapping[UUID, WeightForm] = field(default_factory=dict)
    """By rule."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What rules of a kind can be about, as far as it is known in the unit."""

    seen: Mapping[str, int]
    """Events by type, the most frequent first."""
    suggestions: tuple[str, ...]


def learn(scope: Scope, kind: LevelKind) -> Vocabulary:
    """Look up which event types or properties there are in the unit."""
    if kind is not LevelKind.ENGAGEMENT:
        return Vocabulary({}, tuple(documents.list_properties(scope, DOCUMENTS[kind])[:OFFERED]))
    types = [it for it in list_event_types(scope) if not it.hidden]
    return Vocabulary(
        {it.name: it.event_count for it in types}, tuple(it.name for it in types[:OFFERED])
    )


@dataclass(frozen=True, slots=True)
class Shelf:
    """One kind of score of a configuration, and how it is shown: alone, or as a draft of `live`."""

    config: Config
    kind: LevelKind
    known: Vocabulary
    live: Config | None = None
    url: str = ""
    """Of the draft's page; empty where nothing can be edited."""
    attempts: Attempts = field(default_factory=Attempts)

    def cards(self) -> tuple[RulesetCard, ...]:
        """Return the rulesets, the primary one first, then by name."""
        rulesets = sorted(
            rulesets_of(self.config, self.kind), key=lambda it: (not it.is_primary, it.name)
        )
        return tuple(map(self._card, rulesets))

    def row(self, rule_id: UUID) -> RuleRow | None:
        """Return one rule, or None when it is not there."""
        for ruleset in rulesets_of(self.config, self.kind):
            for rule in ruleset.rules:
                if rule.rule_id == rule_id:
                    return self._row(rule)
        return None

    def _card(self, ruleset: AnyRuleset) -> RulesetCard:
        id_, url = ruleset.ruleset_id, f"{self.url}/rulesets/{ruleset.ruleset_id}"
        return RulesetCard(
            id=str(id_),
            name=ruleset.name,
            is_primary=ruleset.is_primary,
            is_active=is_active(ruleset),
            period=period(ruleset.start_at, ruleset.end_at) if isinstance(ruleset, Ruleset) else "",
            mark=self._mark_of_ruleset(ruleset),
            state=state_of(ruleset),
            rules=tuple(map(self._row, arranged(ruleset.rules))),
            rules_label=counted(len(ruleset.rules), "rule"),
            rule_form=self.attempts.added.get(id_) or new_rule_form(self.kind),
            offers=self._offers(ruleset) if self.url else (),
            form=self.attempts.rulesets.get(id_),
            url=url if self.url else "",
            edit_url=f"{self.url}?ruleset={id_}#ruleset-{id_}",
            add_rule_url=f"{url}/rules",
            delete_url=f"{url}/delete" if self.url and not ruleset.is_primary else "",
        )

    def _row(self, rule: AnyRule) -> RuleRow:
        url, refused = f"{self.url}/rules/{rule.rule_id}", self.attempts.weights.get(rule.rule_id)
        seen = self.known.seen.get(rule.event_type, 0) if isinstance(rule, Rule) else 0
        return RuleRow(
            id=str(rule.rule_id),
            subject=subject_of(rule),
            effect=f"{'Each one' if isinstance(rule, Rule) else 'This'} {effect_of(rule.weight)}",
            weight=_typed(refused) if refused else str(rule.weight),
            weight_label=signed(rule.weight),
            direction=direction(rule.weight),
            has_switch=isinstance(rule, Rule),
            is_active=rule.active if isinstance(rule, Rule) else True,
            seen=thousands(seen) if isinstance(rule, Rule) else "",
            is_unseen=isinstance(rule, Rule) and not seen,
            period=period(rule.start_at, rule.end_at) if isinstance(rule, Rule) else "",
            mark=self._mark_of_rule(rule),
            state=state_of(rule),
            error=" ".join((*refused.weight.errors, *refused.form_errors)) if refused else "",
            form=self.attempts.rules.get(rule.rule_id),
            update_url=url,
            edit_url=f"{self.url}?rule={rule.rule_id}#rule-{rule.rule_id}",
            delete_url=f"{url}/delete",
        )

    def _offers(self, ruleset: AnyRuleset) -> tuple[Choice, ...]:
        """Return frequent event types that nothing scores, where the ruleset is the primary one."""
        if not isinstance(ruleset, Ruleset) or not ruleset.is_primary:
            return ()
        scored = {rule.event_type for it in self.config.rulesets for rule in it.rules}
        known = scored | SYSTEM_TYPES
        left = [(name, count) for name, count in self.known.seen.items() if name not in known]
        return tuple(
            Choice(
                f"{name} ({thousands(count)})",
                name,
                url=query_url(self.url, {"add": name, "to": str(ruleset.ruleset_id)})
                + f"#add-rule-{ruleset.ruleset_id}",
            )
            for name, count in left[:UNSCORED_SHOWN]
        )

    def _mark_of_ruleset(self, ruleset: AnyRuleset) -> str:
        if self.live is None:
            return ""
        before = _find(rulesets_of(self.live, self.kind), ruleset.ruleset_id)
        if before is None:
            return "New"
        return "" if state_of(before) == state_of(ruleset) else "Changed"

    def _mark_of_rule(self, rule: AnyRule) -> str:
        if self.live is None:
            return ""
        rules: dict[UUID, AnyRule] = {
            it.rule_id: it for ruleset in rulesets_of(self.live, self.kind) for it in ruleset.rules
        }
        before = rules.get(rule.rule_id)
        if before is None:
            return "New"
        if before.weight != rule.weight:
            return f"was {signed(before.weight)}"
        return "" if before == rule else "Changed"


def _typed(form: WeightForm) -> str:
    return str(form.weight.raw_data[0]) if form.weight.raw_data else ""


def _find(rulesets: Iterable[AnyRuleset], ruleset_id: UUID) -> AnyRuleset | None:
    return next((it for it in rulesets if it.ruleset_id == ruleset_id), None)


def arranged(rules: Sequence[AnyRule]) -> list[AnyRule]:
    """Return rules in the order of a page: about events the heaviest first, else as arranged."""
    about_events = [rule for rule in rules if isinstance(rule, Rule)]
    about_properties = [rule for rule in rules if isinstance(rule, AttributeRule)]
    heaviest_first = sorted(about_events, key=lambda it: (-abs(it.weight), it.event_type))
    return [*heaviest_first, *ordered(about_properties)]


def is_active(ruleset: AnyRuleset) -> bool:
    return ruleset.active if isinstance(ruleset, Ruleset) else ruleset.enabled


def subject_of(rule: AnyRule) -> str:
    """Say what a rule is about: an event type, or what a property must say."""
    return rule.event_type if isinstance(rule, Rule) else words_of_test(rule.test)


def new_rule_form(kind: LevelKind) -> AnyRuleForm:
    return RuleForm() if kind is LevelKind.ENGAGEMENT else AttributeRuleForm()


def rule_form_of(rule: AnyRule) -> AnyRuleForm:
    """Return the form that a rule is edited in."""
    if isinstance(rule, Rule):
        days = days_of(rule.start_at, rule.end_at)
        return RuleForm(data={"event_type": rule.event_type, "weight": rule.weight, **days})
    return AttributeRuleForm(
        data={
            "key": rule.test.key,
            "operator": parse_operator(rule.test.operator).value,
            "value": spell(rule.test.value),
            "weight": rule.weight,
        }
    )


def ruleset_form_of(ruleset: AnyRuleset) -> AnyRulesetForm:
    """Return the form that a ruleset is edited in."""
    if isinstance(ruleset, Ruleset):
        days = days_of(ruleset.start_at, ruleset.end_at)
        return RulesetForm(data={"name": ruleset.name, **days})
    return AttributeRulesetForm(data={"name": ruleset.name})


def new_ruleset(ruleset_id: UUID, form: AnyRulesetForm) -> AnyRuleset:
    """Return the ruleset that a form describes."""
    if isinstance(form, RulesetForm):
        return Ruleset(ruleset_id, form.name.data or "", **form.window())
    return AttributeRuleset(ruleset_id, form.name.data or "")


def new_rule(rule_id: UUID, form: AnyRuleForm, *, beside: Iterable[AnyRule]) -> AnyRule:
    """Return the rule that a form describes, to be the last of those beside it."""
    if isinstance(form, RuleForm):
        return Rule(rule_id, form.event_type.data or "", form.weight.data or 0, **form.window())
    order = max((it.order for it in beside if isinstance(it, AttributeRule)), default=-1) + 1
    return AttributeRule(rule_id, test_of(form), form.weight.data or 0, order)


def changes_of(form: AnyRuleForm, rule: AnyRule) -> dict[str, object]:
    """Return what a form makes of a rule; values that stay as they were keep their kind."""
    if isinstance(form, RuleForm):
        window = form.window() if days_of(*_window(rule)) != _days(form) else {}
        return {"event_type": form.event_type.data, "weight": form.weight.data, **window}
    test = test_of(form)
    if isinstance(rule, AttributeRule) and spell(rule.test.value) == form.value.data:
        test = FieldTest(test.key, test.operator, rule.test.value)
    return {"test": test, "weight": form.weight.data}


def _window(rule: AnyRule) -> tuple[datetime | None, datetime | None]:
    return (rule.start_at, rule.end_at) if isinstance(rule, Rule) else (None, None)


def _days(form: RuleForm) -> dict[str, object]:
    return {"start_at": form.start_at.data, "end_at": form.end_at.data}


def test_of(form: AttributeRuleForm) -> FieldTest:
    """Return the test that a form describes."""
    operator = Operator(form.operator.data)
    has_value = operator.affirmative is not Operator.EXISTS
    return FieldTest(form.key.data or "", operator.value, form.value.data if has_value else None)


def period(start_at: datetime | None, end_at: datetime | None) -> str:
    """Say when something applies; an end at midnight means that the day before is the last."""
    first = _day(start_at) if start_at else ""
    last = _day(_last_moment(end_at)) if end_at else ""
    if first and last:
        return f"{first} to {last}"
    if first:
        return f"from {first}"
    return f"until {last}" if last else ""


def _last_moment(end_at: datetime) -> datetime:
    is_midnight = end_at.astimezone(UTC).time() == time()
    return end_at - timedelta(microseconds=1) if is_midnight else end_at


def _day(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y}"
