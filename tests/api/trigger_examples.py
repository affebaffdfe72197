"""Requests for every operation of triggers that succeed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from leadvibe.engine.triggers import Count, Step, TriggerKind
from leadvibe.identity.types import Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, session
from leadvibe.lib.ids import new_id
from leadvibe.notifications.models import ChannelRow
from leadvibe.triggers import service
from leadvibe.triggers.models import EmittedEventRow
from leadvibe.triggers.types import HAPPENINGS, Trigger
from tests.world import World

Send = dict[str, Any]
"""`path` fills in the operation's path, `json` or `query_string` is sent."""

LEAD = "ld_ada"
HOOK = "https://example.com/hooks/leadvibe"
DAY = 24 * 60 * 60

MILESTONE = {
    "name": "Ready for sales",
    "event_type": "*",
    "score_threshold": 80,
    "webhook_url": HOOK,
    "emails": ["sales@example.com"],
    "email_subject": "A lead is ready",
    "lead_attribute_filters": [{"field": "plan", "operator": "in", "value": ["pro", "team"]}],
}
SEQUENCE = {
    "event_types": ["pricing_view", "demo_request"],
    "window_seconds": 2 * DAY,
    "window_unit": "hours",
    "ordered": True,
    "webhook_url": HOOK,
}
PATTERN = {
    "name": "Looks at prices again and again",
    "window_seconds": 7 * DAY,
    "window_unit": "days",
    "conditions": [
        {"event_type": "page_view", "min_count": 3, "metadata": {"path": "/pricing"}},
        {"event_type": "email_click"},
    ],
    "emails": ["sales@example.com"],
}
SURGE = {
    "event_type": "page_view",
    "window_seconds": 600,
    "window_unit": "minutes",
    "threshold_count": 10,
    "webhook_url": HOOK,
}

# What the one page view of the lead makes fire.
_FIELDS: dict[TriggerKind, dict[str, Any]] = {
    TriggerKind.MILESTONE: {"name": "First points", "score_threshold": 1},
    TriggerKind.SEQUENCE: {
        "steps": (Step("page_view"),), "window_seconds": DAY, "webhook_url": HOOK,
    },
    TriggerKind.PATTERN: {"counts": (Count(Step("page_view")),), "window_seconds": DAY},
    TriggerKind.SURGE: {"threshold_count": 1, "window_seconds": DAY, "webhook_url": HOOK},
}  # fmt: skip
PATHS = {
    TriggerKind.MILESTONE: "triggers",
    TriggerKind.SEQUENCE: "sequences",
    TriggerKind.PATTERN: "pattern-triggers",
    TriggerKind.SURGE: "surge-triggers",
}
_BODIES = dict(zip(PATHS, (MILESTONE, SEQUENCE, PATTERN, SURGE), strict=True))
BODIES = {f"/{path}": _BODIES[kind] for kind, path in PATHS.items()}
"""What makes a trigger of each kind, by where it is sent."""


def add_trigger(world: World, kind: TriggerKind, **fields: Any) -> Trigger:
    """Add a trigger that a page view makes fire, unless it says otherwise."""
    made = service.create_trigger(
        world.principal, world.scope, kind, _FIELDS[kind] | fields, now=utc_now()
    )
    commit()
    return made


def emit(
    world: World,
    trigger: Trigger,
    *,
    lead_id: str = LEAD,
    fired_at: datetime | None = None,
    event_types: tuple[str, ...] = ("page_view",),
    **fields: Any,
) -> UUID:
    """Write down that a trigger has fired."""
    at, event_id = fired_at or utc_now(), new_id()
    acts = [
        {"event_id": str(new_id()), "event_type": it, "timestamp": at.isoformat()}
        for it in event_types
    ]
    values = {
        "unit_id": world.scope.unit_id,
        "emitted_id": event_id,
        "kind": trigger.kind,
        "event": HAPPENINGS[trigger.kind],
        "trigger_id": trigger.trigger_id,
        "trigger_name": trigger.name,
        "lead_id": lead_id,
        "score": 5,
        "event_type": event_types[-1],
        "cause_event_id": new_id(),
        "channel": "web",
        "occurred_at": at - timedelta(seconds=1),
        "fired_at": at,
        "summary": "reached 5 points",
        "details": {"events": acts},
    }
    session().execute(insert(EmittedEventRow).values({**values, **fields}))
    commit()
    return event_id


def make_channel(scope: Scope) -> str:
    """Make a notification channel; returns its id."""
    channel_id, now = new_id(), utc_now()
    session().execute(
        insert(ChannelRow).values(
            unit_id=scope.unit_id, channel_id=channel_id, name=str(channel_id), type="slack",
            config={}, created_at=now, updated_at=now, created_by="", updated_by="",
        )
    )  # fmt: skip
    commit()
    return str(channel_id)


def _examples_of(kind: TriggerKind) -> dict[str, Callable[[World], Send]]:
    path, events = f"/{PATHS[kind]}", f"/{kind}-events"

    def one(world: World, **sent: Any) -> Send:
        return {"path": {"id": add_trigger(world, kind).trigger_id}, **sent}

    def there(world: World) -> Send:
        emit(world, add_trigger(world, kind))
        return {}

    return {
        f"GET {path}": there,
        f"POST {path}": lambda _: {"json": _BODIES[kind]},
        f"GET {path}/{{id}}": one,
        f"PUT {path}/{{id}}": lambda world: one(world, json={"cooldown_seconds": DAY}),
        f"DELETE {path}/{{id}}": one,
        f"POST {path}/{{id}}/simulate": lambda world: one(world, json={"days": 30}),
        f"GET {events}": there,
        f"GET {events}/export": there,
    }


TRIGGER_EXAMPLES: dict[str, Callable[[World], Send]] = {
    **_examples_of(TriggerKind.MILESTONE),
    **_examples_of(TriggerKind.SEQUENCE),
    **_examples_of(TriggerKind.PATTERN),
    **_examples_of(TriggerKind.SURGE),
    "POST /surge-triggers/{id}/preview": lambda world: {
        "path": {"id": add_trigger(world, TriggerKind.SURGE).trigger_id}, "json": {"days": 7},
    },
    "POST /triggers/{kind}/{id}/copy": lambda world: {
        "path": {
            "kind": "sequence", "id": add_trigger(world, TriggerKind.SEQUENCE).trigger_id,
        },
    },
    "POST /trigger-simulations": lambda _: {
        "json": {"milestone": {"score_threshold": 5}, "days": 30}
    },
}  # fmt: skip
