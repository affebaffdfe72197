"""Reads of the scoring configuration, each confined to one unit; lead_scores reads the rest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select

from leadvibe.engine.decay import Reign
from leadvibe.engine.engagement import Awarder, compile_config
from leadvibe.engine.policies import Policies, Reach
from leadvibe.engine.replay import reign_of
from leadvibe.engine.rules import DEFAULT_SESSION_TIMEOUT_SECONDS, Config, Level, LevelKind
from leadvibe.engine.rules import Rule as EngineRule
from leadvibe.engine.rules import Ruleset as EngineRuleset
from leadvibe.events.models import EventTypeRow
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver, session
from leadvibe.scoring.errors import (
    AbmDisabledError,
    ConfigItemNotFoundError,
    DraftNotFoundError,
    RuleNotFoundError,
    RulesetNotFoundError,
)
from leadvibe.scoring.models import (
    ConfigItemRow,
    ConfigVersionRow,
    DraftRow,
    LevelRow,
    RuleRow,
    RulesetRow,
    StaleHeadlinesRow,
)
from leadvibe.scoring.types import (
    ConfigItem,
    ConfigVersion,
    Draft,
    ItemKind,
    Rule,
    Ruleset,
    ScoringSettings,
)

LATELY = timedelta(days=2)
"""For how long decay is settled after its last rule went: longer than an outage lasts."""

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
    statement = """
        SELECT coalesce(org.allow_negative_scores, false), coalesce(org.abm_enabled, false),
               coalesce(unit.session_timeout_minutes, %(timeout)s)
        FROM (VALUES (%(org)s::uuid, %(unit)s::uuid)) AS wanted (org_id, unit_id)
        LEFT JOIN org_scoring_settings org USING (org_id)
        LEFT JOIN unit_scoring_settings unit USING (unit_id)
    """
    bound = {
        "org": scope.org_id,
        "unit": scope.unit_id,
        "timeout": DEFAULT_SESSION_TIMEOUT_SECONDS // 60,
    }
    row = driver().execute(statement, bound).fetchone()
    assert row is not None
    return ScoringSettings(*row)


def require_abm(scope: Scope) -> None:
    """Raise AbmDisabledError unless the organisation scores accounts."""
    if not get_settings(scope).abm_enabled:
        raise AbmDisabledError(
            "Accounts are not scored in this organisation: an admin can set abm_enabled in the"
            " scoring settings."
        )


def list_items(scope: Scope, *kinds: ItemKind) -> list[ConfigItem]:
    """Return the unit's config items of these kinds (of all when none is named), oldest first.

    Told by their ids, which ascend with time: they stay when an older version comes back.
    """
    statement = _items(scope).order_by(ConfigItemRow.item_id)
    if kinds:
        statement = statement.where(ConfigItemRow.kind.in_(kinds))
    return [_item(row) for row in session().execute(statement)]


def find_item(scope: Scope, kind: ItemKind, item_id: UUID) -> ConfigItem | None:
    """Return one config item of the unit, or None."""
    statement = _items(scope).where(ConfigItemRow.kind == kind, ConfigItemRow.item_id == item_id)
    row = session().execute(statement).one_or_none()
    return _item(row) if row else None


def get_item(scope: Scope, kind: ItemKind, item_id: UUID) -> ConfigItem:
    """Return one config item of the unit. Raises ConfigItemNotFoundError."""
    item = find_item(scope, kind, item_id)
    if item is None:
        noun = kind.replace("_", " ")
        error = ConfigItemNotFoundError(f"There is no {noun} '{item_id}' in this unit.")
        error.code = f"{kind}_not_found"
        raise error
    return item


def read_policies(scope: Scope) -> Policies:
    """Return what steers scoring beside rules, as it stands now; Standard surge when none chose."""
    by_kind: dict[ItemKind, list[ConfigItem]] = {}
    for item in list_items(scope):
        by_kind.setdefault(item.kind, []).append(item)
    document: dict[str, Any] = {
        "decays": [
            {"decay_id": it.item_id, "created_at": it.created_at, **it.body}
            for it in by_kind.get(ItemKind.DECAY, ())
        ],
        "profile_rulesets": _attribute_rulesets(
            by_kind, ItemKind.PROFILE_RULESET, ItemKind.PROFILE_RULE
        ),
        "account_rulesets": _attribute_rulesets(
            by_kind, ItemKind.ACCOUNT_RULESET, ItemKind.ACCOUNT_RULE
        ),
        "event_types": {
            name: {"hidden": hidden, "reach": reach}
            for name, hidden, reach in session().execute(_decided_event_types(scope))
        },
        "abm_enabled": get_settings(scope).abm_enabled,
    }
    for field, kind, id_name in PLAIN_KINDS:
        document[field] = [{id_name: it.item_id, **it.body} for it in by_kind.get(kind, ())]
    for policy in by_kind.get(ItemKind.SURGE_POLICY, ()):
        document["surge"] = policy.body
    return Policies.from_json(document)


PLAIN_KINDS = (
    ("velocity_filters", ItemKind.VELOCITY_FILTER, "filter_id"),
    ("metadata_filters", ItemKind.METADATA_FILTER, "filter_id"),
    ("profile_mappings", ItemKind.PROFILE_MAPPING, "mapping_id"),
    ("account_mappings", ItemKind.ACCOUNT_MAPPING, "mapping_id"),
)
"""Kinds that stand in a list of the policies as they are, with the name of their ids there."""


def _attribute_rulesets(
    by_kind: Mapping[ItemKind, Sequence[ConfigItem]], ruleset_kind: ItemKind, rule_kind: ItemKind
) -> list[dict[str, Any]]:
    rules: dict[str, list[dict[str, Any]]] = {}
    for rule in by_kind.get(rule_kind, ()):
        body = dict(rule.body)
        rules.setdefault(body.pop("ruleset_id"), []).append({"rule_id": rule.item_id, **body})
    return [
        {"ruleset_id": it.item_id, "rules": rules.get(str(it.item_id), []), **it.body}
        for it in by_kind.get(ruleset_kind, ())
    ]


def _decided_event_types(scope: Scope) -> Select[Any]:
    columns: tuple[Any, ...] = (
        EventTypeRow.name, EventTypeRow.hidden, EventTypeRow.max_processing_scope,
    )  # fmt: skip
    return select(*columns).where(
        EventTypeRow.unit_id == scope.unit_id,
        EventTypeRow.hidden | (EventTypeRow.max_processing_scope != Reach.ACTIVATE),
    )


def _items(scope: Scope) -> Select[Any]:
    columns: tuple[Any, ...] = (
        ConfigItemRow.item_id,
        ConfigItemRow.kind,
        ConfigItemRow.body,
        ConfigItemRow.created_at,
        ConfigItemRow.updated_at,
        ConfigItemRow.created_by,
        ConfigItemRow.updated_by,
    )
    return select(*columns).where(ConfigItemRow.unit_id == scope.unit_id)


def _item(row: Row[*tuple[Any, ...]]) -> ConfigItem:
    item_id, kind, *rest = row
    return ConfigItem(item_id, ItemKind(kind), *rest)


def units_with_stale_headlines() -> list[UUID]:
    """Return the units whose leads may show a score that no longer stands for them."""
    return list(session().scalars(select(StaleHeadlinesRow.unit_id)))


def headlines_stale_since(scope: Scope) -> datetime | None:
    """Return since when the unit's leads may show a wrong score; None when they do not."""
    return session().scalar(
        select(StaleHeadlinesRow.since).where(StaleHeadlinesRow.unit_id == scope.unit_id)
    )


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
        policies=read_policies(scope),
    )


