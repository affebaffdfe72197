"""What the forms of signed-in members share. Their tokens are checked before any view runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from wtforms import Form, IntegerField, StringField
from wtforms.form import BaseForm
from wtforms.validators import ValidationError

from leadvibe.lib.errors import LeadvibeError

NEVER = datetime.min.replace(tzinfo=UTC)


class MemberForm(Form):
    """A form that can show what a capability refused."""

    def show(self, error: LeadvibeError) -> None:
        """Put the refusal at the field it is about, or above the form when it is about none."""
        about = next((name for name in error.fields if name in self), None)
        if about is None:
            self.form_errors.append(error.message)
        else:
            self[about].errors = [*self[about].errors, error.message]


class WholeNumberField(IntegerField):
    """An integer whose refusal says what to type."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        try:
            super().process_formdata(list(valuelist))
        except ValueError:
            raise ValueError("Type a whole number, such as 10 or -5.") from None


def strip(text: str | None) -> str:
    return (text or "").strip()


def printable(_form: BaseForm, field: StringField) -> None:
    if field.data and not field.data.isprintable():
        raise ValidationError("Leave out line breaks and control characters.")


def read_seen(text: str | None) -> datetime:
    """Return when what is edited was changed last, as a hidden field says; never if it does not."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return NEVER
    return at if at.tzinfo else NEVER
