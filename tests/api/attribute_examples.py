"""Requests for every operation of profiles, accounts and backfills that succeed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any
from uuid import UUID

from leadvibe.engine.policies import FieldTest
from leadvibe.imports import backfills
from leadvibe.imports.backfills import BackfillKind
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.pipeline.attributes import advance_rescores
from leadvibe.scoring import attributes
from leadvibe.scoring.profiles import Side
from tests.world import World

Send = dict[str, Any]
"""`path` fills in the operation's path, `json` or `query_string` is sent."""

COMPANY = "acme.test"
numbers = count(1)
"""For names that nobody has yet."""


def add_set(world: World, side: Side = Side.PROFILE, **fields: Any) -> UUID:
    wanted = {"name": f"Fit {next(numbers)}", "enabled": True, "is_primary": False, **fields}
    made = attributes.create_ruleset(world.principal, world.scope, side, wanted, now=utc_now())
    commit()
    return made.item_id


def add_rule(world: World, side: Side, ruleset_id: UUID) -> UUID:
    made = attributes.create_rule(
        world.principal,
        world.scope,
        side,
        ruleset_id,
        test=FieldTest("plan", "exists"),
        weight=5,
        order=0,
        now=utc_now(),
    )
    commit()
    return made.item_id


def add_mapping(world: World, side: Side) -> UUID:
    fields = {
        "source_field": "plan",
        "target_property": f"plan_{next(numbers)}",
        "update_behavior": "always_latest",
    }
    made = attributes.create_mapping(world.principal, world.scope, side, fields, now=utc_now())
    commit()
    return made.item_id


def add_backfill(world: World) -> UUID:
    asked = backfills.request_backfill(
        world.principal, world.scope, BackfillKind.ACCOUNTS, now=utc_now()
    )
    commit()
    return asked.backfill_id


def rule_path(world: World, side: Side) -> dict[str, object]:
    ruleset_id = add_set(world, side)
    return {"id": ruleset_id, "ruleId": add_rule(world, side, ruleset_id)}


def having(_made: object) -> Send:
    """Send nothing in particular: something has been made for it to show."""
    return {}


def explained(world: World, side: Side, **path: object) -> Send:
    """Let the lead, or its account, have a score to explain."""
    rule_path(world, side)
    advance_rescores(world.scope, is_stopping=lambda: False)
    commit()
    return {"path": path}


def _side_examples(noun: str, side: Side) -> dict[str, Callable[[World], Send]]:
    sets, mappings = f"/{noun}-scoring/rulesets", f"/{noun}-mappings"
    rule = {
        f"{noun}_property": "industry",
        "condition": "equals",
        "comparison_value": "tech",
        "weight": 20,
    }
    mapping = {"source_field": "utm_source", f"{noun}_property": "acquisition_source"}
    return {
        f"POST {sets}": lambda _: {"json": {"name": "Fit", "is_primary": True}},
        f"PUT {sets}/{{id}}": lambda it: {
            "path": {"id": add_set(it, side)},
            "json": {"enabled": False},
        },
        f"DELETE {sets}/{{id}}": lambda it: {"path": {"id": add_set(it, side)}},
        f"GET {sets}": lambda it: having(rule_path(it, side)),
        f"GET {sets}/{{id}}/rules": lambda it: {"path": {"id": rule_path(it, side)["id"]}},
        f"GET {mappings}": lambda it: having(add_mapping(it, side)),
        f"POST {sets}/{{id}}/rules": lambda it: {"path": {"id": add_set(it, side)}, "json": rule},
        f"PUT {sets}/{{id}}/rules/{{ruleId}}": lambda it: {
            "path": rule_path(it, side),
            "json": {"weight": 7},
        },
        f"DELETE {sets}/{{id}}/rules/{{ruleId}}": lambda it: {"path": rule_path(it, side)},
        f"POST {mappings}": lambda _: {"json": mapping},
        f"PUT {mappings}/{{id}}": lambda it: {
            "path": {"id": add_mapping(it, side)},
            "json": {"source_field": "plan_name"},
        },
        f"DELETE {mappings}/{{id}}": lambda it: {"path": {"id": add_mapping(it, side)}},
    }


ATTRIBUTE_EXAMPLES: dict[str, Callable[[World], Send]] = {
    **_side_examples("profile", Side.PROFILE),
    **_side_examples("account", Side.ACCOUNT),
    "GET /accounts/{id}": lambda _: {"path": {"id": COMPANY}},
    "GET /accounts/{id}/score-explain": lambda it: explained(it, Side.ACCOUNT, id=COMPANY),
    "GET /lead/{leadID}/profile-explain": lambda it: explained(it, Side.PROFILE, leadID="ld_ada"),
    "DELETE /accounts/batch": lambda _: {"json": {"ids": [COMPANY]}},
    "GET /accounts/by-domain": lambda _: {"query_string": {"domain": COMPANY}},
    "GET /accounts/fuzzy": lambda _: {"query_string": {"name": "Acme Tset"}},
    "GET /admin/backfill/{jobId}": lambda it: {"path": {"jobId": add_backfill(it)}},
    "DELETE /admin/backfill/{jobId}": lambda it: {"path": {"jobId": add_backfill(it)}},
}
