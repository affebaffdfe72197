"""Writes of segments and their rules; each change takes the lock of the unit's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, update

from leadvibe.engine.conditions import MAX_CLAUSES, Condition, ConditionError, parse_operator
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.db import session
from leadvibe.lib.ids import new_id
from leadvibe.scoring.service import lock_configuration
from leadvibe.segments import queries
from leadvibe.segments.errors import (
    BadSegmentRuleError,
    SegmentExistsError,
    TooManySegmentRulesError,
)
from leadvibe.segments.models import SegmentRow, SegmentRuleRow
from leadvibe.segments.types import RuleType, Segment, SegmentRule, condition_of


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
    """Delete a segment with its rules; leads stay. Raises SegmentNotFoundError."""
    lock_configuration(scope)
    queries.get_segment(scope, segment_id)
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

    Raises SegmentNotFoundError, BadSegmentRuleError and TooManySegmentRulesError.
    """
    lock_configuration(scope)
    rules = queries.list_rules(scope, segment_id)
    if len(rules) >= MAX_CLAUSES:
        raise TooManySegmentRulesError(
            f"The segment has {MAX_CLAUSES} rules, and more cannot be. Use `in` with a list, or"
            " make a second segment."
        )
    given = dict(fields)
    if given["order"] is None:
        places = [it.order for it in rules if it.group == given["group"]]
        given["order"] = max(places, default=-1) + 1
    check_rule(given)
    rule_id = new_id()
    session().execute(
        insert(SegmentRuleRow).values(
            unit_id=scope.unit_id,
            segment_id=segment_id,
            rule_id=rule_id,
            **given,
            **_made(principal, now),
        )
    )
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
    told = ("rule_type", "field", "operator", "value", "event_type")
    check_rule({name: changes.get(name, getattr(current, name)) for name in told})
    session().execute(
        update(SegmentRuleRow)
        .where(SegmentRuleRow.unit_id == scope.unit_id, SegmentRuleRow.rule_id == rule_id)
        .values(**changes, updated_at=now, updated_by=principal.label)
    )
    return queries.get_rule(scope, segment_id, rule_id)


def delete_rule(scope: Scope, segment_id: UUID, rule_id: UUID) -> None:
    """Delete a rule. Raises SegmentNotFoundError and SegmentRuleNotFoundError."""
    lock_configuration(scope)
    queries.get_rule(scope, segment_id, rule_id)
    session().execute(
        delete(SegmentRuleRow).where(
            SegmentRuleRow.unit_id == scope.unit_id, SegmentRuleRow.rule_id == rule_id
        )
    )


def check_rule(fields: Mapping[str, Any], *, prefix: str = "") -> None:
    """Raise BadSegmentRuleError, which names the API's field, when a rule means nothing."""
    rule_type = RuleType(fields["rule_type"])
    if rule_type is RuleType.EVENT_METADATA and not fields["event_type"]:
        raise _bad(prefix + "event_type", "is missing: say of which type the events are")
    if not rule_type.is_level and not fields["field"]:
        raise _bad(prefix + "field_name", "is missing: name the property that is compared")
    try:
        condition_of(rule_type, fields["field"], fields["operator"], fields["value"])
    except ConditionError as error:
        raise _bad(prefix + _blamed(rule_type, fields), f"does not fit: {error}") from error


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
