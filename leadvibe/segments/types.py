"""What a segment is: named rules about leads, and how they are joined."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from leadvibe.engine.conditions import Condition, Joiner, parse_operator


class RuleType(StrEnum):
    """What a rule looks at."""

    LEAD_METADATA = "lead_metadata"
    EVENT_METADATA = "event_metadata"
    """Events of one type that count; one that meets the condition is enough."""
    ACCOUNT_METADATA = "account_metadata"
    ENGAGEMENT_LEVEL = "engagement_level"
    PROFILE_LEVEL = "profile_level"
    ACCOUNT_LEVEL = "account_level"

    @property
    def is_level(self) -> bool:
        return self in {self.ENGAGEMENT_LEVEL, self.PROFILE_LEVEL, self.ACCOUNT_LEVEL}

    @property
    def is_of_account(self) -> bool:
        return self in {self.ACCOUNT_METADATA, self.ACCOUNT_LEVEL}


LEVEL_FIELD = "level"
"""The property that a rule about a level compares, whatever it calls its field."""

_STATE_BYTES = 12
"""Enough that no two states of one segment ever have the same name by chance."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A named audience. Inactive, it keeps its rules and has no members."""

    segment_id: UUID
    name: str
    description: str
    active: bool
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str
    # Neither is part of the state that somebody edits: leads are picked while others edit rules.
    has_picked: bool = field(default=False, repr=False)
    """Whether some leads are in it because somebody put them there."""
    has_kept_out: bool = field(default=False, repr=False)


@dataclass(frozen=True, slots=True)
class Pick:
    """A lead that somebody put into a segment, or keeps out of it, whatever the rules say."""

    lead_id: str
    is_in: bool
    picked_at: datetime
    picked_by: str


@dataclass(frozen=True)
class SegmentRule:
    """One rule of a segment; `logic_op` joins it to what stands before it in its group."""

    rule_id: UUID
    segment_id: UUID
    name: str
    rule_type: RuleType
    field: str
    operator: str
    value: Any
    event_type: str
    group: int
    logic_op: Joiner
    order: int
    active: bool
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str

    @cached_property
    def condition(self) -> Condition:
        return condition_of(self.rule_type, self.field, self.operator, self.value)


@dataclass(frozen=True, kw_only=True)
class RuleDraft:
    """A rule as somebody wants it. It changes the one that `rule_id` names, or is a new one."""

    rule_id: UUID | None = None
    name: str = ""
    rule_type: RuleType
    field: str = ""
    operator: str
    value: Any = None
    event_type: str = ""
    group: int = 0
    logic_op: Joiner = Joiner.AND
    order: int
    active: bool = True

    @cached_property
    def condition(self) -> Condition:
        return condition_of(self.rule_type, self.field, self.operator, self.value)


AskedRule: TypeAlias = SegmentRule | RuleDraft
"""What can be asked of leads: a rule, or one that is only tried."""


class Change(NamedTuple):
    """When something was changed, and by whom."""

    at: datetime
    by: str


def last_change(segment: Segment, rules: Sequence[SegmentRule]) -> Change:
    """Return the last change of a segment or a rule of it, as far as that rule is still there."""
    changes = [Change(segment.updated_at, segment.updated_by)]
    return max(changes + [Change(rule.updated_at, rule.updated_by) for rule in rules])


def state_of(segment: Segment, rules: Sequence[SegmentRule]) -> str:
    """Name the state that a segment and its rules are in, whoever changed them last."""
    content = repr((segment, list(rules))).encode()
    return hashlib.blake2b(content, digest_size=_STATE_BYTES).hexdigest()


def condition_of(rule_type: RuleType, field: str, operator: str, value: Any) -> Condition:
    """Return the condition of a rule. Raises ConditionError."""
    name = LEVEL_FIELD if rule_type.is_level else field
    return Condition(name, parse_operator(operator), value)
