"""Requests for every operation of bulk actions that succeed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from leadvibe.bulk import service
from leadvibe.bulk.types import BulkAction, BulkKind, Selection
from leadvibe.leads.ownership import assign_owner
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.lib.queue import JobQueue

Send = dict[str, Any]
LEAD = "ld_ada"


def assign(stage: Any) -> BulkAction:
    """Give a lead that is nobody's to the caller."""
    assign_owner(stage.world.scope, LEAD, None, now=utc_now())
    made = service.request_action(
        stage.world.principal,
        BulkKind.ASSIGN_OWNER,
        Selection((LEAD,)),
        owner=stage.people[stage.caller].member,
        queue=JobQueue(stage.broker),
        now=utc_now(),
    )
    commit()
    return made


BULK_EXAMPLES: dict[str, Callable[[Any], Send]] = {
    "POST /leads/bulk": lambda stage: {
        "json": {
            "action": "assign_owner",
            "criteria": {"min_score": 5},
            "owner_id": str(stage.people.owner.member.org_member_id),
        }
    },
    "GET /leads/bulk/{id}": lambda stage: {"path": {"id": assign(stage).action_id}},
    "POST /leads/bulk/{id}/undo": lambda stage: {"path": {"id": assign(stage).action_id}},
}
