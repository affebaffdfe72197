"""Requests for every operation of notifications that succeed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any
from uuid import UUID

from leadvibe.http.sealing import sealer
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.notifications import channels, deliveries, destinations, hubspot, queries, trials
from leadvibe.notifications.errors import TransportError
from leadvibe.notifications.hubspot import HubSpotAccess
from leadvibe.notifications.outcomes import Attempt, settle
from leadvibe.notifications.types import Receipt
from tests.standins.hubspot import TOKEN
from tests.world import World

Send = dict[str, Any]
"""`path` fills in the operation's path, `json` or `query_string` is sent."""

URL = "https://hooks.acme.test/leads"
WEBHOOK = {"url": URL, "auth_header": "Bearer s3cret"}
RECEIPT = Receipt(status=200, request="POST /leads", response="ok")
REFUSED = TransportError(
    "503", reason="the server answered 503 Service Unavailable", is_temporary=True, status=503,
    request="POST /leads", response="busy",
)  # fmt: skip
numbers = count(1)
"""For names that nobody has yet."""


def add_channel(world: World, kind: str = "webhook", **config: str) -> UUID:
    wanted = {"name": f"Channel {next(numbers)}", "type": kind, "config": config or WEBHOOK}
    made = channels.create_channel(
        world.principal, world.scope, wanted, sealer=sealer(), allow_private=False, now=utc_now()
    )
    commit()
    return made.channel_id


def add_delivery(world: World, kind: str = "webhook", **config: str) -> UUID:
    """Let a test notice be on its way through a new channel."""
    channel = queries.get_channel(world.scope, add_channel(world, kind, **config))
    [made] = trials.post_test(world.principal, world.scope, channel, now=utc_now())
    commit()
    return made.delivery_id


def attempt(outcome: Receipt | TransportError = RECEIPT, *, at_most: int = 100) -> None:
    """Let an attempt be made at what is due, with no world outside."""
    now = utc_now()
    for claim in deliveries.claim_due(now=now, at_most=at_most, under_way={}):
        settle([Attempt(claim, now, 0.12, outcome)], now=now)
    commit()


def add_destination(world: World) -> UUID:
    made = destinations.prepare_webhook(
        world.scope, f"{URL}/{next(numbers)}", sealer(), now=utc_now()
    )
    commit()
    return made


def connect_hubspot(world: World) -> None:
    hubspot.connect(
        world.principal,
        world.scope,
        HubSpotAccess(token=TOKEN),
        check=lambda _access: "4711",
        sealer=sealer(),
        now=utc_now(),
    )
    commit()


def _of_channel(world: World, **sent: Any) -> Send:
    return {"path": {"id": add_channel(world)}, **sent}


def _of_delivery(world: World) -> Send:
    delivery_id = add_delivery(world)
    attempt()
    return {"path": {"id": delivery_id}}


def _of_destination(world: World) -> Send:
    return {"path": {"id": add_destination(world)}}


def _having(make: Callable[[World], object], **sent: Any) -> Callable[[World], Send]:
    def example(world: World) -> Send:
        make(world)
        return dict(sent)

    return example


NOTIFICATION_EXAMPLES: dict[str, Callable[[World], Send]] = {
    "GET /notification-channels": _having(add_channel),
    "POST /notification-channels": lambda _: {
        "json": {
            "name": "Sales team",
            "type": "email",
            "config": {"recipients": "ana@acme.test, bo@acme.test", "subject_prefix": "[Leads]"},
        }
    },
    "GET /notification-channels/{id}": _of_channel,
    "PUT /notification-channels/{id}": lambda world: _of_channel(
        world, json={"name": f"Renamed {next(numbers)}"}
    ),
    "DELETE /notification-channels/{id}": _of_channel,
    "POST /notification-channels/{id}/test": _of_channel,
    "GET /me/notification-prefs": lambda _: {},
    "PUT /me/notification-prefs": lambda _: {
        "json": {"prefs": [{"event_type": "surge.fired", "muted": True}], "digest": True}
    },
    "GET /deliveries": _having(add_delivery),
    "GET /deliveries/{id}": _of_delivery,
    "POST /deliveries/{id}/resend": _of_delivery,
    "GET /destinations": _having(add_destination),
    "GET /destinations/{id}/secret": _of_destination,
    "POST /destinations/{id}/rotate-secret": _of_destination,
    "POST /destinations/{id}/resume": _of_destination,
    "GET /settings/ou/hubspot": _having(connect_hubspot),
    "PUT /settings/ou/hubspot": lambda _: {"json": {"token": TOKEN}},
    "DELETE /settings/ou/hubspot": _having(connect_hubspot),
}
