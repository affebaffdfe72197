"""Forms of the Integrations page."""

from __future__ import annotations

from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length, Regexp, ValidationError

from leadvibe.notifications.hubspot import LEVEL_PROPERTY, SCORE_PROPERTY, HubSpotAccess
from leadvibe.web.forms.member_form import MemberForm, strip

LONGEST_TOKEN = 1_000
LONGEST_PROPERTY = 100


class SlackAppForm(MemberForm):
    client_id = StringField("Client ID", [InputRequired("Copy the Client ID from Slack.")])
    client_secret = PasswordField(
        "Client Secret", [InputRequired("Copy the Client Secret from Slack.")]
    )


def _property(label: str, usual: str) -> StringField:
    return StringField(
        label,
        [
            Length(max=LONGEST_PROPERTY, message="Use at most %(max)d characters."),
            Regexp(
                r"^[a-z][a-z0-9_]*$",
                message="Type its internal name: small letters, digits and underscores.",
            ),
        ],
        default=usual,
        filters=[strip],
    )


class HubSpotForm(MemberForm):
    """How to write to HubSpot. An empty token stands for the one that is known."""

    token = PasswordField(
        "Access token",
        [Length(max=LONGEST_TOKEN, message="Use at most %(max)d characters.")],
        filters=[strip],
    )
    score_property = _property("Property for the score", SCORE_PROPERTY)
    level_property = _property("Property for the level", LEVEL_PROPERTY)

    def validate_token(self, field: PasswordField) -> None:
        token = field.data or ""
        if not token.isascii() or not token.isprintable() or " " in token:
            raise ValidationError("This is no token: copy it again, without line breaks.")

    def access(self) -> HubSpotAccess:
        return HubSpotAccess(
            token=self.token.data or "",
            score_property=self.score_property.data or "",
            level_property=self.level_property.data or "",
        )
