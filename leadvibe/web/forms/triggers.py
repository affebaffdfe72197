"""Forms of triggers, one for each kind, but for their rows: web.trigger_rows reads these."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from uuid import UUID

from wtforms import (
    BooleanField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.form import BaseForm
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError

from leadvibe.engine.triggers import ANY_TYPE, FireMode, TriggerKind
from leadvibe.http.destinations import find_refusal
from leadvibe.identity.checks import checked_email
from leadvibe.lib.errors import InvalidError
from leadvibe.lib.ids import parse_id
from leadvibe.triggers.checks import (
    LONGEST_COOLDOWN_SECONDS,
    LONGEST_URL,
    LONGEST_WINDOW_SECONDS,
    MOST_CHANNELS,
    MOST_EMAILS,
    MOST_EVENTS,
    find_channel_id,
)
from leadvibe.triggers.types import WindowUnit
from leadvibe.web.forms.member_form import MemberForm, WholeNumberField, printable, strip

LONGEST_NAME = 100
LONGEST_LINE = 200
LONGEST_DESCRIPTION = 1_000
LONGEST_MESSAGE = 5_000
MOST_POINTS = 2_147_483_647
"""Of the columns that hold scores."""
SECONDS_IN: Mapping[str, int] = {
    WindowUnit.SECONDS: 1,
    WindowUnit.MINUTES: 60,
    WindowUnit.HOURS: 3_600,
    WindowUnit.DAYS: 86_400,
}
ANY_WORDS = frozenset({"", "*", "any"})
_BETWEEN_EMAILS = re.compile(r"[,;\s]+")


def _at_most(count: int) -> Length:
    return Length(max=count, message="Use at most %(max)d characters.")


def _storable(_form: BaseForm, field: StringField) -> None:
    if "\0" in (field.data or ""):
        raise ValidationError("Leave out control characters.")


def _postable(_form: BaseForm, field: StringField) -> None:
    is_channel = find_channel_id(field.data or "") is not None
    if field.data and not is_channel and (reason := find_refusal(field.data)):
        raise ValidationError(f"This cannot be used: {reason}.")


def choices_of(labels: Mapping[str, str]) -> list[Any]:
    """Return what a SelectField offers, by value; the types on offer know only deprecated pairs."""
    return [SelectChoice(value, label) for value, label in labels.items()]


def _line(label: str, longest: int = LONGEST_LINE) -> StringField:
    return StringField(label, [_at_most(longest), printable], filters=[strip])


def _url(label: str) -> StringField:
    return StringField(label, [_at_most(LONGEST_URL), _postable], filters=[strip])


def _units() -> SelectField:
    choices = choices_of({unit.value: unit.value for unit in WindowUnit})
    return SelectField("Unit", choices=choices, default=WindowUnit.DAYS, validate_choice=False)


def _several(label: str) -> SelectMultipleField:
    return SelectMultipleField(label, validate_choice=False)


class TriggerForm(MemberForm):
    """What triggers of all kinds have in common."""

    kind: ClassVar[TriggerKind]

    name = _line("Name", LONGEST_NAME)
    description = _line("Note", LONGEST_DESCRIPTION)
    active = BooleanField("Active", default=True)
    fire_mode = RadioField(
        "How often",
        choices=choices_of(
            {
                FireMode.ONCE.value: "The first time only, for each lead",
                FireMode.ALWAYS.value: "Each time it happens",
            }
        ),
        default=FireMode.ONCE.value,
    )
    cooldown = WholeNumberField(
        "Then rest for that lead for", [Optional(), NumberRange(0, message="Give no less than 0.")]
    )
    cooldown_unit = _units()
    engagement_levels = _several("Engagement level")
    profile_levels = _several("Profile level")
    account_levels = _several("Account level")
    webhook_url = _url("Webhook")
    emails = StringField("E-mails", [_storable], filters=[strip])
    slack_target_kind = SelectField(
        "Slack", choices=choices_of({"channel": "Channel", "user": "Person"}), validate_choice=False
    )
    slack_target_id = _line("Channel or person in Slack")
    channel_ids = _several("Notification channels")
    notify_owner = BooleanField("The lead's owner, the way they prefer")
    seen = HiddenField()
    """When what is edited was changed last, so that nobody else's change is lost."""

    def validate_cooldown(self, _field: WholeNumberField) -> None:
        if self.cooldown_seconds > LONGEST_COOLDOWN_SECONDS:
            raise ValidationError("Choose at most 365 days.")

    def validate_emails(self, _field: StringField) -> None:
        if len(self.email_list) > MOST_EMAILS:
            raise ValidationError(f"Name at most {MOST_EMAILS} addresses.")
        for email in self.email_list:
            try:
                checked_email(email)
            except InvalidError:
                raise ValidationError(f"“{email}” is not an e-mail address.") from None

    def validate_channel_ids(self, field: SelectMultipleField) -> None:
        if len(field.data or ()) > MOST_CHANNELS:
            raise ValidationError(f"Choose at most {MOST_CHANNELS}.")

    @property
    def cooldown_seconds(self) -> int:
        return (self.cooldown.data or 0) * SECONDS_IN.get(self.cooldown_unit.data, 1)

    @property
    def email_list(self) -> tuple[str, ...]:
        found = (it.lower() for it in _BETWEEN_EMAILS.split(self.emails.data or "") if it)
        return tuple(dict.fromkeys(found))

    def read(self) -> dict[str, Any]:
        """Return the trigger's fields as triggers.service calls them, for a form that is valid."""
        return {
            "name": self.name.data,
            "description": self.description.data,
            "active": self.active.data,
            "fire_mode": FireMode(self.fire_mode.data),
            "cooldown_seconds": self.cooldown_seconds,
            "engagement_levels": tuple(self.engagement_levels.data or ()),
            "profile_levels": tuple(self.profile_levels.data or ()),
            "account_levels": tuple(self.account_levels.data or ()),
            "webhook_url": self.webhook_url.data,
            "emails": self.email_list,
            "slack_target_id": self.slack_target_id.data,
            "slack_target_kind": self._slack_kind(),
            "channel_ids": tuple(self._channels()),
            "notify_owner": self.notify_owner.data,
        }

    def _slack_kind(self) -> str:
        if not self.slack_target_id.data:
            return ""
        return "user" if self.slack_target_kind.data == "user" else "channel"

    def _channels(self) -> Iterator[UUID]:
        found = map(parse_id, self.channel_ids.data or ())
        return (it for it in found if it is not None)


