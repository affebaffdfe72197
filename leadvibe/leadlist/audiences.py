"""What of a list's filter is about leads one by one: segments, levels of who they are, records.

No index knows these, so they are asked of leads that something else has found. See queries.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, any_, exists, literal, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute

from leadvibe.identity.types import Scope
from leadvibe.leadlist.rare_members import where_members_are
from leadvibe.leadlist.types import Comparison, LeadFilter
from leadvibe.leads.models import LeadRecordRow, LeadRow
from leadvibe.segments.membership import Audience, Membership
from leadvibe.segments.queries import get_segment, list_rules
from leadvibe.segments.types import RuleDraft, RuleType

EQUALS = "equals"


def condition_of(scope: Scope, wanted: LeadFilter) -> ColumnElement[bool] | None:
    """Return that part of a filter, or None. Raises SegmentNotFoundError."""
    if wanted.segment_id is None and wanted.profile_level is None and wanted.recorded is None:
        return None
    membership, parts = Membership(scope), [_is_recorded(wanted.recorded or ())]
    if wanted.segment_id is not None:
        segment = get_segment(scope, wanted.segment_id)
        audience = membership.of(segment, list_rules(scope, wanted.segment_id))
        parts += [*where_found(scope, audience), audience.condition]
    if wanted.profile_level is not None:
        has_level = RuleDraft(
            rule_type=RuleType.PROFILE_LEVEL, operator=EQUALS, value=wanted.profile_level, order=0
        )
        parts.append(membership.of_rule(has_level))
    return and_(*parts)


def _is_recorded(comparisons: Sequence[Comparison]) -> ColumnElement[bool]:
    """Say that what is recorded of a lead compares so."""
    if not comparisons:
        return true()
    return exists().where(
        LeadRecordRow.unit_id == LeadRow.unit_id,
        LeadRecordRow.lead_id == LeadRow.lead_id,
        LeadRecordRow.is_listed,
        *(_compares(it) for it in comparisons),
    )


def _compares(comparison: Comparison) -> ColumnElement[bool]:
    column: InstrumentedAttribute[Any] = getattr(LeadRecordRow, comparison.column)
    if comparison.operator == "exists":
        return column.is_not(None) if comparison.value else column.is_(None)
    return _OPERATORS[comparison.operator](column, comparison.value)


_OPERATORS: Mapping[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "eq": operator.eq,
    "in": lambda column, values: column.in_(values),
    "gte": operator.ge,
    "gt": operator.gt,
    "lte": operator.le,
    "lt": operator.lt,
}


def where_found(scope: Scope, audience: Audience) -> list[ColumnElement[bool]]:
    """Say which leads the members are among, if that is known."""
    known = where_members_are(scope, audience)
    return [] if known is None else [LeadRow.lead_id == any_(literal(known, ARRAY(Text())))]
