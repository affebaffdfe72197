"""Drafts and their addresses, for tests of the pages about scoring."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from leadvibe.engine.rules import Config, Rule
from leadvibe.identity.types import Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.scoring import drafts, queries
from leadvibe.scoring.types import Draft

SCORING = "/app/scoring"


def make_draft(world: Any, name: str = "Next year") -> Draft:
    draft = drafts.create_draft(world.principal, world.scope, name, now=utc_now())
    commit()
    return draft


def draft_url(draft: Draft, end: str = "/engagement") -> str:
    return f"{SCORING}/drafts/{draft.draft_id}{end}"


def config_of(scope: Scope, draft: Draft) -> Config:
    return queries.get_draft_config(scope, draft.draft_id)


def rules_of(config: Config) -> dict[str, tuple[int, bool]]:
    rules = (rule for ruleset in config.rulesets for rule in ruleset.rules)
    return {rule.event_type: (rule.weight, rule.active) for rule in rules}


def find_rule(config: Config, event_type: str) -> Rule:
    rules = (rule for ruleset in config.rulesets for rule in ruleset.rules)
    return next(rule for rule in rules if rule.event_type == event_type)


def rulesets_of(config: Config) -> dict[str, tuple[bool, bool]]:
    return {it.name: (it.is_primary, it.active) for it in config.rulesets}


def rule_url(draft: Draft, rule_id: UUID, end: str = "") -> str:
    return draft_url(draft, f"/engagement/rules/{rule_id}{end}")


def ruleset_url(draft: Draft, ruleset_id: UUID, end: str = "") -> str:
    return draft_url(draft, f"/engagement/rulesets/{ruleset_id}{end}")
