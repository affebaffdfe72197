"""The form that makes API credentials, and keys of the other lead APIs."""

from __future__ import annotations

from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import InputRequired

from leadvibe.identity.api_keys import (
    DELETE_LEADS,
    READ_LEADS,
    USUAL_SCOPES,
    WRITE_LEADS,
    KeyKind,
)
from leadvibe.web.forms.member_form import MemberForm
from leadvibe.web.forms.triggers import choices_of

OURS = "leadvibe"
USES = {
    OURS: "Leadvibe API",
    KeyKind.OCTANIST: "Octanist client",
    KeyKind.NEXUS: "Nexus ERP client",
    KeyKind.WORDPRESS: "Website form (Octanist plugin)",
}


class CredentialForm(MemberForm):
    name = StringField("Name", [InputRequired("Name it after the program that will use it.")])
    use = SelectField("Used by", choices=choices_of(USES), default=OURS)
    reads = BooleanField(f"Read leads ({READ_LEADS})", default=True)
    writes = BooleanField(f"Create, change and claim leads ({WRITE_LEADS})", default=True)
    deletes = BooleanField(f"Delete leads for good ({DELETE_LEADS})")

    @property
    def kind(self) -> KeyKind | None:
        """Which key is wanted; None for a credential of our own API."""
        return None if self.use.data == OURS else KeyKind(self.use.data)

    @property
    def scopes(self) -> tuple[str, ...]:
        """What a key may do; only one of the Nexus ERP API has a choice."""
        if self.kind is not KeyKind.NEXUS:
            return USUAL_SCOPES
        boxes = {READ_LEADS: self.reads, WRITE_LEADS: self.writes, DELETE_LEADS: self.deletes}
        return tuple(scope for scope, box in boxes.items() if box.data)