def list_drafts(scope: Scope) -> list[Draft]:
    """Return the unit's drafts, by name."""
    return [Draft(*row) for row in session().execute(_drafts(scope).order_by(DraftRow.name))]


def get_draft(scope: Scope, draft_id: UUID) -> Draft:
    """Return a draft. Raises DraftNotFoundError."""
    row = session().execute(_drafts(scope).where(DraftRow.draft_id == draft_id)).one_or_none()
    if row is None:
        raise DraftNotFoundError(f"There is no draft '{draft_id}' in this unit.")
    return Draft(*row)


def get_draft_config(scope: Scope, draft_id: UUID) -> Config:
    """Return the configuration that publishing a draft would make. Raises DraftNotFoundError."""
    drafted = Config.from_json(get_draft(scope, draft_id).config)
    return replace(fit_config(scope, drafted), version=current_version(scope) + 1)


def fit_config(scope: Scope, config: Config) -> Config:
    """Return what of a configuration from another time or place can hold in this unit.

    What the whole organisation decides is not a unit's to bring along, and no kind of score goes
    without levels: where the configuration has none, those of the unit stay.
    """
    settings = get_settings(scope)
    given = {level.kind for level in config.levels}
    kept = (level for level in _levels(scope) if level.kind not in given)
    return replace(
        config,
        levels=(*config.levels, *kept),
        allow_negative_scores=settings.allow_negative_scores,
        policies=replace(config.policies, abm_enabled=settings.abm_enabled),
    )


def get_config(scope: Scope, version: int) -> Config:
    """Return the configuration of a version; 0 is the empty one from before the first."""
    if version == 0:
        return Config(version=0)
    return _snapshot(scope.unit_id, version)


def read_latest(scope: Scope) -> Config:
    """Return the configuration of the latest version, the empty one before the first.

    For whoever makes versions: one of this very transaction may yet be rolled back, and must not be
    remembered as get_config does.
    """
    version = current_version(scope)
    return _read_snapshot(scope.unit_id, version) if version else Config(version=0)


def get_awarder(scope: Scope, version: int) -> Awarder:
    """Return a version made ready to score."""
    if version == 0:
        return compile_config(Config(version=0))
    return _compiled(scope.unit_id, version)


