"""The form of a segment, but for its rules: web.segment_rules reads these."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, HiddenField, StringField
from wtforms.validators import DataRequired, Length

from leadvibe.web.forms.member_form import MemberForm, printable, strip

LONGEST_NAME = 100
LONGEST_DESCRIPTION = 1_000


class SegmentForm(MemberForm):
    name = StringField(
        "Name",
        [
            DataRequired("Name the segment."),
            Length(max=LONGEST_NAME, message="Use at most %(max)d characters."),
            printable,
        ],
        filters=[strip],
    )
    description = StringField(
        "Description",
        [
            Length(max=LONGEST_DESCRIPTION, message="Use at most %(max)d characters."),
            printable,
        ],
        filters=[strip],
    )
    active = BooleanField("Active", default=True)
    state = HiddenField()
    """Names the state that is edited, so that nobody else's change is lost."""

    def fields_of_segment(self) -> dict[str, Any]:
        return {
            "name": self.name.data,
            "description": self.description.data,
            "active": self.active.data,
        }
