"""The form of what sales records of a lead: how far it is, what it is worth, when to call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from wtforms import DateTimeLocalField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import Length, Optional, Regexp, ValidationError

from leadvibe.leadlist.record_types import Record
from leadvibe.leads.fields import FieldKind, read_value
from leadvibe.leads.statuses import Status
from leadvibe.web.forms.lead import choices_of, storable
from leadvibe.web.forms.member_form import MemberForm, printable, strip
from leadvibe.web.recorded_filter import STATUS_LABELS

LONGEST_NOTES = 8_000
_LONGEST_DAY = 14 * 60
_TEXTS = ("source", "loss_reason", "currency", "notes")


class CallField(DateTimeLocalField):
    """A day and time whose refusal says what to type."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        try:
            super().process_formdata(list(valuelist))
        except ValueError:
            raise ValueError("Choose a day and a time, or empty it.") from None


class DealForm(MemberForm):
    """Times are typed in the zone of who types them: `zone` minutes ahead of UTC."""

    status = SelectField(
        "Status",
        choices=choices_of({str(it): label for it, label in STATUS_LABELS.items()}),
        validate_choice=False,
        id="deal-status",
    )
    loss_reason = StringField(
        "Loss reason", [Length(max=500), printable], filters=[strip], id="deal-loss-reason"
    )
    next_call_at = CallField("Next call", [Optional()], id="deal-call")
    zone = HiddenField()
    value = StringField("Value", [storable], filters=[strip], id="deal-value")
    currency = StringField(
        "Currency",
        [Optional(), Regexp("^[A-Za-z]{3}$", message="Type three letters, such as EUR.")],
        filters=[strip],
        id="deal-currency",
    )
    source = StringField("Source", [Length(max=200), printable], filters=[strip], id="deal-source")
    notes = TextAreaField(
        "Notes", [Length(max=LONGEST_NOTES), storable], filters=[strip], id="deal-notes"
    )
    state = HiddenField()
    """When what is recorded had been changed last, when the form was opened."""

    @classmethod
    def of(cls, record: Record) -> DealForm:
        fields = record.fields
        value = fields["value"]
        return cls(
            data={
                **{name: fields[name] or "" for name in _TEXTS},
                "status": record.status,
                "value": "" if value is None else f"{value:.15g}",
                "next_call_at": fields["next_call_at"],
                "zone": "0",
                "state": record.updated_at.isoformat(),
            }
        )

    def validate_status(self, field: SelectField) -> None:
        if field.data not in set(Status):
            names = ", ".join(STATUS_LABELS.values())
            raise ValidationError(f"Choose one of {names}.")

    def validate_value(self, field: StringField) -> None:
        if field.data and read_value(FieldKind.NUMBER, field.data) is None:
            raise ValidationError("Type a number, such as 1200 or 99.50.")

    @property
    def wanted_status(self) -> Status:
        return Status(self.status.data)

    def changes(self, record: Record) -> Mapping[str, Any]:
        """Return the properties that are not as they are recorded; None takes one away."""
        call = self.next_call_at.data
        wanted: dict[str, Any] = {name: self[name].data or None for name in _TEXTS}
        wanted["currency"] = (self.currency.data or "").upper() or None
        wanted["value"] = read_value(FieldKind.NUMBER, self.value.data or None)
        wanted["next_call_at"] = (
            call.replace(tzinfo=_zone(self.zone.data)).astimezone(UTC) if call else None
        )
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in wanted.items()
            if value != record.fields[name]
        }


def _zone(text: str | None) -> timezone:
    """Return the zone that so many minutes ahead of UTC is; UTC without scripts."""
    try:
        minutes = int(text or "0")
    except ValueError:
        return UTC
    return timezone(timedelta(minutes=minutes)) if abs(minutes) <= _LONGEST_DAY else UTC
