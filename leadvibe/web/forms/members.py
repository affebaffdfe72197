"""The form that invites a member. What is an address, and a free one, identity decides."""

from __future__ import annotations

from wtforms import EmailField, SelectField
from wtforms.validators import InputRequired, Length

from leadvibe.web.forms.member_form import MemberForm

LONGEST_EMAIL = 254


class InviteForm(MemberForm):
    email = EmailField(
        "E-mail",
        [
            InputRequired("Type the e-mail address."),
            Length(max=LONGEST_EMAIL, message="Use at most %(max)d characters."),
        ],
    )
    role = SelectField(
        "Role",
        # The values are those of identity.types.STARTING_ROLES; the least comes first.
        choices=[
            ("viewer", "Viewer"),
            ("operator", "Operator"),
            ("owner", "Owner"),
            ("admin", "Organisation admin"),
        ],
    )
