"""Reads of the scoring configuration, of scores and of the ledger, each confined to one unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select

from leadvibe.engine.engagement import Awarder, compile_config
from leadvibe.engine.facts import Entry, Standing
from leadvibe.engine.rules import Config, Level, LevelKind
from leadvibe.engine.rules import Rule as EngineRule
from leadvibe.engine.rules import Ruleset as EngineRuleset
from leadvibe.events.models import EventRow
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver, session
from leadvibe.scoring.errors import RuleNotFoundError, RulesetNotFoundError
from leadvibe.scoring.models import (
    ConfigVersionRow,
    LeadScoreRow,
    LevelRow,
    OrgScoringSettingsRow,
    RuleRow,
    RulesetRow,
    ScoreEntryRow,
    StaleHeadlinesRow,
    UnitScoringSettingsRow,
)
from leadvibe.scoring.types import (
    ConfigVersion,
    LeadScore,
    LedgerEntry,
    Rule,
    Ruleset,
    ScoringSettings,
)

CACHED_VERSIONS = 256
"""Snapshots never change, so each process keeps the ones that its replays ask for."""


def list_rulesets(scope: Scope) -> list[Ruleset]:
    """Return the unit's rulesets, the primary one first, then by name."""
    statement = _rulesets(scope).order_by(RulesetRow.is_primary.desc(), RulesetRow.name)
    return [Ruleset(*row) for row in session().execute(statement)]


def get_ruleset(scope: Scope, ruleset_id: UUID) -> Ruleset:
    """Return the ruleset. Raises RulesetNotFoundError."""
    row = (
        session().execute(_rulesets(scope).where(RulesetRow.ruleset_id == ruleset_id)).one_or_none()
    )
    if row is None:
        raise RulesetNotFoundError(f"There is no ruleset '{ruleset_id}' in this unit.")
    return Ruleset(*row)


def find_primary(scope: Scope) -> Ruleset | None:
    """Return the ruleset whose score stands for a lead, or None when there is none."""
    row = session().execute(_rulesets(scope).where(RulesetRow.is_primary)).one_or_none()
    return Ruleset(*row) if row else None


def list_rules(scope: Scope, *, ruleset_id: UUID | None = None) -> list[Rule]:
    """Return the rules of one ruleset, or of all, the heaviest first."""
    statement = _rules(scope).order_by(
        RuleRow.ruleset_id, func.abs(RuleRow.weight).desc(), RuleRow.event_type
    )
    if ruleset_id is not None:
        statement = statement.where(RuleRow.ruleset_id == ruleset_id)
    return [Rule(*row) for row in session().execute(statement)]


def get_rule(scope: Scope, rule_id: UUID) -> Rule:
    """Return the rule. Raises RuleNotFoundError."""
    row = session().execute(_rules(scope).where(RuleRow.rule_id == rule_id)).one_or_none()
    if row is None:
        raise RuleNotFoundError(f"There is no rule '{rule_id}' in this unit.")
    return Rule(*row)


def list_levels(scope: Scope, kind: LevelKind = LevelKind.ENGAGEMENT) -> list[Level]:
    """Return the levels of one kind, lowest first."""
    return [level for level in _levels(scope) if level.kind == kind]


def get_settings(scope: Scope) -> ScoringSettings:
    """Return the scoring settings, the defaults where nobody chose."""
    org = session().get(OrgScoringSettingsRow, scope.org_id)
    unit = session().get(UnitScoringSettingsRow, scope.unit_id)
    return ScoringSettings(
        allow_negative_scores=org.allow_negative_scores if org else False,
        abm_enabled=org.abm_enabled if org else False,
        session_timeout_minutes=unit.session_timeout_minutes if unit else 30,
    )


def units_with_stale_headlines() -> list[UUID]:
    """Return the units whose leads may show a score that no longer stands for them."""
    return list(session().scalars(select(StaleHeadlinesRow.unit_id)))


def current_version(scope: Scope) -> int:
    """Return the number of the configuration in force; 0 before the first."""
    # On the path of every page: through the driver alone.
    statement = "SELECT max(version) FROM config_versions WHERE unit_id = %s"
    row = driver().execute(statement, (scope.unit_id,)).fetchone()
    return row[0] or 0 if row else 0


