"""Reads of segments and their rules, and what membership is in SQL, each confined to one unit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from leadvibe.engine.conditions import Joiner
from leadvibe.identity.types import Scope
from leadvibe.lib.db import session
from leadvibe.segments.errors import SegmentNotFoundError, SegmentRuleNotFoundError
from leadvibe.segments.models import SegmentRow, SegmentRuleRow
from leadvibe.segments.types import RuleType, Segment, SegmentRule


def list_segments(scope: Scope) -> list[Segment]:
    """Return the segments of the unit, by name."""
    statement = _segments(scope).order_by(SegmentRow.name)
    return [Segment(*row) for row in session().execute(statement)]


def get_segment(scope: Scope, segment_id: UUID) -> Segment:
    """Return a segment. Raises SegmentNotFoundError."""
    statement = _segments(scope).where(SegmentRow.segment_id == segment_id)
    row = session().execute(statement).one_or_none()
    if row is None:
        raise SegmentNotFoundError(f"There is no segment '{segment_id}' in this unit.")
    return Segment(*row)


def list_rules(scope: Scope, segment_id: UUID) -> list[SegmentRule]:
    """Return the rules of a segment in their order. Raises SegmentNotFoundError."""
    get_segment(scope, segment_id)
    statement = _rules(scope).where(SegmentRuleRow.segment_id == segment_id)
    return _read(statement)


def list_rules_of_all(scope: Scope) -> dict[UUID, list[SegmentRule]]:
    """Return the rules of every segment that has any, in their order."""
    rules: dict[UUID, list[SegmentRule]] = {}
    for rule in _read(_rules(scope)):
        rules.setdefault(rule.segment_id, []).append(rule)
    return rules


def get_rule(scope: Scope, segment_id: UUID, rule_id: UUID) -> SegmentRule:
    """Return a rule. Raises SegmentNotFoundError and SegmentRuleNotFoundError."""
    for rule in list_rules(scope, segment_id):
        if rule.rule_id == rule_id:
            return rule
    raise SegmentRuleNotFoundError(f"There is no rule '{rule_id}' in this segment.")


def _segments(scope: Scope) -> Select[Any]:
    columns: tuple[Any, ...] = (
        SegmentRow.segment_id,
        SegmentRow.name,
        SegmentRow.description,
        SegmentRow.active,
        SegmentRow.created_at,
        SegmentRow.updated_at,
        SegmentRow.created_by,
        SegmentRow.updated_by,
    )
    return select(*columns).where(SegmentRow.unit_id == scope.unit_id)


def _rules(scope: Scope) -> Select[Any]:
    columns: tuple[Any, ...] = (
        SegmentRuleRow.rule_id,
        SegmentRuleRow.segment_id,
        SegmentRuleRow.name,
        SegmentRuleRow.rule_type,
        SegmentRuleRow.field,
        SegmentRuleRow.operator,
        SegmentRuleRow.value,
        SegmentRuleRow.event_type,
        SegmentRuleRow.group,
        SegmentRuleRow.logic_op,
        SegmentRuleRow.order,
        SegmentRuleRow.active,
        SegmentRuleRow.created_at,
        SegmentRuleRow.updated_at,
        SegmentRuleRow.created_by,
        SegmentRuleRow.updated_by,
    )
    order = (SegmentRuleRow.group, SegmentRuleRow.order, SegmentRuleRow.rule_id)
    return select(*columns).where(SegmentRuleRow.unit_id == scope.unit_id).order_by(*order)


def _read(statement: Select[Any]) -> list[SegmentRule]:
    return [
        SegmentRule(
            rule_id, segment_id, name, RuleType(rule_type), field, operator, value, event_type,
            group, Joiner(logic_op), *rest,
        )
        for (
            rule_id, segment_id, name, rule_type, field, operator, value, event_type,
            group, logic_op, *rest
        ) in session().execute(statement)
    ]  # fmt: skip
