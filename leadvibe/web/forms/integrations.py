"""Forms of the Integrations page."""

from __future__ import annotations

from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired

from leadvibe.web.forms.member_form import MemberForm


class SlackAppForm(MemberForm):
    client_id = StringField("Client ID", [InputRequired("Copy the Client ID from Slack.")])
    client_secret = PasswordField(
        "Client Secret", [InputRequired("Copy the Client Secret from Slack.")]
    )
