"""How members want to be told of their own leads, each for themselves and in each unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool

from leadvibe.api.fields import LEFT_OUT, Changes
from leadvibe.identity.types import Principal
from leadvibe.lib.clock import utc_now
from leadvibe.notifications.addresses import masked_id
from leadvibe.notifications.preferences import (
    Preferences,
    get_preferences,
    save_preferences,
)
from leadvibe.notifications.slack_people import find_slack_user
from leadvibe.notifications.types import Happening


class EventType(StrEnum):
    """What can be muted, by the contract's names for it."""

    MILESTONE_ENTERED = "milestone.entered"
    MILESTONE_EXITED = "milestone.exited"
    SEQUENCE_COMPLETED = "sequence.completed"
    SURGE_FIRED = "surge.fired"
    PATTERN_MATCHED = "pattern.matched"


HAPPENINGS: Mapping[EventType, Happening] = MappingProxyType(
    {
        EventType.MILESTONE_ENTERED: Happening.MILESTONE_REACHED,
        EventType.MILESTONE_EXITED: Happening.MILESTONE_EXITED,
        EventType.SEQUENCE_COMPLETED: Happening.SEQUENCE_COMPLETED,
        EventType.SURGE_FIRED: Happening.SURGE_DETECTED,
        EventType.PATTERN_MATCHED: Happening.PATTERN_MATCHED,
    }
)


class WantedPref(BaseModel):
    """Whether you want to hear of something."""

    event_type: EventType = Field(description="What happens to a lead of yours.")
    muted: StrictBool = Field(description="Whether you are not told of it.")


class WantedPrefs(Changes):
    """What to change; what is left out stays as it is."""

    notifications_enabled: StrictBool = Field(
        LEFT_OUT, description="Whether you are told anything."
    )
    prefs: list[WantedPref] = Field(
        LEFT_OUT,
        max_length=100,
        description="Those to change; of two about the same the last one counts.",
    )
    digest: StrictBool = Field(
        LEFT_OUT, description="Whether you get at most one message per lead and hour."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationPref:
    event_type: EventType
    muted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationPrefs:
    """How you are told of leads that you own: in Slack if you are known there, else by mail."""

    notifications_enabled: bool
    slack_user_id: str | None
    prefs: list[NotificationPref]
    digest: bool


def get_prefs(principal: Principal) -> NotificationPrefs:
    """How you want to be told of your leads in the active unit."""
    return _item(principal, get_preferences(principal.scope, _member(principal)))


def set_prefs(principal: Principal, body: WantedPrefs) -> NotificationPrefs:
    """Choose how you are told of your leads in the active unit."""
    chosen = _changed(get_preferences(principal.scope, _member(principal)), body)
    save_preferences(principal.scope, _member(principal), chosen, now=utc_now())
    return _item(principal, chosen)


def _changed(current: Preferences, body: WantedPrefs) -> Preferences:
    given = body.model_fields_set
    return replace(
        current,
        enabled=body.notifications_enabled if "notifications_enabled" in given else current.enabled,
        muted=_muted(current.muted, body.prefs if "prefs" in given else ()),
        digest=body.digest if "digest" in given else current.digest,
    )


def _muted(current: frozenset[Happening], prefs: Sequence[WantedPref]) -> frozenset[Happening]:
    muted = set(current)
    for pref in prefs:
        change = muted.add if pref.muted else muted.discard
        change(HAPPENINGS[pref.event_type])
    return frozenset(muted)


def _member(principal: Principal) -> UUID:
    assert principal.member_id is not None, "only members get as far as this"
    return principal.member_id


def _item(principal: Principal, chosen: Preferences) -> NotificationPrefs:
    slack_user_id = find_slack_user(principal.scope, _member(principal))
    return NotificationPrefs(
        notifications_enabled=chosen.enabled,
        slack_user_id=masked_id(slack_user_id) if slack_user_id else None,
        prefs=[
            NotificationPref(event_type=name, muted=happening in chosen.muted)
            for name, happening in HAPPENINGS.items()
        ],
        digest=chosen.digest,
    )
