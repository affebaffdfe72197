"""Triggers as members set them up, and what they have emitted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from leadvibe.engine.firing import Pace
from leadvibe.engine.triggers import Filters, FireMode, Shape, TriggerKind
from leadvibe.notifications.types import Happening


class WindowUnit(StrEnum):
    """A unit in which people see a window."""

    SECONDS = "seconds"
    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"


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


NO_FILTERS, NO_RECIPIENTS = Filters(), Recipients()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What to look for, for whom, how often, and who is told. Inactive, it fires for nobody.

    `window_unit` is the unit in which people see the window, which counts in seconds.
    """

    name: str = ""
    description: str = ""
    active: bool = True
    fire_mode: FireMode = FireMode.ONCE
    cooldown_seconds: int = 0
    window_unit: str = WindowUnit.SECONDS
    shape: Shape
    filters: Filters = NO_FILTERS
    recipients: Recipients = NO_RECIPIENTS

    @property
    def pace(self) -> Pace:
        return Pace(self.fire_mode, timedelta(seconds=self.cooldown_seconds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger(Setup):
    """A trigger of a unit."""

    trigger_id: UUID
    kind: TriggerKind
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str


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


class Fired(NamedTuple):
    """When a trigger fired last, if ever, and how often of late."""

    last_at: datetime | None
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EmittedFilter:
    """Which emitted events are meant: those that meet whatever is not None."""

    trigger_id: UUID | None = None
    lead_id: str | None = None
    channel: str | None = None
    fired_from: datetime | None = None
    fired_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedLead:
    """A lead that a trigger would have fired for: how often, and through which event last.

    `score` is the one that the event led to, which only milestones know.
    """

    lead_id: str
    name: str
    fired_at: datetime
    event_type: str
    score: int | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What a trigger would have done: for how many leads, how often, and for some of them when.

    `left_out` counts leads that did what it looks for, and that its filters let not through.
    """

    leads: tuple[MatchedLead, ...]
    total: int
    firings: int
    left_out: int
