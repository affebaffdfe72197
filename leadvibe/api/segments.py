"""Segments: named audiences, their rules, and who is in them now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StrictBool, StrictInt

from leadvibe.api.answers import Csv
from leadvibe.api.editing import Editable
from leadvibe.api.fields import (
    LARGEST_INTEGER,
    LEFT_OUT,
    Changes,
    EventTypeOrAny,
    Name,
    PageQuery,
    SegmentId,
    SegmentRuleId,
    Text,
)
from leadvibe.api.leads import ScoredLead, scored_leads
from leadvibe.api.metadata_filters import known_operator, storable_value
from leadvibe.engine.conditions import MAX_CLAUSES, Joiner
from leadvibe.identity.types import Principal, Scope
from leadvibe.leadlist import queries as leadlist
from leadvibe.leadlist.export import write_members
from leadvibe.leads.queries import get_lead
from leadvibe.leadviews.queries import views_by_segment
from leadvibe.leadviews.types import ViewsOfSegment
from leadvibe.lib.clock import utc_now
from leadvibe.lib.paging import PageRequest
from leadvibe.segments import picking, queries, service
from leadvibe.segments.membership import Membership, explain, segments_of
from leadvibe.segments.types import Pick, RuleDraft, RuleType, Segment, SegmentRule

SHOWN_IN_PREVIEW = 25

_Place = Annotated[StrictInt, Field(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)]
_Operator = Annotated[Text, AfterValidator(known_operator)]
_Value = Annotated[Any, AfterValidator(storable_value)]
_RuleName = Annotated[Text, Field(max_length=200)]

_TYPE = "What it looks at. Level rules compare a level's name."
_FIELD = "The property; dots reach into objects. Levels need none."
_OPERATOR = "equals, not_equals, contains, gt, before, in, exists and so on."
_VALUE = "What to compare with: text, a number, true or false, or a list of them."
_EVENT_TYPE = "Of event_metadata: by exact type, whose events are looked at."
_GROUP = "Rules of a group are joined first, then the groups."
_LOGIC = "Joins the rule to those before it; of a group's first rule, the group."
_ORDER = "Its place in the group, lowest first; last when left out."


class NewSegment(BaseModel):
    """A named audience; who is in it is up to its rules."""

    name: Name = Field(description="Its name, unique in the unit.")
    description: Text = Field("", description="What it is for.")
    active: StrictBool = Field(True, description="Whether it has members.")


class SegmentChanges(Changes):
    """Fields of a segment to change; those left out stay as they are."""

    name: Name = Field(LEFT_OUT, description="Its name, unique in the unit.")
    description: Text = Field(LEFT_OUT, description="What it is for.")
    active: StrictBool = Field(LEFT_OUT, description="Whether it has members.")


class NewSegmentRule(BaseModel):
    """What is asked of a lead, and how that is joined to the other rules."""

    rule_name: _RuleName = Field("", description="What people call it.")
    rule_type: RuleType = Field(description=_TYPE)
    field_name: Text = Field("", description=_FIELD)
    operator: _Operator = Field(description=_OPERATOR)
    value: _Value = Field(None, description=_VALUE)
    event_type: EventTypeOrAny = Field("", description=_EVENT_TYPE)
    logic_group: _Place = Field(0, description=_GROUP)
    logic_op: Joiner = Field(Joiner.AND, description=_LOGIC)
    order_index: _Place | None = Field(None, description=_ORDER)
    active: StrictBool = Field(True, description="Whether it is asked.")


class SegmentRuleChanges(Changes):
    """Fields of a rule to change; those left out stay as they are."""

    rule_name: _RuleName = Field(LEFT_OUT, description="What people call it.")
    rule_type: RuleType = Field(LEFT_OUT, description=_TYPE)
    field_name: Text = Field(LEFT_OUT, description=_FIELD)
    operator: _Operator = Field(LEFT_OUT, description=_OPERATOR)
    value: _Value = Field(None, description=_VALUE)
    event_type: EventTypeOrAny = Field(LEFT_OUT, description=_EVENT_TYPE)
    logic_group: _Place = Field(LEFT_OUT, description=_GROUP)
    logic_op: Joiner = Field(LEFT_OUT, description=_LOGIC)
    order_index: _Place = Field(LEFT_OUT, description="Its place in the group, lowest first.")
    active: StrictBool = Field(LEFT_OUT, description="Whether it is asked.")


class SegmentTrial(BaseModel):
    """Rules to try, without a segment."""

    rules: list[NewSegmentRule] = Field(
        max_length=MAX_CLAUSES, description="As those of a segment, in their order."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentItem(Editable):
    segment_id: UUID
    org_id: UUID
    unit_id: UUID
    name: str
    description: str
    active: bool
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRuleItem(Editable):
    rule_id: UUID
    segment_id: UUID
    org_id: UUID
    rule_name: str
    rule_type: RuleType
    field_name: str
    operator: str
    value: Any
    event_type: str
    logic_group: int
    logic_op: Joiner
    order_index: int
    active: bool
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentCount:
    """How many leads are in a segment now; none when it is inactive or has no active rule."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentTrialResult:
    """How many leads the rules would let in, and the first of them by score."""

    count: int
    leads: list[ScoredLead]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleAnswer:
    """Whether a lead meets a rule; null for one that is not asked, since it is inactive."""

    rule_id: UUID
    rule_name: str
    met: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentUses:
    """Names of views that you may see; of other members' own views only how many."""

    lead_views: list[str]
    other_lead_views: int


