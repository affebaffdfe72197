"""The form that invites a member. What is an address, and a free one, identity decides."""

from __future__ import annotations

from wtforms import EmailField, SelectField
from wtforms.validators import InputRequired, Length

from leadvibe.web.forms.member_form import MemberForm

LONGEST_EMAIL = 254
# What the form calls each of identity.types.STARTING_ROLES; the least comes first, and is chosen.
ROLES = {
    "Viewer": "viewer",
    "Operator": "operator",
    "Owner": "owner",
    "Organisation admin": "admin",
}


class InviteForm(MemberForm):
    email = EmailField(
        "E-mail",
        [
            InputRequired("Type the e-mail address."),
            Length(max=LONGEST_EMAIL, message="Use at most %(max)d characters."),
        ],
    )
    # The types on offer know only the pairs that WTForms gives up.
    role = SelectField("Role", choices=list(ROLES))  # type: ignore[arg-type]

    @property
    def starting_role(self) -> str:
        """Return the chosen one of STARTING_ROLES, once the form is valid."""
        return ROLES[self.role.data]
