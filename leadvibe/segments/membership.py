"""Who is in a segment, said in SQL over the table of leads, always from what is stored now.

Levels are decided by the engine: it says which of them meet a condition, and SQL only looks
whether a score is in one of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    SQLColumnExpression,
    and_,
    exists,
    false,
    not_,
    or_,
    select,
    true,
)

from leadvibe.engine.conditions import Clause, Condition, holds
from leadvibe.engine.levels import UNCLASSIFIED, level_of
from leadvibe.engine.rules import Config, Level, LevelKind
from leadvibe.events.models import EventRow
from leadvibe.identity.types import Scope
from leadvibe.leads.models import AccountRow, LeadRow
from leadvibe.lib.db import session
from leadvibe.scoring import queries as scoring
from leadvibe.scoring.models import LeadProfileScoreRow
from leadvibe.scoring.profiles import primary_of
from leadvibe.segments.models import SegmentPickRow
from leadvibe.segments.queries import list_rules_of_all, list_segments
from leadvibe.segments.sql import clauses_sql, condition_sql
from leadvibe.segments.types import LEVEL_FIELD, AskedRule, RuleType, Segment, SegmentRule

ASKED_AT_ONCE = 100
"""Truths in one statement: far below the columns that a result may have."""


class Audience(NamedTuple):
    """Leads, said over their table, and what else is true of all of them."""

    condition: ColumnElement[bool]
    by_score: ColumnElement[bool]
    """What an index of scores can find."""
    by_properties: ColumnElement[bool]
    """What only changes when a lead's own properties do, or true when that says nothing."""
    picked_for: UUID | None = None
    """The segment that others were put into by hand, of whom the properties say nothing."""

    def joined_by(self, is_picked: ColumnElement[bool], segment_id: UUID) -> Audience:
        return Audience(
            or_(self.condition, is_picked),
            or_(self.by_score, is_picked),
            self.by_properties,
            picked_for=segment_id,
        )

    def without(self, is_kept_out: ColumnElement[bool]) -> Audience:
        return self._replace(condition=and_(self.condition, not_(is_kept_out)))


NOBODY = Audience(false(), true(), false())


class Membership:
    """What rules mean in one unit, whose levels and primary rulesets they depend on."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def of(self, segment: Segment, rules: Iterable[AskedRule]) -> Audience:
        """Return the members of a segment: who meets its rules or was put in, and is not kept out.

        Without active rules, nobody meets them.
        """
        if not segment.active:
            return NOBODY
        members, segment_id = self.of_rules(rules), segment.segment_id
        if segment.has_picked:
            members = members.joined_by(self._is_picked(segment_id, is_in=True), segment_id)
        if segment.has_kept_out:
            members = members.without(self._is_picked(segment_id, is_in=False))
        return members

    def of_rules(self, rules: Iterable[AskedRule]) -> Audience:
        """Return the leads that meet the active ones of some rules, joined as they say."""
        active = [rule for rule in rules if rule.active]
        if not active:
            return NOBODY
        told = [(rule, self.of_rule(rule)) for rule in active]
        return Audience(
            _joined(told),
            by_score=_joined(told, only=RuleType.ENGAGEMENT_LEVEL),
            by_properties=_joined(told, only=RuleType.LEAD_METADATA),
        )

    def of_rule(self, rule: AskedRule) -> ColumnElement[bool]:
        """Say that a lead meets one rule."""
        return _MEANINGS[rule.rule_type](self, rule)

    def _is_picked(self, segment_id: UUID, *, is_in: bool) -> ColumnElement[bool]:
        return exists().where(
            SegmentPickRow.unit_id == LeadRow.unit_id,
            SegmentPickRow.segment_id == segment_id,
            SegmentPickRow.lead_id == LeadRow.lead_id,
            SegmentPickRow.is_in.is_(is_in),
        )

    def lead_metadata(self, rule: AskedRule) -> ColumnElement[bool]:
        return condition_sql(LeadRow.metadata_, rule.condition)

    def event_metadata(self, rule: AskedRule) -> ColumnElement[bool]:
        return exists().where(
            EventRow.unit_id == LeadRow.unit_id,
            EventRow.lead_id == LeadRow.lead_id,
            EventRow.event_type == rule.event_type,
            EventRow.suppression_reason.is_(None),
            condition_sql(EventRow.metadata_, rule.condition),
        )

    def account_metadata(self, rule: AskedRule) -> ColumnElement[bool]:
        return self._of_account(
            rule.condition,
            lambda affirmative: condition_sql(AccountRow.metadata_, affirmative),
        )

    def account_level(self, rule: AskedRule) -> ColumnElement[bool]:
        levels = self._levels[LevelKind.ACCOUNT]
        return self._of_account(
            rule.condition,
            lambda affirmative: _in_levels(AccountRow.score, levels, affirmative),
        )

    def engagement_level(self, rule: AskedRule) -> ColumnElement[bool]:
        return _in_levels(LeadRow.score, self._levels[LevelKind.ENGAGEMENT], rule.condition)

    def profile_level(self, rule: AskedRule) -> ColumnElement[bool]:
        """Say it of the score, where no row is 0; as a join, and not as a look-up for each lead."""
        levels = self._levels[LevelKind.PROFILE]
        scored = exists().where(
            LeadProfileScoreRow.unit_id == LeadRow.unit_id,
            LeadProfileScoreRow.lead_id == LeadRow.lead_id,
            LeadProfileScoreRow.ruleset_id == self._profile_primary_id,
        )
        meets = _in_levels(LeadProfileScoreRow.score, levels, rule.condition)
        if _is_in_levels(0, levels, rule.condition):
            return not_(scored.where(not_(meets)))
        return scored.where(meets)

    def _of_account(
        self, condition: Condition, meaning: Callable[[Condition], ColumnElement[bool]]
    ) -> ColumnElement[bool]:
        """Say something about a lead's account; one without an account has no properties."""
        affirmative = replace(condition, operator=condition.operator.affirmative)
        met = exists().where(
            AccountRow.unit_id == LeadRow.unit_id,
            AccountRow.account_id == LeadRow.account_id,
            meaning(affirmative),
        )
        return met if affirmative.operator is condition.operator else not_(met)

    @cached_property
    def _config(self) -> Config:
        return scoring.get_config(self._scope, scoring.current_version(self._scope))

    @cached_property
    def _levels(self) -> Mapping[LevelKind, Sequence[Level]]:
        return {kind: self._config.levels_of(kind) for kind in LevelKind}

    @cached_property
    def _profile_primary_id(self) -> UUID | None:
        primary = primary_of(self._config.policies.profile_rulesets)
        return primary.ruleset_id if primary else None


