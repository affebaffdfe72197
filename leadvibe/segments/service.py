"""Writes of segments and their rules; each change takes the lock of the unit's configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, update

from leadvibe.engine.conditions import MAX_CLAUSES, Condition, ConditionError, parse_operator
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.db import driver, session
from leadvibe.lib.ids import new_id
from leadvibe.scoring.queries import require_abm
from leadvibe.scoring.service import lock_configuration
from leadvibe.segments import queries
from leadvibe.segments.errors import (
    BadSegmentRuleError,
    SegmentChangedError,
    SegmentExistsError,
    TooManySegmentRulesError,
)
from leadvibe.segments.models import SegmentRow, SegmentRuleRow
from leadvibe.segments.picking import copy_picks
from leadvibe.segments.types import (
    RuleDraft,
    RuleType,
    Segment,
    SegmentRule,
    condition_of,
    state_of,
)

LONGEST_NAME = 100
_TOLD = ("rule_type", "field", "operator", "value", "event_type")
"""What a rule asks, apart from its name, its place and whether it is asked at all."""


def create_segment(
    principal: Principal, scope: Scope, fields: Mapping[str, Any], *, now: datetime
) -> Segment:
    """Make a segment without rules, which nobody is in. Raises SegmentExistsError."""
    lock_configuration(scope)
    _check_name(scope, fields["name"])
    segment_id = new_id()
    session().execute(
        insert(SegmentRow).values(
            unit_id=scope.unit_id, segment_id=segment_id, **fields, **_made(principal, now)
        )
    )
    return queries.get_segment(scope, segment_id)


def update_segment(
    principal: Principal,
    scope: Scope,
    segment_id: UUID,
    changes: Mapping[str, Any],
    *,
    now: datetime,
) -> Segment:
    """Change a segment. Raises SegmentNotFoundError and SegmentExistsError."""
    lock_configuration(scope)
    current = queries.get_segment(scope, segment_id)
    if changes.get("name", current.name) != current.name:
        _check_name(scope, changes["name"])
    session().execute(
        update(SegmentRow)
        .where(SegmentRow.unit_id == scope.unit_id, SegmentRow.segment_id == segment_id)
        .values(**changes, updated_at=now, updated_by=principal.label)
    )
    return queries.get_segment(scope, segment_id)


def delete_segment(scope: Scope, segment_id: UUID) -> None:
    """Delete a segment with its rules and picks, and the views of leads narrowed to it; leads stay.

    Such a view would show everybody, or nobody. Raises SegmentNotFoundError.
    """
    lock_configuration(scope)
    queries.get_segment(scope, segment_id)
    driver().execute(
        "DELETE FROM lead_views WHERE unit_id = %s AND query ->> 'segment' = %s",
        (scope.unit_id, str(segment_id)),
    )
    session().execute(
        delete(SegmentRow).where(
            SegmentRow.unit_id == scope.unit_id, SegmentRow.segment_id == segment_id
        )
    )


def create_rule(
    principal: Principal,
    scope: Scope,
    segment_id: UUID,
    fields: Mapping[str, Any],
    *,
    now: datetime,
) -> SegmentRule:
    """Add a rule. Without a place of its own it comes last.

    Raises SegmentNotFoundError, TooManySegmentRulesError and what check_rule does.
    """
    lock_configuration(scope)
    rules = queries.list_rules(scope, segment_id)
    _check_number(len(rules) + 1)
    given = dict(fields)
    if given["order"] is None:
        places = [it.order for it in rules if it.group == given["group"]]
        given["order"] = max(places, default=-1) + 1
    check_rule(scope, given)
    rule_id = _insert_rule(principal, scope, segment_id, given, now=now)
    return queries.get_rule(scope, segment_id, rule_id)


def update_rule(
    principal: Principal,
    scope: Scope,
    segment_id: UUID,
    rule_id: UUID,
    changes: Mapping[str, Any],
    *,
    now: datetime,
) -> SegmentRule:
    """Change a rule. Raises what create_rule does, and SegmentRuleNotFoundError."""
    lock_configuration(scope)
    current = queries.get_rule(scope, segment_id, rule_id)
    if not changes.keys().isdisjoint(_TOLD):
        check_rule(scope, {name: changes.get(name, getattr(current, name)) for name in _TOLD})
    _update_rule(principal, scope, rule_id, changes, now=now)
    return queries.get_rule(scope, segment_id, rule_id)


def delete_rule(scope: Scope, segment_id: UUID, rule_id: UUID) -> None:
    """Delete a rule. Raises SegmentNotFoundError and SegmentRuleNotFoundError."""
    lock_configuration(scope)
    queries.get_rule(scope, segment_id, rule_id)
    _delete_rules(scope, [rule_id])


def save_segment(
    principal: Principal,
    scope: Scope,
    segment_id: UUID | None,
    fields: Mapping[str, Any],
    drafts: Sequence[RuleDraft],
    *,
    state: str = "",
    now: datetime,
) -> Segment:
    """Make or change a segment together with all its rules; those without a draft are deleted.

    Rules that stay keep their ids. What stands untouched is not judged again. Raises
    SegmentChangedError unless the segment is in the `state` that `state_of` named, and what
    create_segment, update_segment and create_rule do.
    """
    lock_configuration(scope)
    _check_number(len(drafts))
    if segment_id is None:
        segment = create_segment(principal, scope, fields, now=now)
    else:
        _check_state(scope, segment_id, state)
        segment = update_segment(principal, scope, segment_id, fields, now=now)
    _save_rules(principal, scope, segment.segment_id, drafts, now=now)
    return segment


def copy_segment(principal: Principal, scope: Scope, segment_id: UUID, *, now: datetime) -> Segment:
    """Make a segment of the same rules and picks, with a name of its own.

    Raises SegmentNotFoundError.

    Rules about accounts are not copied while accounts are switched off: raises AbmDisabledError.
    """
    lock_configuration(scope)
    segment, rules = queries.get_segment(scope, segment_id), queries.list_rules(scope, segment_id)
    fields = {
        "name": _name_of_copy(scope, segment.name),
        "description": segment.description,
        "active": segment.active,
    }
    drafts = [_draft_of(rule) for rule in rules]
    copied = save_segment(principal, scope, None, fields, drafts, now=now)
    copy_picks(scope, segment_id, copied.segment_id)
    return queries.get_segment(scope, copied.segment_id)


def check_rule(scope: Scope, fields: Mapping[str, Any], *, prefix: str = "") -> None:
    """Raise BadSegmentRuleError, which names the API's field, when a rule means nothing.

    Raises AbmDisabledError when it is about accounts and the organisation has none.
    """
    rule_type = RuleType(fields["rule_type"])
    if rule_type.is_of_account:
        require_abm(scope)
    if rule_type is RuleType.EVENT_METADATA and not fields["event_type"]:
        raise _bad(prefix + "event_type", "is missing: say of which type the events are")
    if not rule_type.is_level and not fields["field"]:
        raise _bad(prefix + "field_name", "is missing: name the property that is compared")
    try:
        condition_of(rule_type, fields["field"], fields["operator"], fields["value"])
    except ConditionError as error:
        raise _bad(prefix + _blamed(rule_type, fields), f"does not fit: {error}") from error


def _check_number(rules: int) -> None:
    if rules > MAX_CLAUSES:
        raise TooManySegmentRulesError(
            f"A segment has at most {MAX_CLAUSES} rules. Use `in` with a list, or make a second"
            " segment."
        )


def _check_state(scope: Scope, segment_id: UUID, state: str) -> None:
    segment, rules = queries.get_segment(scope, segment_id), queries.list_rules(scope, segment_id)
    if state != state_of(segment, rules):
        raise SegmentChangedError(
            "The segment is not what it was when you opened it: somebody has changed it. Look at"
            " it again before you save."
        )


def _save_rules(
    principal: Principal,
    scope: Scope,
    segment_id: UUID,
    drafts: Sequence[RuleDraft],
    *,
    now: datetime,
) -> None:
    stored: dict[UUID | None, SegmentRule] = {
        rule.rule_id: rule for rule in queries.list_rules(scope, segment_id)
    }
    for place, draft in enumerate(drafts):
        fields, current = asdict(draft), stored.pop(draft.rule_id, None)
        del fields["rule_id"]
        if current is None or any(fields[name] != getattr(current, name) for name in _TOLD):
            check_rule(scope, fields, prefix=f"rules.{place}.")
        if current is None:
            _insert_rule(principal, scope, segment_id, fields, now=now)
        elif draft != _draft_of(current):
            _update_rule(principal, scope, current.rule_id, fields, now=now)
    _delete_rules(scope, stored)


def _insert_rule(
    principal: Principal,
    scope: Scope,
    segment_id: UUID,
    fields: Mapping[str, Any],
    *,
    now: datetime,
) -> UUID:
    rule_id = new_id()
    session().execute(
        insert(SegmentRuleRow).values(
            unit_id=scope.unit_id,
            segment_id=segment_id,
            rule_id=rule_id,
            **fields,
            **_made(principal, now),
        )
    )
    return rule_id


def _update_rule(
    principal: Principal, scope: Scope, rule_id: UUID, changes: Mapping[str, Any], *, now: datetime
) -> None:
    session().execute(
        update(SegmentRuleRow)
        .where(SegmentRuleRow.unit_id == scope.unit_id, SegmentRuleRow.rule_id == rule_id)
        .values(**changes, updated_at=now, updated_by=principal.label)
    )


def _delete_rules(scope: Scope, rule_ids: Iterable[UUID | None]) -> None:
    session().execute(
        delete(SegmentRuleRow).where(
            SegmentRuleRow.unit_id == scope.unit_id, SegmentRuleRow.rule_id.in_(list(rule_ids))
        )
    )


def _draft_of(rule: SegmentRule) -> RuleDraft:
    return RuleDraft(
        rule_id=rule.rule_id,
        name=rule.name,
        rule_type=rule.rule_type,
        field=rule.field,
        operator=rule.operator,
        value=rule.value,
        event_type=rule.event_type,
        group=rule.group,
        logic_op=rule.logic_op,
        order=rule.order,
        active=rule.active,
    )


def _name_of_copy(scope: Scope, name: str) -> str:
    """Return the first of "Fans copy", "Fans copy 2" and so on that no segment has."""
    taken = {segment.name for segment in queries.list_segments(scope)}
    for number in count(1):
        ending = " copy" if number == 1 else f" copy {number}"
        wanted = name[: LONGEST_NAME - len(ending)].rstrip() + ending
        if wanted not in taken:
            return wanted
    raise AssertionError


def _blamed(rule_type: RuleType, fields: Mapping[str, Any]) -> str:
    try:
        parse_operator(fields["operator"])
    except ConditionError:
        return "operator"
    try:
        if not rule_type.is_level:
            Condition(fields["field"], parse_operator("exists"))
    except ConditionError:
        return "field_name"
    return "value"


def _bad(field: str, problem: str) -> BadSegmentRuleError:
    return BadSegmentRuleError(f"{field} {problem}.", fields={field: problem})


def _check_name(scope: Scope, name: str) -> None:
    if any(it.name == name for it in queries.list_segments(scope)):
        raise SegmentExistsError(
            f"A segment named '{name}' exists already. Change that one, or choose another name.",
            fields={"name": "exists already"},
        )


def _made(principal: Principal, now: datetime) -> dict[str, Any]:
    by = principal.label
    return {"created_at": now, "updated_at": now, "created_by": by, "updated_by": by}