def compile_for(config: Config) -> Awarder:
    """Return a config that need not be any version made ready to score."""
    return compile_config(config)


def list_reigns(scope: Scope) -> list[Reign]:
    """Return what every version says about decay and when it came into force, oldest first.

    Versions that say what the one before them said are left out: most changes are not to decay.
    """
    return [
        reign_of(get_config(scope, version), created_at)
        for version, created_at in _turns_of_decay(scope.unit_id, current_version(scope))
    ]


@lru_cache(maxsize=CACHED_VERSIONS)
def _turns_of_decay(unit_id: UUID, current: int) -> tuple[tuple[int, datetime], ...]:
    statement = """
        SELECT version, created_at FROM (
            SELECT version, created_at, said, lag(said) OVER (ORDER BY version) AS said_before
            FROM (
                SELECT version, created_at,
                       jsonb_build_array(config #> '{policies,decays}',
                                         config -> 'allow_negative_scores') AS said
                FROM config_versions WHERE unit_id = %s AND version <= %s
            ) AS versions
        ) AS changes
        WHERE said IS DISTINCT FROM said_before ORDER BY version
    """
    rows = driver().execute(statement, (unit_id, current)).fetchall()
    return tuple((version, created_at) for version, created_at in rows)


def longest_windows(scope: Scope) -> Mapping[str, timedelta]:
    """Return how far velocity filters look back, by event type, those of every version so far."""
    return _longest_windows(scope.unit_id, current_version(scope))


@lru_cache(maxsize=CACHED_VERSIONS)
def _longest_windows(unit_id: UUID, current: int) -> Mapping[str, timedelta]:
    statement = """
        SELECT it ->> 'event_type', max((it ->> 'time_window_ms')::bigint)
        FROM config_versions,
             jsonb_array_elements(config #> '{policies,velocity_filters}') AS filters (it)
        WHERE unit_id = %s AND version <= %s GROUP BY 1
    """
    rows = driver().execute(statement, (unit_id, current)).fetchall()
    return {event_type: timedelta(milliseconds=longest) for event_type, longest in rows}


def filtered_types(scope: Scope) -> Collection[str] | None:
    """Return the event types that a filter of any version so far asks about; None for all."""
    types = _filtered_types(scope.unit_id, current_version(scope))
    return None if "" in types else types


@lru_cache(maxsize=CACHED_VERSIONS)
def _filtered_types(unit_id: UUID, current: int) -> frozenset[str]:
    statement = """
        SELECT DISTINCT it ->> 'event_type'
        FROM config_versions, jsonb_array_elements(
            coalesce(config #> '{policies,velocity_filters}', '[]')
            || coalesce(config #> '{policies,metadata_filters}', '[]')
        ) AS filters (it)
        WHERE unit_id = %s AND version <= %s
    """
    rows = driver().execute(statement, (unit_id, current)).fetchall()
    return frozenset(event_type for (event_type,) in rows)


@lru_cache(maxsize=CACHED_VERSIONS)
def _snapshot(unit_id: UUID, version: int) -> Config:
    return _read_snapshot(unit_id, version)


def _read_snapshot(unit_id: UUID, version: int) -> Config:
    statement = select(ConfigVersionRow.config).where(
        ConfigVersionRow.unit_id == unit_id, ConfigVersionRow.version == version
    )
    return replace(Config.from_json(session().scalars(statement).one()), version=version)


@lru_cache(maxsize=CACHED_VERSIONS)
def _compiled(unit_id: UUID, version: int) -> Awarder:
    return compile_config(_snapshot(unit_id, version))


def units_with_decay(*, now: datetime) -> list[UUID]:
    """Return the units in which inactivity may cost points, or did until lately.

    What was due before its rule went is still taken, so units whose configuration has changed
    since are looked at as well.
    """
    statement = """
        SELECT unit_id FROM config_items WHERE kind = %s
        UNION SELECT unit_id FROM config_versions WHERE created_at > %s
    """
    bound = (ItemKind.DECAY.value, now - LATELY)
    return [unit_id for (unit_id,) in driver().execute(statement, bound)]


def _drafts(scope: Scope) -> Select[Any]:
    columns: tuple[Any, ...] = (
        DraftRow.draft_id,
        DraftRow.name,
        DraftRow.base_version,
        DraftRow.created_at,
        DraftRow.updated_at,
        DraftRow.created_by,
        DraftRow.updated_by,
        DraftRow.config,
    )
    return select(*columns).where(DraftRow.unit_id == scope.unit_id)


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
        score_column=ruleset.score_column,
    )


def _engine_rule(rule: Rule) -> EngineRule:
    return EngineRule(
        rule_id=rule.rule_id,
        event_type=rule.event_type,
        weight=rule.weight,
        active=rule.active,
        start_at=rule.start_at,
        end_at=rule.end_at,
        icon=rule.icon,
    )
