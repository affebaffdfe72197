"""Walks over all leads of a unit as other packages see them, and what a preview found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from leadvibe.engine.rules import Config
from leadvibe.rescoring.findings import Findings

REWRITE_FACTOR = 3.0
"""How much longer writing leads anew takes than replaying them: mostly the ledger's rows."""


class WalkState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNFINISHED = frozenset({WalkState.QUEUED, WalkState.RUNNING})


class PreviewKind(StrEnum):
    """Which score is looked at."""

    ENGAGEMENT = "engagement"
    PROFILE = "profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """How far a walk over all leads is. `after_lead` is the last lead that is done."""

    walk_id: UUID
    unit_id: UUID
    org_id: UUID
    state: WalkState
    leads_total: int
    leads_done: int
    after_lead: str
    attempts: int
    error: str | None
    created_at: datetime
    created_by: str
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def is_complete(self) -> bool:
        """Nothing more will happen."""
        return self.state not in UNFINISHED

    @property
    def percent(self) -> int:
        """100 is only ever said of a finished walk."""
        if self.state is WalkState.FINISHED:
            return 100
        return min(99, 100 * self.leads_done // self.leads_total) if self.leads_total else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview(Walk):
    """What a configuration would make of history; `version` was in force when it was asked for."""

    kind: PreviewKind
    subject: str
    config: Config
    version: int
    thresholds: tuple[int, ...]
    findings: Findings

    @property
    def rescore_seconds(self) -> float:
        """Guess how long it would take to make it so, from how long looking took."""
        return self.findings.seconds * REWRITE_FACTOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescore(Walk):
    """All leads scored anew under `version`, the one in force."""

    version: int
    restarts: int
    events_returned: int


def ruleset_names(config: Config, kind: PreviewKind) -> dict[UUID, str]:
    """Return the names of a configuration's rulesets of a kind."""
    if kind is PreviewKind.ENGAGEMENT:
        return {it.ruleset_id: it.name for it in config.rulesets}
    return {it.ruleset_id: it.name for it in config.policies.profile_rulesets}
