"""Rulesets, rules and scores, as other packages see them.

The engine has its own, smaller idea of a rule: only what decides a score. These also carry who
changed what, and when.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from leadvibe.engine.policies import Reach
from leadvibe.engine.rules import Level


@dataclass(frozen=True, slots=True)
class Ruleset:
    ruleset_id: UUID
    unit_id: UUID
    name: str
    score_column: str
    is_primary: bool
    active: bool
    start_at: datetime | None
    end_at: datetime | None
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str


@dataclass(frozen=True, slots=True)
class Rule:
    rule_id: UUID
    unit_id: UUID
    ruleset_id: UUID
    event_type: str
    weight: int
    icon: str | None
    active: bool
    start_at: datetime | None
    end_at: datetime | None
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str


class ItemKind(StrEnum):
    """What a config item is; its body has the fields that engine.policies names."""

    SURGE_POLICY = "surge_policy"
    """One a unit at most: its id is the unit's."""
    DECAY = "decay"
    VELOCITY_FILTER = "velocity_filter"
    METADATA_FILTER = "metadata_filter"
    PROFILE_MAPPING = "profile_mapping"
    ACCOUNT_MAPPING = "account_mapping"
    PROFILE_RULESET = "profile_ruleset"
    PROFILE_RULE = "profile_rule"
    """Its body names its ruleset in `ruleset_id`."""
    ACCOUNT_RULESET = "account_ruleset"
    ACCOUNT_RULE = "account_rule"


@dataclass(frozen=True, slots=True)
class ConfigItem:
    """Something that steers scoring, who made it and who changed it last."""

    item_id: UUID
    kind: ItemKind
    body: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str


@dataclass(frozen=True, slots=True)
class ScoringSettings:
    allow_negative_scores: bool
    abm_enabled: bool
    session_timeout_minutes: int


@dataclass(frozen=True, slots=True)
class ConfigVersion:
    """One numbered state of the configuration: what changed, who did it, and when."""

    version: int
    summary: str
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A configuration in the making: it began as a copy of `base_version`."""

    draft_id: UUID
    name: str
    base_version: int
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AppliedConfig:
    """The version that stands once a configuration was applied, and what it changed in words.

    Without any change no version was made.
    """

    version: int
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoredLevel:
    """A level, who made it and who changed it last."""

    level: Level
    created_by: str
    updated_by: str


@dataclass(frozen=True, slots=True)
class KnownEventType:
    """An event type of a unit: what was decided about it, and how often it came in."""

    name: str
    hidden: bool = False
    reach: Reach = Reach.ACTIVATE
    event_count: int = 0
    is_protected: bool = False
    """Its events must stay."""


class LeadScore(NamedTuple):
    """A lead's score in one ruleset and the last ledger row it comes from."""

    lead_id: str
    ruleset_id: UUID
    score: int
    seq: int


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A ledger row with the names that a reader needs."""

    ruleset_id: UUID
    seq: int
    event_id: UUID
    event_type: str
    rule_id: UUID | None
    version: int
    kind: str
    weight: int
    multiplier_percent: int
    before: int
    delta: int
    after: int
    occurred_at: datetime
