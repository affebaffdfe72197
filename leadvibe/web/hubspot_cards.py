"""What the Integrations page shows of HubSpot, to whom."""

from __future__ import annotations

from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal
from leadvibe.notifications import hubspot
from leadvibe.notifications.types import HubSpotConnection
from leadvibe.web.forms.integrations import HubSpotForm
from leadvibe.web.pages.display import Moment, Tone
from leadvibe.web.pages.integrations import HubSpotCard
from leadvibe.web.redirects import INTEGRATIONS

HUBSPOT = f"{INTEGRATIONS}/hubspot"
SCOPES = (
    "crm.objects.contacts.read", "crm.objects.contacts.write", "crm.schemas.contacts.write",
)  # fmt: skip
"""What a private app has to be allowed, by HubSpot's names."""


def build_hubspot(principal: Principal, refused: HubSpotForm | None) -> HubSpotCard:
    """Return the card, with a form that was refused if there is one."""
    connection = hubspot.find_connection(principal.scope)
    may_own = can(principal, Permission.OWN)
    status, tone = _status(connection)
    return HubSpotCard(
        status=status,
        tone=tone,
        is_connected=connection is not None,
        problem=(connection.problem or "") if connection else "",
        portal=connection.portal if connection else "",
        properties=f"{connection.score_property}, {connection.level_property}"
        if connection
        else "",
        changed_by=connection.updated_by if connection else "",
        changed_at=Moment.of(connection.updated_at) if connection else None,
        scopes=SCOPES,
        form=refused or HubSpotForm(obj=connection),
        connect_url=HUBSPOT if may_own else "",
        disconnect_url=f"{HUBSPOT}/disconnect" if may_own and connection else "",
    )


def _status(connection: HubSpotConnection | None) -> tuple[str, Tone]:
    if connection is None:
        return "Not connected", Tone.NEUTRAL
    return ("Not working", Tone.BAD) if connection.problem else ("Connected", Tone.OK)
