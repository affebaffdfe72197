"""What of a list's filter is about leads one by one: segments, and levels of who they are.

No index knows these, so they are asked of leads that something else has found. See queries.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Text, and_, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY

from leadvibe.identity.types import Scope
from leadvibe.leadlist.rare_members import where_members_are
from leadvibe.leadlist.types import LeadFilter
from leadvibe.leads.models import LeadRow
from leadvibe.segments.membership import Audience, Membership
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
        audience = membership.of(segment, list_rules(scope, wanted.segment_id))
        parts += [*where_found(scope, audience), audience.condition]
    if wanted.profile_level is not None:
        has_level = RuleDraft(
            rule_type=RuleType.PROFILE_LEVEL, operator=EQUALS, value=wanted.profile_level, order=0
        )
        parts.append(membership.of_rule(has_level))
    return and_(*parts)


def where_found(scope: Scope, audience: Audience) -> list[ColumnElement[bool]]:
    """Say which leads the members are among, if that is known."""
    known = where_members_are(scope, audience)
    return [] if known is None else [LeadRow.lead_id == any_(literal(known, ARRAY(Text())))]
