"""The rules of a segment while somebody builds them: read from a form, rearranged and judged.

The form sends them as `rules-0-field` and so on, in their order. What is written stays text, right
or wrong, until it is saved.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID

from leadvibe.engine.conditions import MAX_CLAUSES, Joiner, Operator
from leadvibe.identity.types import Scope
from leadvibe.lib.ids import parse_id
from leadvibe.scoring.condition_words import misfit, spell
from leadvibe.scoring.errors import AbmDisabledError
from leadvibe.segments.errors import BadSegmentRuleError
from leadvibe.segments.service import check_rule
from leadvibe.segments.types import RuleDraft, RuleType, SegmentRule

Choice = TypeVar("Choice", bound=StrEnum)

LONGEST_FIELD = 1_000
LONGEST_VALUE = 4_000
LONGEST_EVENT_TYPE = 200
_NO_ERRORS: Mapping[str, str] = MappingProxyType({})
_FIELDS_OF_API = {"field_name": "field"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleInput:
    """A rule as the form has it. `errors` say what is wrong, by the control it is wrong in."""

    rule_id: UUID | None = None
    name: str = ""
    rule_type: RuleType = RuleType.LEAD_METADATA
    event_type: str = ""
    field: str = ""
    operator: Operator = Operator.EQUALS
    value: str = ""
    group: int = 0
    logic_op: Joiner = Joiner.AND
    active: bool = True
    errors: Mapping[str, str] = dataclasses.field(default_factory=lambda: _NO_ERRORS)

    @property
    def needs_value(self) -> bool:
        return self.operator.affirmative is not Operator.EXISTS


Stored = Mapping[UUID | None, SegmentRule]
"""The rules that a segment has, by their ids."""


def inputs_of(rules: Iterable[SegmentRule]) -> list[RuleInput]:
    """Return stored rules as the form shows them."""
    return _numbered(_groups([_input_of(rule) for rule in rules]))


def _input_of(rule: SegmentRule) -> RuleInput:
    return RuleInput(
        rule_id=rule.rule_id,
        name=rule.name,
        rule_type=rule.rule_type,
        event_type=rule.event_type.strip(),  # as a form sends it back
        field=rule.field.strip(),
        operator=Operator(rule.operator),
        value=spell(rule.value).strip(),
        group=rule.group,
        logic_op=rule.logic_op,
        active=rule.active,
    )


def read_rules(form: Mapping[str, str]) -> list[RuleInput]:
    """Read the rules that a form has sent; a choice that it does not offer becomes the first."""
    rules = []
    for place in range(MAX_CLAUSES):
        sent = _Sent(form, f"rules-{place}-")
        if sent.text("rule_type"):
            rules.append(_read_rule(sent))
    return _numbered(_groups(sorted(rules, key=lambda rule: rule.group)))


@dataclass(frozen=True, slots=True)
class _Sent:
    form: Mapping[str, str]
    prefix: str

    def text(self, name: str) -> str:
        return self.form.get(self.prefix + name, "").strip()


def _read_rule(sent: _Sent) -> RuleInput:
    group = sent.text("group")
    return RuleInput(
        rule_id=parse_id(sent.text("rule_id")),
        name=sent.text("name"),
        rule_type=_choice(RuleType, sent.text("rule_type"), RuleType.LEAD_METADATA),
        event_type=sent.text("event_type"),
        field=sent.text("field"),
        operator=_choice(Operator, sent.text("operator"), Operator.EQUALS),
        value=sent.text("value"),
        group=int(group) if group.isdecimal() else 0,
        logic_op=_choice(Joiner, sent.text("logic_op"), Joiner.AND),
        active=sent.text("active") != "0",
    )


def _choice(kind: type[Choice], text: str, otherwise: Choice) -> Choice:
    return kind(text) if text in frozenset(kind) else otherwise


def rearranged(rules: Sequence[RuleInput], action: str) -> list[RuleInput]:
    """Do what a button of the form says, such as "add:0", "remove:2" or "up:3".

    What joins rules stays where it stands when they change places. Does nothing for other words.
    """
    verb, _, number = action.partition(":")
    if verb == "group":
        return _with_new(rules, max((rule.group for rule in rules), default=-1) + 1)
    place = int(number) if number.isdecimal() else -1
    if verb == "add" and place >= 0:
        return _with_new(rules, place)
    if verb not in _CHANGES or not 0 <= place < len(rules):
        return list(rules)
    groups = _groups(rules)
    _CHANGES[verb](groups, *_find(groups, place))
    return _numbered(groups)


def _with_new(rules: Sequence[RuleInput], group: int) -> list[RuleInput]:
    if len(rules) >= MAX_CLAUSES:
        return list(rules)
    added = [*rules, RuleInput(group=group)]
    return _numbered(_groups(sorted(added, key=lambda rule: rule.group)))


_Groups = list[list[RuleInput]]


def _groups(rules: Iterable[RuleInput]) -> _Groups:
    return [list(members) for _, members in groupby(rules, key=lambda rule: rule.group)]


def _numbered(groups: _Groups) -> list[RuleInput]:
    filled = [group for group in groups if group]
    return [replace(rule, group=number) for number, group in enumerate(filled) for rule in group]


def _find(groups: _Groups, place: int) -> tuple[int, int]:
    """Return the group of the rule at that place among all, and its place in the group."""
    for number, group in enumerate(groups):
        if place < len(group):
            return number, place
        place -= len(group)
    raise AssertionError


def _remove(groups: _Groups, number: int, place: int) -> None:
    removed = groups[number].pop(place)
    if place == 0 and groups[number]:
        groups[number][0] = replace(groups[number][0], logic_op=removed.logic_op)


def _toggle(groups: _Groups, number: int, place: int) -> None:
    rule = groups[number][place]
    groups[number][place] = replace(rule, active=not rule.active)


def _move_up(groups: _Groups, number: int, place: int) -> None:
    if place > 0:
        _swap(groups[number], place - 1, place)
    elif number > 0:
        rule = groups[number][0]
        _remove(groups, number, 0)
        groups[number - 1].append(replace(rule, logic_op=Joiner.AND))


def _move_down(groups: _Groups, number: int, place: int) -> None:
    if place + 1 < len(groups[number]):
        _swap(groups[number], place, place + 1)
    elif number + 1 < len(groups):
        rule, after = groups[number][place], groups[number + 1]
        # Alone in its group, it takes along how that was joined to the ones before.
        joiner = rule.logic_op if place == 0 else after[0].logic_op
        _remove(groups, number, place)
        after[0] = replace(after[0], logic_op=Joiner.AND)
        after.insert(0, replace(rule, logic_op=joiner))


def _swap(group: list[RuleInput], one: int, other: int) -> None:
    first, second = group[one], group[other]
    group[one] = replace(second, logic_op=first.logic_op)
    group[other] = replace(first, logic_op=second.logic_op)


_CHANGES: Mapping[str, Callable[[_Groups, int, int], None]] = {
    "remove": _remove,
    "toggle": _toggle,
    "up": _move_up,
    "down": _move_down,
}


def judged(scope: Scope, rules: Iterable[RuleInput], stored: Stored) -> list[RuleInput]:
    """Return the rules with what is wrong with each; what stands untouched is not judged again."""
    return [replace(rule, errors=_errors(scope, rule, stored)) for rule in rules]


def _errors(scope: Scope, rule: RuleInput, stored: Stored) -> Mapping[str, str]:
    if _find_untouched(rule, stored) is not None:
        return _NO_ERRORS
    errors = _missing(rule) | _too_long(rule)
    return errors or _refused(scope, rule)


def _find_untouched(rule: RuleInput, stored: Stored) -> SegmentRule | None:
    """Return the stored rule when this one still asks the same."""
    known = stored.get(rule.rule_id)
    is_untouched = known is not None and _asks(_input_of(known)) == _asks(rule)
    return known if is_untouched else None


def _asks(rule: RuleInput) -> tuple[object, ...]:
    return rule.rule_type, rule.event_type, rule.field, rule.operator, rule.value


def _missing(rule: RuleInput) -> dict[str, str]:
    errors = {}
    if rule.rule_type is RuleType.EVENT_METADATA and not rule.event_type:
        errors["event_type"] = "Choose a type of event."
    if not rule.rule_type.is_level and not rule.field:
        errors["field"] = "Name the property."
    if rule.needs_value and not rule.value:
        is_level = rule.rule_type.is_level
        errors["value"] = "Choose a level." if is_level else "Give a value, or choose “is empty”."
    elif rule.needs_value and (problem := misfit(rule.operator, rule.value)):
        errors["value"] = problem
    return errors


def _too_long(rule: RuleInput) -> dict[str, str]:
    longest = {
        "field": LONGEST_FIELD, "value": LONGEST_VALUE, "event_type": LONGEST_EVENT_TYPE,
    }  # fmt: skip
    errors = {
        name: f"Use at most {most:,} characters."
        for name, most in longest.items()
        if len(getattr(rule, name)) > most
    }
    if not rule.event_type.isprintable():
        errors["event_type"] = "Leave out line breaks and control characters."
    return errors


def _refused(scope: Scope, rule: RuleInput) -> dict[str, str]:
    draft = _draft(rule, {}, order=0)
    fields = {name: getattr(draft, name) for name in ("field", "operator", "value", "event_type")}
    try:
        check_rule(scope, {**fields, "rule_type": rule.rule_type})
    except AbmDisabledError as error:
        return {"rule_type": error.message}
    except BadSegmentRuleError as error:
        about = next(iter(error.fields))
        return {_FIELDS_OF_API.get(about, about): f"This {error.fields[about]}."}
    return {}


def drafts_of(rules: Sequence[RuleInput], stored: Stored) -> list[RuleDraft]:
    """Return the rules that are whole. What was not touched stays exactly as it is stored."""
    places = enumerate(rules)
    return [_draft(rule, stored, order=place) for place, rule in places if not rule.errors]


def _draft(rule: RuleInput, stored: Stored, *, order: int) -> RuleDraft:
    known = _find_untouched(rule, stored)
    return RuleDraft(
        rule_id=rule.rule_id if rule.rule_id in stored else None,
        name=rule.name,
        rule_type=rule.rule_type,
        group=rule.group,
        logic_op=rule.logic_op,
        order=order,
        active=rule.active,
        **(_told_by(rule) if known is None else _told_by_stored(known)),
    )


def _told_by(rule: RuleInput) -> dict[str, Any]:
    return {
        "field": "" if rule.rule_type.is_level else rule.field,
        "operator": rule.operator.value,
        "value": rule.value if rule.needs_value else None,
        "event_type": rule.event_type if rule.rule_type is RuleType.EVENT_METADATA else "",
    }


def _told_by_stored(rule: SegmentRule) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in ("field", "operator", "value", "event_type")}
