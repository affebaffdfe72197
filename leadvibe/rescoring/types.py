"""Walks over all leads of a unit as other packages see them, and what a preview found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from leadvibe.engine.rules import Config, LevelKind
from leadvibe.rescoring.findings import Findings
from leadvibe.scoring.changes import ChangeKind, changes_between
from leadvibe.scoring.profiles import Side, rulesets_of

REWRITE_FACTOR = 3.0
"""How much longer writing leads anew takes than replaying them: mostly the ledger's rows."""


class WalkState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNFINISHED = frozenset({WalkState.QUEUED, WalkState.RUNNING})


class Direction(StrEnum):
    """Which leads of a preview are asked for."""

    ANY = "any"
    UP = "up"
    DOWN = "down"
    LEVEL = "level"
    """Those that would have another level."""


class PreviewKind(StrEnum):
    """Which score is looked at."""

    ENGAGEMENT = "engagement"
    PROFILE = "profile"
    ACCOUNT = "account"


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
    """What a configuration would make of history; `version` was in force when it was asked for.

    One of account scores goes over accounts: wherever a walk speaks of leads they are meant.
    """

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


def kinds_affected(before: Config, after: Config) -> list[PreviewKind]:
    """Return the scores that going from one configuration to the other may change."""
    changed = {change.kind for change in changes_between(before, after)}
    return [
        kind
        for kind in PreviewKind
        if changed & _ABOUT[kind] or _levels(before, kind) != _levels(after, kind)
    ]


def _levels(config: Config, kind: PreviewKind) -> set[tuple[str, int, int | None]]:
    levels = config.levels_of(LevelKind(kind))
    return {(it.name, it.min_score, it.max_score) for it in levels}


_ABOUT = {
    PreviewKind.ENGAGEMENT: {
        ChangeKind.RULESET, ChangeKind.RULE, ChangeKind.DECAY, ChangeKind.VELOCITY_FILTER,
        ChangeKind.METADATA_FILTER, ChangeKind.SURGE_POLICY, ChangeKind.EVENT_TYPE,
        ChangeKind.SETTING,
    },
    PreviewKind.PROFILE: {ChangeKind.PROFILE_RULESET, ChangeKind.PROFILE_RULE},
    PreviewKind.ACCOUNT: {ChangeKind.ACCOUNT_RULESET, ChangeKind.ACCOUNT_RULE},
}  # fmt: skip


def ruleset_names(config: Config, kind: PreviewKind) -> dict[UUID, str]:
    """Return the names of a configuration's rulesets of a kind."""
    if kind is PreviewKind.ENGAGEMENT:
        return {it.ruleset_id: it.name for it in config.rulesets}
    return {it.ruleset_id: it.name for it in rulesets_of(config.policies, Side(kind))}