def get_config_version(scope: Scope, version: int) -> ConfigVersion | None:
    """Return who made a version, when, and what it changed."""
    statement = select(
        ConfigVersionRow.version,
        ConfigVersionRow.summary,
        ConfigVersionRow.created_at,
        ConfigVersionRow.created_by,
    ).where(ConfigVersionRow.unit_id == scope.unit_id, ConfigVersionRow.version == version)
    row = session().execute(statement).one_or_none()
    return ConfigVersion(*row) if row else None


def read_config(scope: Scope) -> Config:
    """Return the configuration as its tables say it now, numbered as the version in force."""
    settings = get_settings(scope)
    rules: dict[UUID, list[EngineRule]] = {}
    for rule in list_rules(scope):
        rules.setdefault(rule.ruleset_id, []).append(_engine_rule(rule))
    return Config(
        version=current_version(scope),
        rulesets=tuple(
            _engine_ruleset(ruleset, rules.get(ruleset.ruleset_id, ()))
            for ruleset in list_rulesets(scope)
        ),
        levels=tuple(_levels(scope)),
        allow_negative_scores=settings.allow_negative_scores,
        session_timeout_seconds=settings.session_timeout_minutes * 60,
    )


def get_config(scope: Scope, version: int) -> Config:
    """Return the configuration of a version; 0 is the empty one from before the first."""
    if version == 0:
        return Config(version=0)
    return _snapshot(scope.unit_id, version)


def get_awarder(scope: Scope, version: int) -> Awarder:
    """Return a version made ready to score."""
    if version == 0:
        return compile_config(Config(version=0))
    return _compiled(scope.unit_id, version)


@lru_cache(maxsize=CACHED_VERSIONS)
def _snapshot(unit_id: UUID, version: int) -> Config:
    statement = select(ConfigVersionRow.config).where(
        ConfigVersionRow.unit_id == unit_id, ConfigVersionRow.version == version
    )
    return replace(Config.from_json(session().scalars(statement).one()), version=version)


@lru_cache(maxsize=CACHED_VERSIONS)
def _compiled(unit_id: UUID, version: int) -> Awarder:
    return compile_config(_snapshot(unit_id, version))


def get_standings(scope: Scope, lead_ids: Sequence[str]) -> dict[str, dict[UUID, Standing]]:
    """Return each lead's standing in every ruleset that has scored it."""
    statement = """
        SELECT lead_id, ruleset_id, score, seq FROM lead_scores
        WHERE unit_id = %s AND lead_id = ANY(%s)
    """
    standings: dict[str, dict[UUID, Standing]] = {}
    for lead_id, ruleset_id, score, seq in driver().execute(
        statement, (scope.unit_id, list(lead_ids))
    ):
        standings.setdefault(lead_id, {})[ruleset_id] = Standing(score, seq)
    return standings


def list_scores(
    scope: Scope, lead_ids: Iterable[str], *, ruleset_id: UUID | None = None
) -> list[LeadScore]:
    """Return the leads' scores, in one ruleset or in all."""
    statement = """
        SELECT lead_id, ruleset_id, score, seq FROM lead_scores
        WHERE unit_id = %s AND lead_id = ANY(%s) AND (%s::uuid IS NULL OR ruleset_id = %s)
    """
    bound = (scope.unit_id, list(lead_ids), ruleset_id, ruleset_id)
    return [LeadScore(*row) for row in driver().execute(statement, bound)]


def highest_active_score(scope: Scope, lead_id: str) -> int:
    """Return the lead's highest score across active rulesets; 0 when none has scored it."""
    statement = (
        select(func.max(LeadScoreRow.score))
        .join(
            RulesetRow,
            (RulesetRow.unit_id == LeadScoreRow.unit_id)
            & (RulesetRow.ruleset_id == LeadScoreRow.ruleset_id),
        )
        .where(
            LeadScoreRow.unit_id == scope.unit_id,
            LeadScoreRow.lead_id == lead_id,
            RulesetRow.active,
        )
    )
    return session().scalar(statement) or 0


def list_ledger(scope: Scope, lead_ids: Sequence[str]) -> dict[str, list[Entry]]:
    """Return the whole ledger of the leads, as the engine would write it."""
    statement = """
        SELECT lead_id, ruleset_id, seq, event_id, rule_id, version, kind, weight,
               multiplier_percent, before, delta, after, occurred_at
        FROM score_entries WHERE unit_id = %s AND lead_id = ANY(%s)
        ORDER BY lead_id, ruleset_id, seq
    """
    ledger: dict[str, list[Entry]] = {}
    for lead_id, *values in driver().execute(statement, (scope.unit_id, list(lead_ids))):
        ledger.setdefault(lead_id, []).append(Entry(*values))
    return ledger


