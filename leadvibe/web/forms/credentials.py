"""The form that makes API credentials, and keys of the other lead APIs."""

from __future__ import annotations

from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import InputRequired

from leadvibe.identity.api_keys import READ_LEADS, WRITE_LEADS, KeyKind
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

    @property
    def kind(self) -> KeyKind | None:
        """Which key is wanted; None for a credential of our own API."""
        return None if self.use.data == OURS else KeyKind(self.use.data)

    @property
    def scopes(self) -> tuple[str, ...]:
        """What a key may do: one of the Octanist API everything."""
        if self.kind is not KeyKind.NEXUS:
            return READ_LEADS, WRITE_LEADS
        chosen = ((READ_LEADS, self.reads.data), (WRITE_LEADS, self.writes.data))
        return tuple(scope for scope, is_chosen in chosen if is_chosen)
