"""What of a list's filter is about leads one by one: segments, and levels of who they are.

No index knows these, so they are asked of leads that something else has found. See queries.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_

from leadvibe.identity.types import Scope
from leadvibe.leadlist.types import LeadFilter
from leadvibe.segments.membership import Membership
from leadvibe.segments.queries import get_segment, list_rules
from leadvibe.segments.types import RuleDraft, RuleType

EQUALS = "equals"


def condition_of(scope: Scope, wanted: LeadFilter) -> ColumnElement[bool] | None:
    """Return that part of a filter, or None. Raises SegmentNotFoundError."""
    if wanted.segment_id is None and wanted.profile_level is None:
        return None
    membership, parts = Membership(scope), []
    if wanted.segment_id is not None:
        segment = get_segment(scope, wanted.segment_id)
        parts.append(membership.of(segment, list_rules(scope, wanted.segment_id)).condition)
    if wanted.profile_level is not None:
        has_level = RuleDraft(
            rule_type=RuleType.PROFILE_LEVEL, operator=EQUALS, value=wanted.profile_level, order=0
        )
        parts.append(membership.of_rule(has_level))
    return and_(*parts)
