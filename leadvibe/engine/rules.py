"""What steers scoring: rulesets, rules, levels, policies, and their immutable snapshot.

Does not say what a rule awards (engine.engagement) nor which level a score has (engine.levels).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from leadvibe.engine.policies import SURGE_OFF, Policies

DEFAULT_SESSION_TIMEOUT_SECONDS = 1800
DEFAULT_LEVEL_COLOR = "#64748b"
DEFAULT_SCORE_COLUMN = "total_score"

JsonObject = Mapping[str, Any]


class LevelKind(StrEnum):
    """Which score a level divides."""

    ENGAGEMENT = "engagement"
    PROFILE = "profile"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Rule:
    """An event type and its worth, in force from `start_at` until just before `end_at`.

    The icon decides nothing; it is here so that a snapshot holds all that somebody configured.
    """

    rule_id: UUID
    event_type: str
    weight: int
    active: bool = True
    start_at: datetime | None = None
    end_at: datetime | None = None
    icon: str | None = None

    def is_in_force(self, at: datetime) -> bool:
        """Say whether the rule counts for an event of that instant."""
        return self.active and _is_within(at, self.start_at, self.end_at)

    def to_json(self) -> dict[str, Any]:
        """Return the rule as JSON can hold it."""
        return {
            "rule_id": str(self.rule_id),
            "event_type": self.event_type,
            "weight": self.weight,
            "active": self.active,
            "start_at": _written(self.start_at),
            "end_at": _written(self.end_at),
            "icon": self.icon,
        }

    @classmethod
    def from_json(cls, data: JsonObject) -> Rule:
        """Read what to_json wrote."""
        return cls(
            rule_id=UUID(data["rule_id"]),
            event_type=data["event_type"],
            weight=data["weight"],
            active=data.get("active", True),
            start_at=_read(data.get("start_at")),
            end_at=_read(data.get("end_at")),
            icon=data.get("icon"),
        )


@dataclass(frozen=True, slots=True)
class Ruleset:
    """Rules that add up to one score per lead, in force from `start_at` until before `end_at`."""

    ruleset_id: UUID
    name: str
    is_primary: bool = False
    active: bool = True
    start_at: datetime | None = None
    end_at: datetime | None = None
    rules: tuple[Rule, ...] = ()
    score_column: str = DEFAULT_SCORE_COLUMN

    def is_in_force(self, at: datetime) -> bool:
        """Say whether the ruleset counts for an event of that instant."""
        return self.active and _is_within(at, self.start_at, self.end_at)

    def to_json(self) -> dict[str, Any]:
        """Return the ruleset and its rules as JSON can hold them."""
        return {
            "ruleset_id": str(self.ruleset_id),
            "name": self.name,
            "is_primary": self.is_primary,
            "active": self.active,
            "start_at": _written(self.start_at),
            "end_at": _written(self.end_at),
            "rules": [rule.to_json() for rule in self.rules],
            "score_column": self.score_column,
        }

    @classmethod
    def from_json(cls, data: JsonObject) -> Ruleset:
        """Read what to_json wrote."""
        return cls(
            ruleset_id=UUID(data["ruleset_id"]),
            name=data["name"],
            is_primary=data.get("is_primary", False),
            active=data.get("active", True),
            start_at=_read(data.get("start_at")),
            end_at=_read(data.get("end_at")),
            rules=tuple(Rule.from_json(rule) for rule in data.get("rules", ())),
            score_column=data.get("score_column", DEFAULT_SCORE_COLUMN),
        )


@dataclass(frozen=True, slots=True)
class Level:
    """A named range of scores, both bounds inclusive; `max_score` None leaves it open above."""

    level_id: UUID
    kind: LevelKind
    name: str
    min_score: int
    max_score: int | None = None
    color: str = DEFAULT_LEVEL_COLOR
    order: int = 0

    def holds(self, score: int) -> bool:
        """Say whether the score lies in the range."""
        return self.min_score <= score and (self.max_score is None or score <= self.max_score)

    def to_json(self) -> dict[str, Any]:
        """Return the level as JSON can hold it."""
        return {
            "level_id": str(self.level_id),
            "kind": self.kind.value,
            "name": self.name,
            "min_score": self.min_score,
            "max_score": self.max_score,
            "color": self.color,
            "order": self.order,
        }

    @classmethod
    def from_json(cls, data: JsonObject) -> Level:
        """Read what to_json wrote."""
        return cls(
            level_id=UUID(data["level_id"]),
            kind=LevelKind(data["kind"]),
            name=data["name"],
            min_score=data["min_score"],
            max_score=data.get("max_score"),
            color=data.get("color", DEFAULT_LEVEL_COLOR),
            order=data.get("order", 0),
        )


PLAIN = Policies(surge=SURGE_OFF)
"""What snapshots mean that were written before there were policies: rules and nothing else."""


@dataclass(frozen=True, slots=True)
class Config:
    """The whole scoring configuration of a unit at one version; never changes once numbered."""

    version: int
    rulesets: tuple[Ruleset, ...] = ()
    levels: tuple[Level, ...] = ()
    allow_negative_scores: bool = False
    session_timeout_seconds: int = DEFAULT_SESSION_TIMEOUT_SECONDS
    policies: Policies = PLAIN

    def find_primary(self) -> Ruleset | None:
        """Return the ruleset whose score stands for the lead, or None when none was chosen."""
        return next((ruleset for ruleset in self.rulesets if ruleset.is_primary), None)

    def levels_of(self, kind: LevelKind) -> tuple[Level, ...]:
        """Return the levels that divide one kind of score, lowest first."""
        chosen = (level for level in self.levels if level.kind == kind)
        return tuple(sorted(chosen, key=lambda level: level.min_score))

    def to_json(self) -> dict[str, Any]:
        """Return the snapshot that a config version stores; from_json reads it back exactly."""
        return {
            "version": self.version,
            "rulesets": [ruleset.to_json() for ruleset in self.rulesets],
            "levels": [level.to_json() for level in self.levels],
            "allow_negative_scores": self.allow_negative_scores,
            "session_timeout_seconds": self.session_timeout_seconds,
            "policies": self.policies.to_json(),
        }

    @classmethod
    def from_json(cls, data: JsonObject) -> Config:
        """Read a snapshot of any age.

        Keys that it does not know are left alone and settings that it lacks take their defaults, so
        a snapshot written before a setting existed means what it meant then. Raises KeyError for
        one without the parts that never had a default: an id, an event type, a weight, a bound.
        """
        return cls(
            version=data["version"],
            rulesets=tuple(Ruleset.from_json(ruleset) for ruleset in data.get("rulesets", ())),
            levels=tuple(Level.from_json(level) for level in data.get("levels", ())),
            allow_negative_scores=data.get("allow_negative_scores", False),
            session_timeout_seconds=data.get(
                "session_timeout_seconds", DEFAULT_SESSION_TIMEOUT_SECONDS
            ),
            policies=Policies.from_json(data["policies"]) if "policies" in data else PLAIN,
        )


def _is_within(at: datetime, start_at: datetime | None, end_at: datetime | None) -> bool:
    return (start_at is None or start_at <= at) and (end_at is None or at < end_at)


def _written(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _read(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
