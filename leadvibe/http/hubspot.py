"""Asking HubSpot about a token, where this installation finds it."""

from __future__ import annotations

from flask import current_app

from leadvibe.lib.clock import utc_now
from leadvibe.lib.outbound import Outbound
from leadvibe.notifications.hubspot import HubSpotAccess
from leadvibe.notifications.transports.hubspot import Connection, describe, ensure_properties


def check_hubspot(access: HubSpotAccess) -> str:
    """Create the properties that HubSpot lacks; returns the account. Raises TransportError."""
    outbound, now = Outbound(allow_private=False), utc_now()
    connection = Connection(
        token=access.token,
        base_url=current_app.config["HUBSPOT_API_URL"],
        score_property=access.score_property,
        level_property=access.level_property,
    )
    portal = describe(outbound, connection, now=now)
    ensure_properties(outbound, connection, now=now)
    return str(portal.portal_id)
