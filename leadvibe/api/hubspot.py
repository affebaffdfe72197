"""A unit's connection to HubSpot, which keeps contacts up to date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints
from pydantic_core import PydanticCustomError

from leadvibe.api.editing import Editable
from leadvibe.http.hubspot import check_hubspot
from leadvibe.http.sealing import sealer
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.notifications import hubspot
from leadvibe.notifications.hubspot import LEVEL_PROPERTY, SCORE_PROPERTY, HubSpotAccess


def _sendable(token: str) -> str:
    if not token.isascii() or not token.isprintable() or " " in token:
        raise PydanticCustomError("not_a_token", "is no token: copy it again, without line breaks")
    return token


Token = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=1_000),
    AfterValidator(_sendable),
]
Property = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=100, pattern=r"^[a-z][a-z0-9_]*$"),
]


class WantedConnection(BaseModel):
    """How to write to HubSpot."""

    token: Token = Field(
        "", description="Of a private app. Left out, the one that is connected stays."
    )
    score_property: Property = Field(
        SCORE_PROPERTY, description="Contact property for the score, by its internal name."
    )
    level_property: Property = Field(
        LEVEL_PROPERTY, description="Contact property for the level, by its internal name."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSpotItem(Editable):
    """Whether the unit writes to HubSpot, and where to. The token is never shown.

    `problem` says why nothing gets through at present.
    """

    connected: bool
    portal: str | None
    score_property: str
    level_property: str
    problem: str | None
    updated_at: datetime | None
    updated_by: str | None


def get_connection(principal: Principal) -> HubSpotItem:
    """Whether the unit writes to HubSpot, and whether that works."""
    return _item(principal.scope)


def connect(principal: Principal, body: WantedConnection) -> HubSpotItem:
    """Connect the unit with HubSpot, or change what it writes; the token is tried first."""
    access = HubSpotAccess(
        token=body.token, score_property=body.score_property, level_property=body.level_property
    )
    hubspot.connect(
        principal, principal.scope, access, check=check_hubspot, sealer=sealer(), now=utc_now()
    )
    return _item(principal.scope)


def disconnect(principal: Principal) -> None:
    """Write to HubSpot no more and forget the token."""
    hubspot.disconnect(principal.scope)


def _item(scope: Scope) -> HubSpotItem:
    found = hubspot.find_connection(scope)
    return HubSpotItem(
        connected=found is not None,
        portal=(found.portal or None) if found else None,
        score_property=found.score_property if found else SCORE_PROPERTY,
        level_property=found.level_property if found else LEVEL_PROPERTY,
        problem=found.problem if found else None,
        updated_at=found.updated_at if found else None,
        updated_by=found.updated_by if found else None,
    )
