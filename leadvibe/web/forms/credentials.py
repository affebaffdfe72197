"""The form that makes API credentials."""

from __future__ import annotations

from wtforms import StringField
from wtforms.validators import InputRequired

from leadvibe.web.forms.member_form import MemberForm


class CredentialForm(MemberForm):
    name = StringField("Name", [InputRequired("Name it after the program that will use it.")])
