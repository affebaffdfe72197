"""Scoring settings: some are the unit's own, others the whole organisation's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StrictBool, StrictInt

from leadvibe.api.editing import Editable
from leadvibe.api.fields import LEFT_OUT, Changes
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import Principal
from leadvibe.lib.clock import utc_now
from leadvibe.scoring import queries, settings

LONGEST_TIMEOUT_MINUTES = 24 * 60

Minutes = Annotated[StrictInt, Field(ge=1, le=LONGEST_TIMEOUT_MINUTES)]


class SettingsChanges(Changes):
    """Settings to change; those left out stay. Two are the whole organisation's: admins only."""

    allow_negative_scores: StrictBool = Field(
        LEFT_OUT, description="Whether scores may go below 0, in the whole organisation."
    )
    abm_enabled: StrictBool = Field(
        LEFT_OUT, description="Whether accounts are scored, in the whole organisation."
    )
    session_timeout_minutes: Minutes = Field(
        LEFT_OUT, description="A longer pause ends a lead's session, in this unit."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsItem(Editable):
    allow_negative_scores: bool
    abm_enabled: bool
    session_timeout_minutes: int


def get_settings(principal: Principal) -> SettingsItem:
    """The settings that hold for the unit."""
    found = queries.get_settings(principal.scope)
    return SettingsItem(
        allow_negative_scores=found.allow_negative_scores,
        abm_enabled=found.abm_enabled,
        session_timeout_minutes=found.session_timeout_minutes,
    )


def update_settings(principal: Principal, body: SettingsChanges) -> None:
    """Change settings; what is scored so far stays until a rescore."""
    scope, wanted = principal.scope, body.given()
    if settings.differing_settings(scope, wanted).keys() & settings.ORG_SETTINGS:
        require(Permission.ADMINISTER)
    settings.update_settings(principal, scope, wanted, now=utc_now())