def list_entries(
    scope: Scope,
    lead_id: str,
    *,
    ruleset_id: UUID | None = None,
    event_ids: Sequence[UUID] | None = None,
    since: datetime | None = None,
) -> list[LedgerEntry]:
    """Return ledger rows of one lead with their event types, oldest first."""
    conditions: list[ColumnElement[bool]] = []
    if ruleset_id is not None:
        conditions.append(ScoreEntryRow.ruleset_id == ruleset_id)
    if event_ids is not None:
        conditions.append(ScoreEntryRow.event_id.in_(event_ids))
    if since is not None:
        conditions.append(ScoreEntryRow.occurred_at >= since)
    statement = _entries(scope, lead_id).where(*conditions)
    return [LedgerEntry(*row) for row in session().execute(statement)]


def _entries(scope: Scope, lead_id: str) -> Select[Any]:
    columns: tuple[Any, ...] = (
        ScoreEntryRow.ruleset_id,
        ScoreEntryRow.seq,
        ScoreEntryRow.event_id,
        EventRow.event_type,
        ScoreEntryRow.rule_id,
        ScoreEntryRow.version,
        ScoreEntryRow.kind,
        ScoreEntryRow.weight,
        ScoreEntryRow.multiplier_percent,
        ScoreEntryRow.before,
        ScoreEntryRow.delta,
        ScoreEntryRow.after,
        ScoreEntryRow.occurred_at,
    )
    return (
        select(*columns)
        .join(
            EventRow,
            (EventRow.unit_id == ScoreEntryRow.unit_id)
            & (EventRow.event_id == ScoreEntryRow.event_id),
        )
        .where(ScoreEntryRow.unit_id == scope.unit_id, ScoreEntryRow.lead_id == lead_id)
        .order_by(ScoreEntryRow.ruleset_id, ScoreEntryRow.seq)
    )


def _rulesets(scope: Scope) -> Select[Any]:
    columns: tuple[Any, ...] = (
        RulesetRow.ruleset_id,
        RulesetRow.unit_id,
        RulesetRow.name,
        RulesetRow.score_column,
        RulesetRow.is_primary,
        RulesetRow.active,
        RulesetRow.start_at,
        RulesetRow.end_at,
        RulesetRow.created_at,
        RulesetRow.updated_at,
        RulesetRow.created_by,
        RulesetRow.updated_by,
    )
    return select(*columns).where(RulesetRow.unit_id == scope.unit_id)


def _rules(scope: Scope) -> Select[Any]:
    columns: tuple[Any, ...] = (
        RuleRow.rule_id,
        RuleRow.unit_id,
        RuleRow.ruleset_id,
        RuleRow.event_type,
        RuleRow.weight,
        RuleRow.icon,
        RuleRow.active,
        RuleRow.start_at,
        RuleRow.end_at,
        RuleRow.created_at,
        RuleRow.updated_at,
        RuleRow.created_by,
        RuleRow.updated_by,
    )
    return select(*columns).where(RuleRow.unit_id == scope.unit_id)


def _levels(scope: Scope) -> list[Level]:
    columns: tuple[Any, ...] = (
        LevelRow.level_id,
        LevelRow.kind,
        LevelRow.name,
        LevelRow.min_score,
        LevelRow.max_score,
        LevelRow.color,
        LevelRow.order,
    )
    statement = (
        select(*columns)
        .where(LevelRow.unit_id == scope.unit_id)
        .order_by(LevelRow.kind, LevelRow.min_score)
    )
    return [
        Level(level_id, LevelKind(kind), *rest)
        for level_id, kind, *rest in session().execute(statement)
    ]


def _engine_ruleset(ruleset: Ruleset, rules: Iterable[EngineRule]) -> EngineRuleset:
    return EngineRuleset(
        ruleset_id=ruleset.ruleset_id,
        name=ruleset.name,
        is_primary=ruleset.is_primary,
        active=ruleset.active,
        start_at=ruleset.start_at,
        end_at=ruleset.end_at,
        rules=tuple(rules),
    )


def _engine_rule(rule: Rule) -> EngineRule:
    return EngineRule(
        rule_id=rule.rule_id,
        event_type=rule.event_type,
        weight=rule.weight,
        active=rule.active,
        start_at=rule.start_at,
        end_at=rule.end_at,
    )
