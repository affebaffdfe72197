"""The form with which a member logs a call, and plans the next one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo
from types import MappingProxyType

from wtforms import SelectField, TextAreaField
from wtforms.validators import Length, Optional, ValidationError

from leadvibe.leads.notes import LONGEST_NOTE
from leadvibe.pipeline.calling import Call, CallOutcome
from leadvibe.web.forms.deal import CallField
from leadvibe.web.forms.lead import choices_of, storable
from leadvibe.web.forms.member_form import MemberForm, strip

AT, NEVER = "at", "none"
MORNING = time(9)
"""When a call is due that is planned for a day."""

_DAYS: Mapping[str, int] = MappingProxyType({"1": 1, "3": 3, "7": 7})
_OUTCOMES = choices_of({"": "Choose…", **{it.value: it.label for it in CallOutcome}})
_NEXT = choices_of(
    {
        "": "Choose…",
        "1": "Tomorrow",
        "3": "In 3 days",
        "7": "In a week",
        AT: "On a date and time",
        NEVER: "None",
    }
)
_ROOM_FOR_OUTCOME = 100


class LogCallForm(MemberForm):
    outcome = SelectField("Outcome", choices=_OUTCOMES, validate_choice=False)
    note = TextAreaField(
        "Note (optional)",
        [
            Length(max=LONGEST_NOTE - _ROOM_FOR_OUTCOME, message="Use at most %(max)d characters."),
            storable,
        ],
        filters=[strip],
    )
    next = SelectField("Call next", choices=_NEXT, validate_choice=False)
    at = CallField("Date and time", [Optional()])

    def number(self, number: int) -> LogCallForm:
        """Tell the controls of one form of a page from those of the others."""
        for field in self:
            field.id = field.label.field_id = f"{field.name}-{number}"
        return self

    def validate_outcome(self, field: SelectField) -> None:
        if field.data not in set(CallOutcome):
            raise ValidationError("Choose what came of the call.")

    def validate_next(self, field: SelectField) -> None:
        if field.data not in {AT, NEVER, *_DAYS}:
            raise ValidationError("Choose when to call next, or None.")

    def read(self, zone: tzinfo, *, now: datetime) -> Call | None:
        """Return the call; None, with a refusal at its field, when the next one is not to come."""
        wanted = self.next.data
        planned = None
        if wanted == AT:
            planned = _instant(self.at.data, zone) if self.at.data else None
            if planned is None or planned <= now:
                self.at.errors = [*self.at.errors, "Choose a day and time that are still to come."]
                return None
        elif wanted in _DAYS:
            day = now.astimezone(zone).date() + timedelta(days=_DAYS[wanted])
            planned = _instant(datetime.combine(day, MORNING), zone)
        return Call(CallOutcome(self.outcome.data), self.note.data or "", planned)


def _instant(at: datetime, zone: tzinfo) -> datetime | None:
    """Return the instant of a time of day in a zone; None at either end of the calendar."""
    try:
        return at.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return None
