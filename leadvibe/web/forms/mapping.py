"""The form of a field mapping. What fits beside others, scoring decides."""

from __future__ import annotations

from typing import Any

from wtforms import HiddenField, RadioField, StringField
from wtforms.validators import DataRequired, Length

from leadvibe.engine.policies import UpdateBehavior
from leadvibe.web.forms.member_form import MemberForm, printable, strip
from leadvibe.web.forms.triggers import choices_of

LONGEST_FIELD = 200

BEHAVIORS = (
    (UpdateBehavior.ALWAYS_LATEST, "Always the latest", "Each event replaces what was there."),
    (UpdateBehavior.SET_ONCE, "Set once", "The first value stays, such as where a lead came from."),
    (UpdateBehavior.APPEND, "Append", "The latest value, and a list of the last ten beside it."),
)


def _text(label: str, missing: str) -> StringField:
    return StringField(
        label,
        [
            DataRequired(missing),
            Length(max=LONGEST_FIELD, message="Use at most %(max)d characters."),
            printable,
        ],
        filters=[strip],
    )


class MappingForm(MemberForm):
    source_field = _text("Event key", "Name the key in the events' metadata.")
    target_property = _text("Property", "Name the property to fill.")
    update_behavior = RadioField(
        "When there is a value already",
        choices=choices_of({behavior: label for behavior, label, _ in BEHAVIORS}),
        default=UpdateBehavior.ALWAYS_LATEST.value,
    )
    state = HiddenField()

    def fields_of_mapping(self) -> dict[str, Any]:
        return {
            "source_field": self.source_field.data,
            "target_property": self.target_property.data,
            "update_behavior": self.update_behavior.data,
        }
