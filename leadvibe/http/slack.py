"""What a request needs to have to do with Slack: where it is, and where answers are remembered."""

from __future__ import annotations

from typing import cast

from flask import current_app
from redis import Redis

from leadvibe.lib.sealing import Sealer
from leadvibe.notifications.slack import SlackSite


def slack_site() -> SlackSite:
    config = current_app.config
    return SlackSite(
        api_url=config["SLACK_API_URL"],
        public_url=config["PUBLIC_URL"],
        sealer=cast("Sealer", current_app.extensions["leadvibe.sealer"]),
    )


def slack_memory() -> Redis:
    """Return where what Slack has answered is remembered for a while."""
    return cast("Redis", current_app.extensions["leadvibe.redis"])
