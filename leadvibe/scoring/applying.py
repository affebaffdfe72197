"""Writing a whole configuration: the one way for what was restored, imported or published.

All of it is written anew under the unit's lock. What was there before keeps its ids, and who made
it and when; what is as it was keeps who changed it last, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import delete, insert

from leadvibe.engine.policies import SURGE_STANDARD, Policies
from leadvibe.engine.rules import Config, Level, Rule, Ruleset
from leadvibe.events import service as events
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.db import session
from leadvibe.scoring import queries
from leadvibe.scoring.changes import changes_between
from leadvibe.scoring.levels import list_stored_levels
from leadvibe.scoring.models import ConfigItemRow, LevelRow, RuleRow, RulesetRow
from leadvibe.scoring.service import lock_configuration, mark_headlines_stale, record_version
from leadvibe.scoring.settings import save_session_timeout
from leadvibe.scoring.types import AppliedConfig, ItemKind

Row = dict[str, Any]


def apply_config(
    principal: Principal, scope: Scope, config: Config, *, summary: str, now: datetime
) -> AppliedConfig:
    """Make a configuration the unit's current one, as a new version.

    It is fitted to the unit first (queries.fit_config), and has been checked (checks). A
    configuration that means the same as the current one changes nothing and makes no version.
    """
    lock_configuration(scope)
    target = queries.fit_config(scope, config)
    current = queries.read_config(scope)
    changes = changes_between(current, target)
    if not changes:
        return AppliedConfig(current.version, ())
    hand = _Hand(scope, principal.label, now)
    hand.write_rulesets(target.rulesets)
    hand.write_levels(target.levels)
    hand.write_items(target.policies)
    events.replace_type_choices(
        scope,
        {name: (it.hidden, it.reach.value) for name, it in target.policies.event_types.items()},
        now=now,
    )
    save_session_timeout(scope, target.session_timeout_seconds // 60)
    if _headliners(current) != _headliners(target):
        mark_headlines_stale(scope, now=now)
    version = record_version(scope, summary=summary, by=principal.label, now=now)
    return AppliedConfig(version, tuple(change.sentence for change in changes))


class _Hand(NamedTuple):
    """Who writes, where and when."""

    scope: Scope
    by: str
    now: datetime

    def write_rulesets(self, rulesets: Iterable[Ruleset]) -> None:
        """Replace the rulesets with their rules."""
        scope, given = self.scope, list(rulesets)
        sets = {it.ruleset_id: it for it in queries.list_rulesets(scope)}
        rules = {it.rule_id: it for it in queries.list_rules(scope)}
        session().execute(delete(RulesetRow).where(RulesetRow.unit_id == scope.unit_id))
        self._insert(
            RulesetRow, (self._signed(_ruleset_row(it), sets.get(it.ruleset_id)) for it in given)
        )
        self._insert(
            RuleRow,
            (
                self._signed(_rule_row(ruleset, rule), rules.get(rule.rule_id))
                for ruleset in given
                for rule in ruleset.rules
            ),
        )

    def write_levels(self, levels: Iterable[Level]) -> None:
        """Replace the levels."""
        given = list(levels)
        kinds = {it.kind for it in given}
        stored = {
            it.level.level_id: it for kind in kinds for it in list_stored_levels(self.scope, kind)
        }
        rows = []
        for level in given:
            known = stored.get(level.level_id)
            is_same = known is not None and known.level == level
            rows.append(
                {
                    **_level_row(level),
                    "created_by": known.created_by if known else self.by,
                    "updated_by": known.updated_by if known and is_same else self.by,
                }
            )
        session().execute(delete(LevelRow).where(LevelRow.unit_id == self.scope.unit_id))
        self._insert(LevelRow, rows)

    def write_items(self, policies: Policies) -> None:
        """Replace everything that is a config item."""
        stored = {(it.kind, it.item_id): it for it in queries.list_items(self.scope)}
        rows = [
            self._signed(
                {"kind": kind.value, "item_id": item_id, "body": body},
                stored.get((kind, item_id)),
                made_at=made_at,
            )
            for kind, item_id, body, made_at in items_of(policies, surge_id=self.scope.unit_id)
        ]
        session().execute(delete(ConfigItemRow).where(ConfigItemRow.unit_id == self.scope.unit_id))
        self._insert(ConfigItemRow, rows)

    def _signed(self, row: Row, known: Any, *, made_at: datetime | None = None) -> Row:
        """Add who made something and who changed it: as it is known, where nothing changes."""
        is_same = known is not None and all(
            getattr(known, name) == value for name, value in row.items()
        )
        return {
            **row,
            "created_at": made_at or (known.created_at if known else self.now),
            "created_by": known.created_by if known else self.by,
            "updated_at": known.updated_at if is_same else self.now,
            "updated_by": known.updated_by if is_same else self.by,
        }

    def _insert(self, table: type[Any], rows: Iterable[Row]) -> None:
        given = [{"unit_id": self.scope.unit_id, **row} for row in rows]
        if given:
            session().execute(insert(table), given)


class Item(NamedTuple):
    """A config item as a configuration has it; `made_at` is known of decay rules alone."""

    kind: ItemKind
    item_id: UUID
    body: Row
    made_at: datetime | None = None


def items_of(policies: Policies, *, surge_id: UUID) -> Iterator[Item]:
    """Yield what queries.read_policies would put together to these policies."""
    document = policies.to_json()
    for field, kind, id_name in queries.PLAIN_KINDS:
        for body in document[field]:
            yield Item(kind, UUID(body.pop(id_name)), body)
    for decay, body in zip(policies.decays, document["decays"], strict=True):
        del body["decay_id"], body["created_at"]
        yield Item(ItemKind.DECAY, decay.decay_id, body, decay.created_at)
    yield from _attribute_items(
        document["profile_rulesets"], ItemKind.PROFILE_RULESET, ItemKind.PROFILE_RULE
    )
    yield from _attribute_items(
        document["account_rulesets"], ItemKind.ACCOUNT_RULESET, ItemKind.ACCOUNT_RULE
    )
    if policies.surge != SURGE_STANDARD:  # which a unit has when nobody chose
        yield Item(ItemKind.SURGE_POLICY, surge_id, document["surge"])


def _attribute_items(
    rulesets: Iterable[Row], set_kind: ItemKind, rule_kind: ItemKind
) -> Iterator[Item]:
    for body in rulesets:
        rules, ruleset_id = body.pop("rules"), body.pop("ruleset_id")
        yield Item(set_kind, UUID(ruleset_id), body)
        for rule in rules:
            rule_id = UUID(rule.pop("rule_id"))
            yield Item(rule_kind, rule_id, {"ruleset_id": ruleset_id, **rule})


def _ruleset_row(it: Ruleset) -> Row:
    return {
        "ruleset_id": it.ruleset_id,
        "name": it.name,
        "score_column": it.score_column,
        "is_primary": it.is_primary,
        "active": it.active,
        "start_at": it.start_at,
        "end_at": it.end_at,
    }


def _rule_row(ruleset: Ruleset, it: Rule) -> Row:
    return {
        "rule_id": it.rule_id,
        "ruleset_id": ruleset.ruleset_id,
        "event_type": it.event_type,
        "weight": it.weight,
        "icon": it.icon,
        "active": it.active,
        "start_at": it.start_at,
        "end_at": it.end_at,
    }


def _level_row(it: Level) -> Row:
    return {
        "level_id": it.level_id,
        "kind": it.kind.value,
        "name": it.name,
        "min_score": it.min_score,
        "max_score": it.max_score,
        "color": it.color,
        "order": it.order,
    }


def _headliners(config: Config) -> Mapping[UUID, tuple[bool, bool]]:
    """Return what decides which ruleset's score stands for a lead."""
    return {it.ruleset_id: (it.is_primary, it.active) for it in config.rulesets}
