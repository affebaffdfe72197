"""What is known about what is on its way to somebody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class MailState(StrEnum):
    """`waiting` mail will be tried, perhaps again; of the others nothing more comes by itself."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkMail:
    """The latest mail with a link to a member. It is stale once they have chosen a password."""

    org_member_id: UUID
    is_invitation: bool
    """Whether it invites somebody even if they have a password; others depend on that."""
    state: MailState
    attempts: int
    problem: str | None
    """Why the latest attempt failed, for the admin: the end of a sentence about the mail."""
    asked_at: datetime
    due_at: datetime
    """When a waiting mail is tried next."""


class SlackTargetKind(StrEnum):
    CHANNEL = "channel"
    USER = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackApp:
    """The organisation's Slack app, with which its units connect."""

    client_id: str
    sealed_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackDefault:
    """Where a unit's messages go when nothing else is said; `name` is as good as it is known."""

    kind: SlackTargetKind
    id: str
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackConnection:
    """The workspace that a unit writes to, or did until the connection ended."""

    unit_id: UUID
    team_id: str
    team_name: str
    bot_user_id: str
    sealed_token: str | None = field(repr=False)
    problem: str | None
    """Why it ended, as a sentence; None also when somebody ended it."""
    default: SlackDefault | None
    connected_at: datetime
    updated_at: datetime

    @property
    def is_connected(self) -> bool:
        return self.sealed_token is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackPeople:
    """How many of a unit's members are known in its workspace."""

    total: int
    mapped: int


class Happening(StrEnum):
    """What a notice can be about, as the wire calls it."""

    MILESTONE_REACHED = "milestone.reached"
    MILESTONE_EXITED = "milestone.exited"
    SEQUENCE_COMPLETED = "sequence.completed"
    PATTERN_MATCHED = "pattern.matched"
    SURGE_DETECTED = "surge.detected"
    TEST = "test"
    """Sent by hand, to see whether a destination works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerName:
    """The trigger that fired; `type` is milestone, sequence, pattern or surge."""

    trigger_id: str
    name: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeLead:
    """The lead as it was when the trigger fired."""

    lead_id: str
    best_alias: str
    """What people know the lead by: a name, an e-mail address, or the id."""
    email: str | None
    score: int
    engagement_level: str
    profile_level: str
    owner_name: str | None
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The event that made the trigger fire."""

    event_id: UUID
    event_type: str
    timestamp: datetime
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What moved the score most: `points` of `count` events of a type."""

    event_type: str
    points: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentAction:
    event_type: str
    timestamp: datetime
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What happened to a lead and why, as it was then: what every transport puts into its words.

    `summary` is one sentence without the lead's name, such as "reached 85 points (Hot)"; `details`
    is what the kind of trigger has to add, as JSON.
    """

    event: Happening
    id: UUID
    fired_at: datetime
    org_id: UUID
    unit_id: UUID
    trigger: TriggerName
    lead: NoticeLead
    cause: Cause | None
    summary: str
    reasons: tuple[Reason, ...] = ()
    recent: tuple[RecentAction, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What the member who set a trigger up wrote for its messages; empty for nothing."""

    subject: str = ""
    preheader: str = ""
    message: str = ""
    subject_prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One message on its way to one destination.

    `delivery_id` stays the same over all attempts, so that a receiver can tell a repetition.
    `folded` are earlier notices about the same lead that wait to be told with this one.
    """

    delivery_id: UUID
    notice: Notice
    lead_url: str
    wording: Wording = Wording()
    folded: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was said and answered, for whoever looks into a delivery: cut short, without secrets."""

    status: int | None
    request: str
    response: str


class Transport(StrEnum):
    """The ways in which notices travel."""

    WEBHOOK = "webhook"
    EMAIL = "email"
    SLACK = "slack"
    TEAMS = "teams"
    HUBSPOT = "hubspot"


class ChannelType(StrEnum):
    SLACK = "slack"
    TEAMS = "teams"
    WEBHOOK = "webhook"
    EMAIL = "email"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A destination with a name, which any trigger may use; `config` depends on the type."""

    channel_id: UUID
    name: str
    type: ChannelType
    config: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str


class DeliveryState(StrEnum):
    """Of `waiting` ones more will come by itself; `folded` ones are told by another."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    FOLDED = "folded"


class AttemptOutcome(StrEnum):
    DELIVERED = "delivered"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where notices go, and how that works: left alone until `paused_until` when it does not."""

    destination_id: UUID
    transport: Transport
    address: str
    failures: int
    """Temporary ones in a row."""
    paused_until: datetime | None
    problem: str | None
    last_delivered_at: datetime | None
    has_secret: bool
    created_at: datetime

    def state(self, *, now: datetime) -> str:
        """Say in words whether notices get there."""
        if self.paused_until is not None and self.paused_until > now:
            return f"paused until {self.paused_until:%Y-%m-%d %H:%M} UTC"
        if self.failures:
            return "failing"
        return "working" if self.last_delivered_at else "never used"


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningSecret:
    """What signs notices; until `former_until` the one before it signs them as well."""

    secret: str = field(repr=False)
    former_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A notice on its way to a destination, or there. `due_at` is of those alone that wait."""

    delivery_id: UUID
    notice_id: UUID
    event: Happening
    destination_id: UUID
    transport: Transport
    address: str
    channel_id: UUID | None
    trigger_id: UUID | None
    trigger_name: str
    lead_id: str
    lead_name: str
    recipient: str | None
    """The e-mail address of the member it is personal to."""
    state: DeliveryState
    attempts: int
    problem: str | None
    created_at: datetime
    due_at: datetime | None
    finished_at: datetime | None
    folded_into: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries to list; None for any."""

    state: DeliveryState | None = None
    transport: Transport | None = None
    trigger_id: UUID | None = None
    lead_id: str | None = None
    lead_ids: tuple[str, ...] | None = None
    """About any of these leads."""
    destination_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAttempt:
    """One attempt, with what was said and answered."""

    attempt: int
    started_at: datetime
    milliseconds: int
    outcome: AttemptOutcome
    status: int | None
    problem: str | None
    request: str
    response: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSpotConnection:
    """The HubSpot account that a unit writes to, and the contact properties that it writes."""

    sealed_token: str = field(repr=False)
    portal: str
    score_property: str
    level_property: str
    problem: str | None
    """Why nothing gets through at present."""
    updated_at: datetime
    updated_by: str
