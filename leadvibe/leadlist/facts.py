"""What a list shows of its leads beside the rows of their table: read for a page at a time.

Reads nothing that no chosen column needs, so that the usual list stays as quick as its rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from leadvibe.engine.levels import LevelCut
from leadvibe.engine.rules import Config, Level, LevelKind, Ruleset
from leadvibe.identity.types import Scope
from leadvibe.leadlist.records import read_columns
from leadvibe.leadviews.types import RECORDED, Column
from leadvibe.lib.db import driver
from leadvibe.scoring import lead_scores
from leadvibe.scoring.profiles import primary_of

SCORE_COLUMNS = 3
"""Rulesets beside the primary one whose scores get a column: more would not fit a screen."""

_PROFILE = frozenset({Column.PROFILE_SCORE, Column.PROFILE_LEVEL})
_ACCOUNT = frozenset({Column.ACCOUNT, Column.ACCOUNT_SCORE, Column.ACCOUNT_LEVEL})
_DESCRIBED = _ACCOUNT | {Column.TITLE, Column.COMPANY}


NOTHING: Mapping[str, Any] = MappingProxyType({})


class Facts(NamedTuple):
    """Of one lead; what no column asks for is empty."""

    profile_score: int = 0
    profile_level: Level | None = None
    ruleset_scores: tuple[int, ...] = ()
    """In the order of `FactReader.rulesets`."""
    aliases: tuple[str, ...] = ()
    account_id: str = ""
    account: str = ""
    account_score: int = 0
    account_level: Level | None = None
    title: str = ""
    company: str = ""
    recorded: Mapping[str, Any] = NOTHING
    """By column of the records, for those that are shown."""


@dataclass(slots=True)
class _Read:
    """What was read for some leads, by lead."""

    engagement: Mapping[str, Mapping[UUID, int]] = field(default_factory=dict)
    profile: Mapping[str, Mapping[UUID, int]] = field(default_factory=dict)
    aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    described: Mapping[str, tuple[str, str, int, str, str]] = field(default_factory=dict)
    recorded: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


_NOBODY = ("", "", 0, "", "")


class FactReader:
    """Reads for chosen columns under one configuration."""

    def __init__(self, scope: Scope, config: Config, columns: Iterable[Column]) -> None:
        self._scope, self._config = scope, config
        self.columns = frozenset(columns) & offered_columns(config)
        self.recorded = tuple(it for it in Column if it in self.columns and it.is_recorded)
        self.rulesets = other_rulesets(config) if Column.RULESETS in self.columns else ()
        self._has_profile = not _PROFILE.isdisjoint(self.columns)
        primary = primary_of(config.policies.profile_rulesets) if self._has_profile else None
        self._profile_id = primary.ruleset_id if primary else None
        kinds = (LevelKind.PROFILE, LevelKind.ACCOUNT) if self._reads_anything else ()
        self._cuts = {kind: LevelCut(config.levels_of(kind)) for kind in kinds}

    @property
    def _reads_anything(self) -> bool:
        read = _PROFILE | _DESCRIBED | RECORDED | {Column.RULESETS, Column.ALIASES}
        return not read.isdisjoint(self.columns)

    def read(self, lead_ids: Sequence[str]) -> Mapping[str, Facts]:
        """Return what there is to show of each of the leads."""
        if not self._reads_anything or not lead_ids:
            return dict.fromkeys(lead_ids, Facts())
        read = _Read()
        if self.rulesets or self._has_profile:
            read.engagement, read.profile = lead_scores.list_both_scores(self._scope, lead_ids)
        if Column.ALIASES in self.columns:
            read.aliases = _list_aliases(self._scope, lead_ids)
        if not _DESCRIBED.isdisjoint(self.columns):
            read.described = _describe(self._scope, lead_ids)
        if self.recorded:
            # A value says nothing without its currency, whether that has a column or not.
            of_value = {Column.CURRENCY} if Column.VALUE in self.columns else set()
            read.recorded = read_columns(self._scope, lead_ids, sorted({*self.recorded, *of_value}))
        return {lead_id: self._facts(lead_id, read) for lead_id in lead_ids}

    def _facts(self, lead_id: str, read: _Read) -> Facts:
        engagement, profile = read.engagement.get(lead_id, {}), read.profile.get(lead_id, {})
        fit = profile.get(self._profile_id, 0) if self._profile_id else 0
        account_id, account, account_score, title, company = read.described.get(lead_id, _NOBODY)
        return Facts(
            profile_score=fit,
            profile_level=self._cuts[LevelKind.PROFILE].level_of(fit),
            ruleset_scores=tuple(engagement.get(it.ruleset_id, 0) for it in self.rulesets),
            aliases=tuple(read.aliases.get(lead_id, ())),
            account_id=account_id,
            account=account,
            account_score=account_score,
            account_level=(
                self._cuts[LevelKind.ACCOUNT].level_of(account_score) if account_id else None
            ),
            title=title,
            company=company,
            recorded=read.recorded.get(lead_id, NOTHING),
        )


def other_rulesets(config: Config) -> tuple[Ruleset, ...]:
    """Return the active rulesets beside the primary one that have a column."""
    active = (it for it in config.rulesets if it.active and not it.is_primary)
    return tuple(islice(active, SCORE_COLUMNS))


def offered_columns(config: Config) -> frozenset[Column]:
    """Return the columns that say anything under a configuration."""
    offered = set(Column)
    if primary_of(config.policies.profile_rulesets) is None:
        offered -= _PROFILE
    if not config.policies.abm_enabled:
        offered -= _ACCOUNT
    if not other_rulesets(config):
        offered.discard(Column.RULESETS)
    return frozenset(offered)


def _list_aliases(scope: Scope, lead_ids: Sequence[str]) -> dict[str, list[str]]:
    statement = """
        SELECT lead_id, raw_value FROM lead_aliases
        WHERE unit_id = %s AND lead_id = ANY(%s) ORDER BY created_at, kind, value
    """
    found: dict[str, list[str]] = {}
    for lead_id, value in driver().execute(statement, (scope.unit_id, list(lead_ids))):
        found.setdefault(lead_id, []).append(value)
    return found


def _describe(scope: Scope, lead_ids: Sequence[str]) -> dict[str, tuple[str, str, int, str, str]]:
    statement = """
        SELECT l.lead_id, coalesce(l.account_id, ''), coalesce(a.name, ''), coalesce(a.score, 0),
               coalesce(l.metadata->>'title', l.metadata->>'job_title', ''),
               coalesce(l.metadata->>'company', '')
        FROM leads l
        LEFT JOIN accounts a ON a.unit_id = l.unit_id AND a.account_id = l.account_id
        WHERE l.unit_id = %s AND l.lead_id = ANY(%s)
    """
    rows = driver().execute(statement, (scope.unit_id, list(lead_ids)))
    return {lead_id: tuple(described) for lead_id, *described in rows}
