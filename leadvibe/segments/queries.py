"""Reads of segments and their rules, and what membership is in SQL, each confined to one unit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, select

from leadvibe.engine.conditions import Joiner
from leadvibe.identity.types import Scope
from leadvibe.leads.models import LeadRow
from leadvibe.lib.db import session
from leadvibe.lib.paging import PageRequest
from leadvibe.segments.errors import SegmentNotFoundError, SegmentRuleNotFoundError
from leadvibe.segments.models import SegmentPickRow, SegmentRow, SegmentRuleRow
from leadvibe.segments.types import Pick, RuleType, Segment, SegmentRule


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


def list_picks(scope: Scope, segment_id: UUID, request: PageRequest) -> list[Pick]:
    """Return who was put into a segment or is kept out, the last first."""
    statement = (
        _picks(scope, segment_id)
        .order_by(SegmentPickRow.picked_at.desc(), SegmentPickRow.lead_id)
        .limit(request.size)
        .offset(request.offset)
    )
    return [Pick(*row) for row in session().execute(statement)]


def find_pick(scope: Scope, segment_id: UUID, lead_id: str) -> Pick | None:
    """Return whether somebody put a lead into a segment or keeps it out; None if neither."""
    statement = _picks(scope, segment_id).where(SegmentPickRow.lead_id == lead_id)
    row = session().execute(statement).one_or_none()
    return None if row is None else Pick(*row)


def list_picked_ids(scope: Scope, segment_id: UUID) -> list[str]:
    """Return who was put into a segment by hand, merged leads and all."""
    statement = select(SegmentPickRow.lead_id).where(
        SegmentPickRow.unit_id == scope.unit_id,
        SegmentPickRow.segment_id == segment_id,
        SegmentPickRow.is_in,
    )
    return list(session().scalars(statement))


def count_picks(scope: Scope, segment_id: UUID) -> tuple[int, int]:
    """Return how many leads that stand for themselves were put in, and how many are kept out."""
    statement = _picks(scope, segment_id).with_only_columns(
        func.count().filter(SegmentPickRow.is_in), func.count().filter(~SegmentPickRow.is_in)
    )
    put_in, kept_out = session().execute(statement).one()
    return put_in, kept_out


def _picks(scope: Scope, segment_id: UUID) -> Select[Any]:
    columns: tuple[Any, ...] = (
        SegmentPickRow.lead_id,
        SegmentPickRow.is_in,
        SegmentPickRow.picked_at,
        SegmentPickRow.picked_by,
    )
    stands = exists().where(
        LeadRow.unit_id == SegmentPickRow.unit_id,
        LeadRow.lead_id == SegmentPickRow.lead_id,
        LeadRow.merged_into.is_(None),
    )
    return select(*columns).where(
        SegmentPickRow.unit_id == scope.unit_id, SegmentPickRow.segment_id == segment_id, stands
    )


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
        _is_any_picked(is_in=True),
        _is_any_picked(is_in=False),
    )
    return select(*columns).where(SegmentRow.unit_id == scope.unit_id)


def _is_any_picked(*, is_in: bool) -> ColumnElement[bool]:
    return exists().where(
        SegmentPickRow.unit_id == SegmentRow.unit_id,
        SegmentPickRow.segment_id == SegmentRow.segment_id,
        SegmentPickRow.is_in.is_(is_in),
    )


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
