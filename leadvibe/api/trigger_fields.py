"""What triggers of all kinds have in common in the API: for whom they fire, and who is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StrictBool, StrictInt, StringConstraints
from pydantic_core import PydanticCustomError

from leadvibe.api.editing import Editable
from leadvibe.api.fields import LEFT_OUT, Changes, EventTypeOrAny, Name, Named, Text, storable
from leadvibe.api.metadata_filters import known_operator, storable_value
from leadvibe.engine.policies import FieldTest
from leadvibe.engine.triggers import ANY_TYPE, FireMode
from leadvibe.http.destinations import postable_url
from leadvibe.identity.types import Scope
from leadvibe.triggers import checks
from leadvibe.triggers.types import Trigger

TriggerId = Annotated[UUID, Named("trigger")]

ANY_WORD = "*"
"""How any event type is answered; it may also be asked for as "any"."""
LONGEST_MESSAGE = 5_000
MOST_LEVELS = 50


def _known_any(text: str) -> str:
    return ANY_TYPE if text.lower() in {ANY_WORD, "any"} else text


def _given(text: str) -> str:
    if not text:
        raise PydanticCustomError("no_type", "must not be empty: name a type, or * for any event")
    return text


AnyType = Annotated[EventTypeOrAny, AfterValidator(_known_any)]
"""An event type; `*`, `any` or nothing for any."""

StepType = Annotated[EventTypeOrAny, AfterValidator(_given), AfterValidator(_known_any)]

Window = Annotated[StrictInt, Field(ge=1, le=checks.LONGEST_WINDOW_SECONDS)]
Threshold = Annotated[StrictInt, Field(ge=1, le=checks.MOST_EVENTS)]
TargetKind = Literal["", "channel", "user"]
_TriggerName = Annotated[Text, StringConstraints(strip_whitespace=True, max_length=100)]
_Levels = Annotated[list[Name], Field(max_length=MOST_LEVELS)]


def _postable_target(target: str) -> str:
    return target if checks.find_channel_id(target) else postable_url(target)


_Address = Annotated[str, Field(max_length=checks.LONGEST_URL), AfterValidator(storable)]
_Url = Annotated[_Address, AfterValidator(postable_url)]
_UrlOrChannel = Annotated[_Address, AfterValidator(_postable_target)]
_Line = Annotated[Text, Field(max_length=200)]
_Message = Annotated[str, Field(max_length=LONGEST_MESSAGE), AfterValidator(storable)]


class TriggerFilter(BaseModel):
    """A condition on one property."""

    field: Text = Field(min_length=1, description="The property; dots reach into objects.")
    operator: Annotated[Text, AfterValidator(known_operator)] = Field(
        description="equals, not_equals, contains, gt, in, exists and so on."
    )
    value: Annotated[Any, AfterValidator(storable_value)] = Field(
        None, description="What to compare with: text, a number, true or false, or a list of them."
    )


Tests = Annotated[list[TriggerFilter], Field(max_length=checks.MOST_TESTS)]


class TriggerFields(Changes):
    """Fields of a trigger of any kind; in a change, those left out stay as they are."""

    name: _TriggerName = Field(
        LEFT_OUT, description="Its name; empty for one that says what it is."
    )
    description: Text = Field(LEFT_OUT, description="What it is for.")
    active: StrictBool = Field(
        LEFT_OUT, description="Whether it fires; true unless said otherwise."
    )
    fire_mode: FireMode = Field(
        LEFT_OUT,
        description="For one lead: once, or always. Usually once, of surges always.",
    )
    cooldown_seconds: Annotated[StrictInt, Field(ge=0, le=checks.LONGEST_COOLDOWN_SECONDS)] = Field(
        LEFT_OUT, description="How long it then rests for that lead; 0 for not at all."
    )
    engagement_levels: _Levels = Field(
        LEFT_OUT, description="Only leads of these levels; empty for all."
    )
    profile_levels: _Levels = Field(LEFT_OUT, description="As engagement_levels.")
    account_levels: _Levels = Field(LEFT_OUT, description="As engagement_levels; needs ABM.")
    profile_filters: Tests = Field(
        LEFT_OUT, description="Only leads whose profile meets all of these conditions."
    )
    lead_attribute_filters: Tests = Field(
        LEFT_OUT, description="Only leads whose attributes, such as score, meet all of these."
    )
    webhook_url: _Url = Field(LEFT_OUT, description="Where to POST what happened.")
    emails: Annotated[list[Text], Field(max_length=checks.MOST_EMAILS)] = Field(
        LEFT_OUT, description="Whom to send an e-mail."
    )
    slack_target_kind: TargetKind = Field(LEFT_OUT, description="channel or user.")
    slack_target_id: _Line = Field(LEFT_OUT, description="Its id in Slack, such as C0123ABCD.")
    channel_ids: Annotated[list[UUID], Field(max_length=checks.MOST_CHANNELS)] = Field(
        LEFT_OUT, description="Notification channels to tell."
    )
    notify_owner: StrictBool = Field(
        LEFT_OUT, description="Whether the lead's owner is told, the way they prefer."
    )


class MailedFields(TriggerFields):
    """Fields of a trigger with words of its own for its messages."""

    email_subject: _Line = Field(LEFT_OUT, description="Instead of the usual subject.")
    email_preheader: _Line = Field(LEFT_OUT, description="What inboxes show beside the subject.")
    email_message: _Message = Field(
        LEFT_OUT, description="Stands before what is known of the lead."
    )
    teams_target_kind: TargetKind = Field(LEFT_OUT, description="channel or user.")
    teams_target_id: _UrlOrChannel = Field(
        LEFT_OUT, description="The URL of a Teams workflow, or the id of a notification channel."
    )
    hubspot_sync: StrictBool = Field(LEFT_OUT, description="Whether HubSpot gets the lead's score.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerFilterItem:
    field: str
    operator: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerItem(Editable):
    """What triggers of all kinds answer."""

    trigger_id: UUID
    org_id: UUID
    unit_id: UUID
    name: str
    description: str
    active: bool
    fire_mode: FireMode
    cooldown_seconds: int
    engagement_levels: list[str]
    profile_levels: list[str]
    account_levels: list[str]
    profile_filters: list[TriggerFilterItem]
    lead_attribute_filters: list[TriggerFilterItem]
    webhook_url: str
    emails: list[str]
    slack_target_kind: str
    slack_target_id: str
    channel_ids: list[UUID]
    notify_owner: bool
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailedItem(TriggerItem):
    email_subject: str
    email_preheader: str
    email_message: str
    teams_target_kind: str
    teams_target_id: str
    hubspot_sync: bool


def stored(body: TriggerFields) -> dict[str, Any]:
    """Return what was sent as the service calls it; what only one kind has stays as it is."""
    given = {name: _tuple(value) for name, value in body.given().items()}
    if given.pop("profile_filters", None) is not None:
        given["profile_tests"] = tests_of(body.profile_filters)
    if given.pop("lead_attribute_filters", None) is not None:
        given["attribute_tests"] = tests_of(body.lead_attribute_filters)
    return given


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def tests_of(filters: Iterable[TriggerFilter]) -> tuple[FieldTest, ...]:
    return tuple(FieldTest(it.field, it.operator, it.value) for it in filters)


def shown_tests(tests: Iterable[FieldTest]) -> list[TriggerFilterItem]:
    return [TriggerFilterItem(field=it.key, operator=it.operator, value=it.value) for it in tests]


def shown_type(event_type: str) -> str:
    return ANY_WORD if event_type == ANY_TYPE else event_type


def in_common(scope: Scope, trigger: Trigger) -> dict[str, Any]:
    """Return what a TriggerItem says."""
    filters, told = trigger.filters, trigger.recipients
    return {
        "trigger_id": trigger.trigger_id,
        "org_id": scope.org_id,
        "unit_id": scope.unit_id,
        "name": trigger.name,
        "description": trigger.description,
        "active": trigger.active,
        "fire_mode": trigger.fire_mode,
        "cooldown_seconds": trigger.cooldown_seconds,
        "engagement_levels": list(filters.engagement_levels),
        "profile_levels": list(filters.profile_levels),
        "account_levels": list(filters.account_levels),
        "profile_filters": shown_tests(filters.profile_tests),
        "lead_attribute_filters": shown_tests(filters.attribute_tests),
        "webhook_url": told.webhook_url,
        "emails": list(told.emails),
        "slack_target_kind": told.slack_target_kind,
        "slack_target_id": told.slack_target_id,
        "channel_ids": list(told.channel_ids),
        "notify_owner": told.notify_owner,
        "created_at": trigger.created_at,
        "updated_at": trigger.updated_at,
        "created_by": trigger.created_by,
        "updated_by": trigger.updated_by,
    }


def with_mail(scope: Scope, trigger: Trigger) -> dict[str, Any]:
    """Return what a MailedItem says."""
    told = trigger.recipients
    return in_common(scope, trigger) | {
        "email_subject": told.email_subject,
        "email_preheader": told.email_preheader,
        "email_message": told.email_message,
        "teams_target_kind": told.teams_target_kind,
        "teams_target_id": told.teams_target_id,
        "hubspot_sync": told.hubspot_sync,
    }