class MailedForm(TriggerForm):
    """A trigger with words of its own for its messages."""

    email_subject = _line("Subject")
    email_preheader = _line("Preview text")
    email_message = TextAreaField("Message", [_at_most(LONGEST_MESSAGE), _storable])
    teams_target_id = _url("Microsoft Teams workflow")
    hubspot_sync = BooleanField("HubSpot gets the lead's score")

    def read(self) -> dict[str, Any]:
        # Line ends as they are typed elsewhere, or an unchanged message would seem changed.
        message = (self.email_message.data or "").replace("\r\n", "\n")
        given = super().read() | {
            "email_subject": self.email_subject.data,
            "email_preheader": self.email_preheader.data,
            "email_message": message,
            "teams_target_id": self.teams_target_id.data,
            "hubspot_sync": self.hubspot_sync.data,
        }
        if not self.teams_target_id.data:
            given["teams_target_kind"] = ""
        return given


class _WindowPart(MemberForm):
    """A window: a number and a unit."""

    window = WholeNumberField(
        "Within",
        [InputRequired("Say within which time."), NumberRange(1, message="Give at least 1.")],
    )
    window_unit = _units()

    def validate_window(self, _field: WholeNumberField) -> None:
        if self.window_seconds > LONGEST_WINDOW_SECONDS:
            raise ValidationError("Choose at most 90 days.")

    @property
    def window_seconds(self) -> int:
        return (self.window.data or 0) * SECONDS_IN.get(self.window_unit.data, 1)

    def read_window(self) -> dict[str, Any]:
        unit = self.window_unit.data
        known = unit if unit in SECONDS_IN else WindowUnit.SECONDS
        return {"window_seconds": self.window_seconds, "window_unit": WindowUnit(known)}


def _type_or_any() -> StringField:
    return StringField("Event type", [_at_most(LONGEST_LINE), printable], filters=[strip])


def _read_type(field: StringField) -> str:
    text = field.data or ""
    return ANY_TYPE if text.lower() in ANY_WORDS else text


class MilestoneForm(MailedForm):
    kind = TriggerKind.MILESTONE

    score_threshold = WholeNumberField(
        "Score to reach",
        [
            InputRequired("Give the score to reach."),
            NumberRange(-MOST_POINTS, MOST_POINTS, f"Choose at most {MOST_POINTS:,}."),
        ],
    )
    event_type = _type_or_any()
    ruleset_id = SelectField("Ruleset", validate_choice=False, choices=[])

    def read(self) -> dict[str, Any]:
        return super().read() | {
            "score_threshold": self.score_threshold.data,
            "event_type": _read_type(self.event_type),
            "ruleset_id": parse_id(self.ruleset_id.data or ""),
        }


class SequenceForm(MailedForm, _WindowPart):
    kind = TriggerKind.SEQUENCE

    ordered = BooleanField("In this order", default=True)

    def read(self) -> dict[str, Any]:
        return super().read() | self.read_window() | {"ordered": self.ordered.data}


class PatternForm(MailedForm, _WindowPart):
    kind = TriggerKind.PATTERN

    def read(self) -> dict[str, Any]:
        return super().read() | self.read_window()


class SurgeForm(TriggerForm, _WindowPart):
    kind = TriggerKind.SURGE

    threshold_count = WholeNumberField(
        "Events",
        [
            InputRequired("Say how many events make a surge."),
            NumberRange(1, MOST_EVENTS, f"Choose from 1 to {MOST_EVENTS:,}."),
        ],
    )
    event_type = _type_or_any()

    def validate_webhook_url(self, field: StringField) -> None:
        if bool(field.data) == bool(self.email_list):
            raise ValidationError(
                "A surge is sent to a webhook or to e-mail addresses: give one of the two."
            )

    def read(self) -> dict[str, Any]:
        return (
            super().read()
            | self.read_window()
            | {
                "threshold_count": self.threshold_count.data,
                "event_type": _read_type(self.event_type),
            }
        )


FORMS: Mapping[TriggerKind, type[TriggerForm]] = {
    form.kind: form for form in (MilestoneForm, SequenceForm, PatternForm, SurgeForm)
}
