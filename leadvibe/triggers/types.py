"""Triggers as members set them up, and what they have emitted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from leadvibe.engine.firing import Pace
from leadvibe.engine.triggers import Filters, FireMode, Shape, TriggerKind
from leadvibe.notifications.types import Happening

HAPPENINGS = {
    TriggerKind.MILESTONE: Happening.MILESTONE_REACHED,
    TriggerKind.SEQUENCE: Happening.SEQUENCE_COMPLETED,
    TriggerKind.PATTERN: Happening.PATTERN_MATCHED,
    TriggerKind.SURGE: Happening.SURGE_DETECTED,
}
"""What is said of a trigger of a kind that fires."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipients:
    """Where a trigger sends its notices; empty for nowhere.

    `teams_target_id` is the URL of a Teams workflow or the id of a notification channel, as each
    of `channel_ids` is. With `notify_owner` the lead's owner is told the way they prefer.
    """

    webhook_url: str = ""
    emails: tuple[str, ...] = ()
    email_subject: str = ""
    email_preheader: str = ""
    email_message: str = ""
    slack_target_kind: str = ""
    slack_target_id: str = ""
    teams_target_kind: str = ""
    teams_target_id: str = ""
    hubspot_sync: bool = False
    channel_ids: tuple[UUID, ...] = ()
    notify_owner: bool = False

    @property
    def are_none(self) -> bool:
        """Say whether nothing is named, so that the unit's default target is told."""
        named = (self.webhook_url, self.emails, self.slack_target_id, self.teams_target_id)
        return not any((*named, self.hubspot_sync, self.channel_ids, self.notify_owner))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What to look for, for whom, how often, and who is told. Inactive, it fires for nobody.

    `window_unit` is the unit in which people see the window, which counts in seconds.
    """

    trigger_id: UUID
    kind: TriggerKind
    name: str
    description: str
    active: bool
    fire_mode: FireMode
    cooldown_seconds: int
    window_unit: str
    shape: Shape
    filters: Filters
    recipients: Recipients
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str

    @property
    def pace(self) -> Pace:
        return Pace(self.fire_mode, timedelta(seconds=self.cooldown_seconds))


@dataclass(frozen=True, slots=True, kw_only=True)
class EmittedEvent:
    """A trigger that fired for a lead, through which event, and what was told of it.

    `occurred_at` is the event's time, `fired_at` when the trigger noticed.
    """

    emitted_id: UUID
    kind: TriggerKind
    event: Happening
    trigger_id: UUID
    trigger_name: str
    lead_id: str
    score: int
    event_type: str
    cause_event_id: UUID | None
    channel: str
    occurred_at: datetime
    fired_at: datetime
    summary: str
    details: dict[str, Any]