class Picked(BaseModel):
    """What somebody decides about a lead, whatever the rules say."""

    member: StrictBool = Field(description="True puts it into the segment, false keeps it out.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PickItem:
    """A lead that was put into a segment, or is kept out of it, by hand."""

    lead_id: str
    member: bool
    picked_at: datetime
    picked_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberExplanation:
    """Why a lead is in a segment, or why it is not.

    `picked` is whether somebody put it in or keeps it out; null leaves that to the rules.
    """

    lead_id: str
    segment_id: UUID
    is_member: bool
    picked: bool | None
    rules: list[RuleAnswer]


def list_segments(principal: Principal) -> list[SegmentItem]:
    """All segments of the unit, by name."""
    return [_segment(principal.scope, it) for it in queries.list_segments(principal.scope)]


def get_segment(principal: Principal, segment_id: SegmentId) -> SegmentItem:
    """A segment; its rules and members are lists of their own."""
    return _segment(principal.scope, queries.get_segment(principal.scope, segment_id))


def create_segment(principal: Principal, body: NewSegment) -> SegmentItem:
    """Make a segment. Nobody is in it before it has a rule, or a lead that was put into it."""
    made = service.create_segment(principal, principal.scope, body.model_dump(), now=utc_now())
    return _segment(principal.scope, made)


def update_segment(
    principal: Principal, segment_id: SegmentId, body: SegmentChanges
) -> SegmentItem:
    """Change a segment. Inactive, it keeps its rules and has no members."""
    changed = service.update_segment(
        principal, principal.scope, segment_id, body.given(), now=utc_now()
    )
    return _segment(principal.scope, changed)


def delete_segment(principal: Principal, segment_id: SegmentId) -> None:
    """Delete a segment with its rules and the views narrowed to it; leads stay."""
    service.delete_segment(principal.scope, segment_id)


def count_leads(principal: Principal, segment_id: SegmentId) -> SegmentCount:
    """How many leads are in it now."""
    scope = principal.scope
    segment, rules = queries.get_segment(scope, segment_id), queries.list_rules(scope, segment_id)
    return SegmentCount(count=leadlist.count_members(scope, Membership(scope).of(segment, rules)))


def list_leads(principal: Principal, segment_id: SegmentId, query: PageQuery) -> list[ScoredLead]:
    """Who is in it now, the highest score first."""
    scope = principal.scope
    segment, rules = queries.get_segment(scope, segment_id), queries.list_rules(scope, segment_id)
    audience = Membership(scope).of(segment, rules)
    return scored_leads(scope, leadlist.list_members(scope, audience, query.request))


def export_leads(principal: Principal, segment_id: SegmentId) -> Csv:
    """Everybody who is in it now, as a CSV file."""
    scope = principal.scope
    segment, rules = queries.get_segment(scope, segment_id), queries.list_rules(scope, segment_id)
    audience = Membership(scope).of(segment, rules)
    return Csv("segment.csv", lambda: write_members(scope, audience))


def explain_lead(principal: Principal, segment_id: SegmentId, lead_id: str) -> MemberExplanation:
    """Which rules of the segment a lead meets; a merged lead stands for the one it is part of."""
    scope = principal.scope
    segment, rules = queries.get_segment(scope, segment_id), queries.list_rules(scope, segment_id)
    lead = get_lead(scope, lead_id)
    picked = queries.find_pick(scope, segment_id, lead.lead_id)
    found = explain(scope, segment, rules, lead.lead_id)
    return MemberExplanation(
        lead_id=lead.lead_id,
        segment_id=segment_id,
        is_member=found.is_member,
        picked=picked.is_in if picked else None,
        rules=[
            RuleAnswer(rule_id=it.rule_id, rule_name=it.name, met=found.met.get(it.rule_id))
            for it in rules
        ],
    )


def list_uses(principal: Principal, segment_id: SegmentId) -> SegmentUses:
    """What is deleted with the segment: views of leads that are narrowed to it."""
    queries.get_segment(principal.scope, segment_id)
    names, others = views_by_segment(principal).get(segment_id, ViewsOfSegment())
    return SegmentUses(lead_views=list(names), other_lead_views=others)


def list_picks(principal: Principal, segment_id: SegmentId, query: PageQuery) -> list[PickItem]:
    """Who was put into it or is kept out of it by hand, the last first."""
    scope = principal.scope
    queries.get_segment(scope, segment_id)
    return [_pick(it) for it in queries.list_picks(scope, segment_id, query.request)]


def pick_lead(principal: Principal, segment_id: SegmentId, lead_id: str, body: Picked) -> PickItem:
    """Put a lead into the segment or keep it out, whatever the rules say."""
    scope, lead = principal.scope, get_lead(principal.scope, lead_id)
    picking.pick(principal, scope, segment_id, [lead.lead_id], is_in=body.member, now=utc_now())
    picked = queries.find_pick(scope, segment_id, lead.lead_id)
    assert picked is not None
    return _pick(picked)


def unpick_lead(principal: Principal, segment_id: SegmentId, lead_id: str) -> None:
    """Leave it to the rules again whether a lead is in the segment."""
    scope, lead = principal.scope, get_lead(principal.scope, lead_id)
    picking.unpick(scope, segment_id, [lead.lead_id])


def list_segments_of_lead(principal: Principal, lead_id: str) -> list[SegmentItem]:
    """The segments that a lead is in now, by name."""
    scope = principal.scope
    lead = get_lead(scope, lead_id)
    return [_segment(scope, it) for it in segments_of(scope, lead.lead_id)]


def try_rules(principal: Principal, body: SegmentTrial) -> SegmentTrialResult:
    """Whom rules would let in, before a segment has them. Nothing is stored."""
    scope = principal.scope
    audience = Membership(scope).of_rules(_tried(scope, body.rules))
    lines = leadlist.list_members(scope, audience, PageRequest(1, SHOWN_IN_PREVIEW))
    return SegmentTrialResult(
        count=leadlist.count_members(scope, audience), leads=scored_leads(scope, lines)
    )


def list_rules(principal: Principal, segment_id: SegmentId) -> list[SegmentRuleItem]:
    """The rules of a segment, in the order in which they are joined."""
    found = queries.list_rules(principal.scope, segment_id)
    return [_rule(principal.scope, rule) for rule in found]


def get_rule(
    principal: Principal, segment_id: SegmentId, rule_id: SegmentRuleId
) -> SegmentRuleItem:
    return _rule(principal.scope, queries.get_rule(principal.scope, segment_id, rule_id))


def create_rule(
    principal: Principal, segment_id: SegmentId, body: NewSegmentRule
) -> SegmentRuleItem:
    """Add a rule; who is in the segment changes at once."""
    made = service.create_rule(
        principal, principal.scope, segment_id, _stored(body.model_dump()), now=utc_now()
    )
    return _rule(principal.scope, made)


def update_rule(
    principal: Principal, segment_id: SegmentId, rule_id: SegmentRuleId, body: SegmentRuleChanges
) -> SegmentRuleItem:
    """Change a rule; who is in the segment changes at once."""
    changed = service.update_rule(
        principal, principal.scope, segment_id, rule_id, _stored(body.given()), now=utc_now()
    )
    return _rule(principal.scope, changed)


def delete_rule(principal: Principal, segment_id: SegmentId, rule_id: SegmentRuleId) -> None:
    """Delete a rule; who is in the segment changes at once."""
    service.delete_rule(principal.scope, segment_id, rule_id)


_NAMES = {
    "rule_name": "name",
    "field_name": "field",
    "logic_group": "group",
    "order_index": "order",
}
"""Fields of a rule that the API calls by other names than Leadvibe itself."""


def _stored(given: dict[str, Any]) -> dict[str, Any]:
    return {_NAMES.get(name, name): value for name, value in given.items()}


def _tried(scope: Scope, rules: Iterable[NewSegmentRule]) -> Iterator[RuleDraft]:
    for place, body in enumerate(rules):
        fields = _stored(body.model_dump())
        service.check_rule(scope, fields, prefix=f"rules.{place}.")
        if fields["order"] is None:
            fields["order"] = place
        yield RuleDraft(**fields)


def _segment(scope: Scope, segment: Segment) -> SegmentItem:
    return SegmentItem(
        segment_id=segment.segment_id,
        org_id=scope.org_id,
        unit_id=scope.unit_id,
        name=segment.name,
        description=segment.description,
        active=segment.active,
        created_at=segment.created_at,
        updated_at=segment.updated_at,
        created_by=segment.created_by,
        updated_by=segment.updated_by,
    )


def _rule(scope: Scope, rule: SegmentRule) -> SegmentRuleItem:
    return SegmentRuleItem(
        rule_id=rule.rule_id,
        segment_id=rule.segment_id,
        org_id=scope.org_id,
        rule_name=rule.name,
        rule_type=rule.rule_type,
        field_name=rule.field,
        operator=rule.operator,
        value=rule.value,
        event_type=rule.event_type,
        logic_group=rule.group,
        logic_op=rule.logic_op,
        order_index=rule.order,
        active=rule.active,
        created_at=rule.created_at,
        updated_at=rule.updated_at,
        created_by=rule.created_by,
        updated_by=rule.updated_by,
    )


def _pick(pick: Pick) -> PickItem:
    return PickItem(
        lead_id=pick.lead_id,
        member=pick.is_in,
        picked_at=pick.picked_at,
        picked_by=pick.picked_by,
    )
