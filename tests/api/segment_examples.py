"""Requests for every operation of segments that succeed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any
from uuid import UUID

from leadvibe.engine.conditions import Joiner
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.segments import service
from leadvibe.segments.picking import pick
from tests.world import World

Send = dict[str, Any]
"""`path` fills in the operation's path, `json` or `query_string` is sent."""

LEAD = "ld_ada"
RULE = {
    "rule_name": "On a paid plan",
    "rule_type": "event_metadata",
    "field_name": "plan",
    "operator": "in",
    "value": "pro, team",
    "event_type": "page_view",
}
numbers = count(1)
"""For names that nobody has yet."""


def add_segment(world: World, **fields: Any) -> UUID:
    wanted = {"name": f"Audience {next(numbers)}", "description": "", "active": True, **fields}
    made = service.create_segment(world.principal, world.scope, wanted, now=utc_now())
    commit()
    return made.segment_id


def add_rule(world: World, segment_id: UUID, **fields: Any) -> UUID:
    """Add a rule, which lets in whom a page view has named a plan of, unless it says otherwise."""
    wanted = {
        "name": "",
        "rule_type": "event_metadata",
        "field": "plan",
        "operator": "exists",
        "value": None,
        "event_type": "page_view",
        "group": 0,
        "logic_op": Joiner.AND,
        "order": None,
        "active": True,
        **fields,
    }
    made = service.create_rule(world.principal, world.scope, segment_id, wanted, now=utc_now())
    commit()
    return made.rule_id


def _ruled(world: World) -> UUID:
    segment_id = add_segment(world)
    add_rule(world, segment_id)
    return segment_id


def _picked(world: World) -> UUID:
    segment_id = add_segment(world)
    pick(world.principal, world.scope, segment_id, [LEAD], is_in=True, now=utc_now())
    commit()
    return segment_id


def _of_rule(world: World, **sent: Any) -> Send:
    segment_id = add_segment(world)
    return {"path": {"id": segment_id, "ruleId": add_rule(world, segment_id)}, **sent}


SEGMENT_EXAMPLES: dict[str, Callable[[World], Send]] = {
    "GET /segments": lambda world: _nothing(add_segment(world)),
    "POST /segments": lambda _: {"json": {"name": "Marketing Leads"}},
    "POST /segments/preview": lambda _: {"json": {"rules": [RULE]}},
    "GET /segments/{id}": lambda world: {"path": {"id": add_segment(world)}},
    "PUT /segments/{id}": lambda world: {
        "path": {"id": add_segment(world)}, "json": {"name": f"Renamed {next(numbers)}"}
    },
    "DELETE /segments/{id}": lambda world: {"path": {"id": add_segment(world)}},
    "GET /segments/{id}/count": lambda world: {"path": {"id": _ruled(world)}},
    "GET /segments/{id}/leads": lambda world: {"path": {"id": _ruled(world)}},
    "GET /segments/{id}/export": lambda world: {"path": {"id": _ruled(world)}},
    "GET /segments/{id}/members/{leadID}": lambda world: {
        "path": {"id": _ruled(world), "leadID": LEAD}
    },
    "PUT /segments/{id}/members/{leadID}": lambda world: {
        "path": {"id": add_segment(world), "leadID": LEAD}, "json": {"member": True}
    },
    "DELETE /segments/{id}/members/{leadID}": lambda world: {
        "path": {"id": _picked(world), "leadID": LEAD}
    },
    "GET /segments/{id}/uses": lambda world: {"path": {"id": _picked(world)}},
    "GET /segments/{id}/picks": lambda world: {"path": {"id": _picked(world)}},
    "GET /leads/{leadID}/segments": lambda world: {
        "path": {"leadID": LEAD if _ruled(world) else ""}
    },
    "GET /segments/{id}/rules": lambda world: {"path": {"id": _ruled(world)}},
    "POST /segments/{id}/rules": lambda world: {"path": {"id": add_segment(world)}, "json": RULE},
    "PUT /segments/{id}/rules/{ruleId}": lambda world: _of_rule(world, json={"value": "pro"}),
    "DELETE /segments/{id}/rules/{ruleId}": _of_rule,
}  # fmt: skip


def _nothing(_made: UUID) -> Send:
    return {}