_MEANINGS: Mapping[RuleType, Callable[[Membership, AskedRule], ColumnElement[bool]]] = {
    RuleType.LEAD_METADATA: Membership.lead_metadata,
    RuleType.EVENT_METADATA: Membership.event_metadata,
    RuleType.ACCOUNT_METADATA: Membership.account_metadata,
    RuleType.ENGAGEMENT_LEVEL: Membership.engagement_level,
    RuleType.PROFILE_LEVEL: Membership.profile_level,
    RuleType.ACCOUNT_LEVEL: Membership.account_level,
}


def _joined(
    told: Iterable[tuple[AskedRule, ColumnElement[bool]]], *, only: RuleType | None = None
) -> ColumnElement[bool]:
    """Join rules as they say; when rules of one type alone should say it, others ask nothing."""
    return clauses_sql(
        Clause(
            meaning if only is None or rule.rule_type is only else true(),
            rule.group,
            rule.order,
            rule.logic_op,
        )
        for rule, meaning in told
    )


def _in_levels(
    score: SQLColumnExpression[int], levels: Sequence[Level], condition: Condition
) -> ColumnElement[bool]:
    """Say that a score's level meets the condition, by the name that it is shown with."""
    met = [
        _in_level(score, level) for level in levels if holds(condition, {LEVEL_FIELD: level.name})
    ]
    if holds(condition, {LEVEL_FIELD: UNCLASSIFIED}):
        met.append(not_(or_(false(), *(_in_level(score, level) for level in levels))))
    return or_(false(), *met)


def _is_in_levels(score: int, levels: Sequence[Level], condition: Condition) -> bool:
    level = level_of(levels, score)
    return holds(condition, {LEVEL_FIELD: level.name if level else UNCLASSIFIED})


def _in_level(score: SQLColumnExpression[int], level: Level) -> ColumnElement[bool]:
    if level.max_score is None:
        return score >= level.min_score
    return score.between(level.min_score, level.max_score)


@dataclass(frozen=True, slots=True)
class Explained:
    """Whether a lead is in a segment, and which of its active rules it meets."""

    is_member: bool
    met: Mapping[UUID, bool]


def explain(
    scope: Scope, segment: Segment, rules: Sequence[SegmentRule], lead_id: str
) -> Explained:
    """Say why a lead is in a segment, or why not; inactive rules say nothing."""
    membership, active = Membership(scope), [rule for rule in rules if rule.active]
    truths = [
        membership.of(segment, rules).condition,
        *(membership.of_rule(rule) for rule in active),
    ]
    is_member, *met = _ask(scope, lead_id, truths)
    return Explained(is_member, dict(zip((it.rule_id for it in active), met, strict=True)))


def segments_of(scope: Scope, lead_id: str) -> list[Segment]:
    """Return the segments that a lead is in, by name."""
    membership, rules = Membership(scope), list_rules_of_all(scope)
    segments = [it for it in list_segments(scope) if _may_have_members(it, rules)]
    truths = [membership.of(it, rules.get(it.segment_id, ())).condition for it in segments]
    answers = _ask(scope, lead_id, truths)
    return [segment for segment, is_in in zip(segments, answers, strict=True) if is_in]


def segments_among(scope: Scope, account_id: str) -> list[Segment]:
    """Return the segments that any lead of an account is in, by name."""
    membership, rules = Membership(scope), list_rules_of_all(scope)
    segments = [it for it in list_segments(scope) if _may_have_members(it, rules)]
    found = []
    for segment in segments:
        members = exists().where(
            LeadRow.unit_id == scope.unit_id,
            LeadRow.account_id == account_id,
            LeadRow.merged_into.is_(None),
            membership.of(segment, rules.get(segment.segment_id, ())).condition,
        )
        if session().scalar(select(members)):
            found.append(segment)
    return found


def _may_have_members(segment: Segment, rules: Mapping[UUID, Sequence[SegmentRule]]) -> bool:
    return segment.active and (segment.segment_id in rules or segment.has_picked)


def _ask(scope: Scope, lead_id: str, truths: Sequence[ColumnElement[bool]]) -> list[bool]:
    """Return which of these are true of a lead; none are of one that is not there."""
    answers: list[bool] = []
    for start in range(0, len(truths), ASKED_AT_ONCE):
        asked = truths[start : start + ASKED_AT_ONCE]
        named = [truth.label(f"truth_{place}") for place, truth in enumerate(asked)]
        statement = select(*named).where(
            LeadRow.unit_id == scope.unit_id,
            LeadRow.lead_id == lead_id,
            LeadRow.merged_into.is_(None),
        )
        row = session().execute(statement).one_or_none()
        answers += row or [False] * len(asked)
    return answers
