"""Requests for every operation of Slack that succeed, and a unit that is connected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import current_app

from leadvibe.http.slack import slack_site
from leadvibe.identity import queries as identity
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.notifications import slack, slack_people
from leadvibe.notifications.slack import SlackGrant
from leadvibe.notifications.types import SlackTargetKind
from tests.standins.slack import BOT, CLIENT_ID, CLIENT_SECRET, TEAM_ID, TEAM_NAME, TOKEN
from tests.world import World

Send = dict[str, Any]

CHANNEL = "C024BE91M"
USER = "U0OWNER001"


def set_app(world: World) -> None:
    """Give the organisation an app that the stand-in knows."""
    slack.set_app(
        world.principal,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        sealer=current_app.extensions["leadvibe.sealer"],
        now=utc_now(),
    )
    commit()


def connect(world: World, token: str = TOKEN) -> None:
    """Connect the unit to the stand-in's workspace."""
    set_app(world)
    grant = SlackGrant(token=token, team_id=TEAM_ID, team_name=TEAM_NAME, bot_user_id=BOT)
    site, now = slack_site(), utc_now()
    slack.store_connection(world.scope, grant, by="setup", sealer=site.sealer, now=now)
    slack.set_default_target(
        world.scope, kind=SlackTargetKind.CHANNEL, target_id=CHANNEL, name="sales", now=now
    )
    commit()


def _member(world: World) -> str:
    listed = identity.list_members(world.scope)
    return str(next(it.member.org_member_id for it in listed if it.unit_role == "Operator"))


def _mapped(world: World) -> Send:
    connect(world)
    slack_people.sync_people(world.scope, slack_site(), now=utc_now())
    commit()
    return {}


def _with_app(world: World) -> Send:
    set_app(world)
    return {}


def _connected(world: World, **sent: Any) -> Send:
    connect(world)
    return sent


SLACK_EXAMPLES: dict[str, Callable[[World], Send]] = {
    "GET /settings/org/slack-app": _with_app,
    "PUT /settings/org/slack-app": lambda _: {
        "json": {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    },
    "GET /settings/ou/slack": _connected,
    "GET /settings/ou/slack/install": _with_app,
    "POST /settings/ou/slack/install": _with_app,
    "DELETE /settings/ou/slack": _connected,
    "GET /settings/ou/slack/channels": lambda world: _connected(
        world, query_string={"types": "public_channel,private_channel"}
    ),
    "GET /settings/ou/slack/users": _connected,
    "PUT /settings/ou/slack/default-target": lambda world: _connected(
        world, json={"kind": "channel", "id": CHANNEL}
    ),
    "POST /settings/ou/slack/test": lambda world: _connected(
        world, json={"kind": "user", "id": USER, "text": "Hello from Leadvibe"}
    ),
    "GET /integrations/slack/identity-status": _mapped,
    "POST /integrations/slack/sync-identities": _connected,
    "PUT /members/{org_member_id}/slack": lambda world: {
        "path": {"org_member_id": _member(world)}, "json": {"slack_user_id": "U024BE7LH"}
    },
}  # fmt: skip
