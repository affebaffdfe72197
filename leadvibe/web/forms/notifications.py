"""Forms of notification channels, one for each type, and of a member's own preferences.

They check little more than that something was typed; what a channel may hold, notifications decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Self

from wtforms import BooleanField, HiddenField, PasswordField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length
from wtforms.widgets import PasswordInput

from leadvibe.lib.errors import LeadvibeError
from leadvibe.notifications.preferences import Preferences
from leadvibe.notifications.types import ChannelType, Happening
from leadvibe.web.forms.member_form import MemberForm, printable, strip

LONGEST_NAME = 100


class ChannelForm(MemberForm):
    """What all channels have; the fields of a subclass are those of its configuration."""

    name = StringField(
        "Name",
        [
            DataRequired("Name the channel."),
            Length(max=LONGEST_NAME, message="Use at most %(max)d characters."),
            printable,
        ],
        filters=[strip],
    )
    seen = HiddenField()
    """When what is edited was changed last, so that nobody else's change is lost."""

    def config(self) -> dict[str, str]:
        own = {name: it for name, it in self._fields.items() if name not in {"name", "seen"}}
        return {name: field.data or "" for name, field in own.items()}

    def show(self, error: LeadvibeError) -> None:
        """Put each problem at its field; what belongs to no field goes above the form."""
        about = {name.removeprefix("config."): it for name, it in error.fields.items()}
        for name in about.keys() & self._fields.keys():
            field = self[name]
            field.errors = [*field.errors, f"{field.label.text} {about[name]}."]
        if not about.keys() & self._fields.keys():
            self.form_errors.append(error.message)


class SlackChannelForm(ChannelForm):
    channel_id = StringField("Channel", filters=[strip])


class TeamsChannelForm(ChannelForm):
    webhook_url = StringField("Workflow URL", filters=[strip])
    channel_name = StringField("Name of the channel in Teams", filters=[strip])


class WebhookChannelForm(ChannelForm):
    url = StringField("URL", filters=[strip])
    # The mask that stands for a header has to come back, so the value is written out.
    auth_header = PasswordField(
        "Authorization header", filters=[strip], widget=PasswordInput(hide_value=False)
    )


def _on_one_line(text: str | None) -> str:
    return ", ".join(strip(line).rstrip(",") for line in (text or "").splitlines() if strip(line))


class EmailChannelForm(ChannelForm):
    recipients = TextAreaField("Recipients", filters=[_on_one_line])
    subject_prefix = StringField("Subject begins with", filters=[strip])


CHANNEL_FORMS: Mapping[ChannelType, type[ChannelForm]] = MappingProxyType(
    {
        ChannelType.SLACK: SlackChannelForm,
        ChannelType.TEAMS: TeamsChannelForm,
        ChannelType.WEBHOOK: WebhookChannelForm,
        ChannelType.EMAIL: EmailChannelForm,
    }
)


class PreferencesForm(MemberForm):
    """What a member wants to hear of; a box that is ticked stands for what is not muted."""

    enabled = BooleanField("Tell me about my leads")
    milestone_reached = BooleanField("A milestone is reached")
    milestone_exited = BooleanField("The score falls below a milestone")
    sequence_completed = BooleanField("A sequence is completed")
    pattern_matched = BooleanField("A pattern matches")
    surge_detected = BooleanField("A surge of activity")
    digest = BooleanField("At most one message per lead and hour")

    @classmethod
    def of(cls, chosen: Preferences) -> Self:
        told = {name: it not in chosen.muted for name, it in KINDS.items()}
        return cls(data={"enabled": chosen.enabled, "digest": chosen.digest, **told})

    def preferences(self) -> Preferences:
        return Preferences(
            enabled=self.enabled.data,
            muted=frozenset(it for name, it in KINDS.items() if not self[name].data),
            digest=self.digest.data,
        )


KINDS: Mapping[str, Happening] = MappingProxyType(
    {
        "milestone_reached": Happening.MILESTONE_REACHED,
        "milestone_exited": Happening.MILESTONE_EXITED,
        "sequence_completed": Happening.SEQUENCE_COMPLETED,
        "pattern_matched": Happening.PATTERN_MATCHED,
        "surge_detected": Happening.SURGE_DETECTED,
    }
)
"""What each field of PreferencesForm is about."""
