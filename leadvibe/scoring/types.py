"""Rulesets, rules and scores, as other packages see them.

The engine has its own, smaller idea of a rule: only what decides a score. These also carry who
changed what, and when.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID


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
