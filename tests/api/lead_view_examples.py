"""Requests for every operation of views of the lead list that succeed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any
from uuid import UUID

from leadvibe.leadviews import service
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from tests.world import World

Send = dict[str, Any]
numbers = count(1)
"""For names that nobody has yet."""


def add_view(world: World, **fields: Any) -> UUID:
    """Add a view that the unit shares, unless it says otherwise."""
    wanted = {"name": f"View {next(numbers)}", "query": {"level": "Hot"}, "shared": True, **fields}
    principal = wanted.pop("principal", world.principal)
    made = service.create_view(principal, **wanted, now=utc_now())
    commit()
    return made.view_id


def _of_view(stage: Any, **sent: Any) -> Send:
    """Let it be the caller's own."""
    member = stage.people[stage.caller].member
    principal = replace(stage.world.principal, member_id=member.org_member_id)
    view_id = add_view(stage.world, shared=False, principal=principal)
    return {"path": {"id": view_id}, **sent}


LEAD_VIEW_EXAMPLES: dict[str, Callable[[Any], Send]] = {
    "GET /lead-views": lambda stage: _nothing(add_view(stage.world)),
    "POST /lead-views": lambda _: {
        "json": {
            "name": f"Hot this week {next(numbers)}",
            "query": {"level": "Hot", "last_active": "7d", "sort": "-last_active"},
            "columns": ["score", "level", "owner"],
        }
    },
    "GET /lead-views/{id}": _of_view,
    "PUT /lead-views/{id}": lambda stage: _of_view(
        stage, json={"name": f"Renamed {next(numbers)}"}
    ),
    "DELETE /lead-views/{id}": _of_view,
}


def _nothing(_made: UUID) -> Send:
    return {}
