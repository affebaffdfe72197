"""Forms of the two kinds of filters. What conditions mean, scoring decides."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, ValidationError

from leadvibe.web.forms.member_form import MemberForm, WholeNumberField, printable, strip
from leadvibe.web.forms.triggers import choices_of

LONGEST_NAME = 100
LONGEST_TYPE = 200
LARGEST_THRESHOLD = 1_000_000
LONGEST_WINDOW_MS = 7 * 24 * 60 * 60 * 1000

UNITS_MS: Mapping[str, int] = MappingProxyType(
    {"hours": 3_600_000, "minutes": 60_000, "seconds": 1_000, "milliseconds": 1}
)


def split_window(window_ms: int) -> tuple[int, str]:
    """Return a window in the largest unit in which it is whole."""
    return next(
        (window_ms // size, unit) for unit, size in UNITS_MS.items() if window_ms % size == 0
    )


class VelocityForm(MemberForm):
    event_type = StringField(
        "Event type",
        [
            DataRequired("Name the event type."),
            Length(max=LONGEST_TYPE, message="Use at most %(max)d characters."),
            printable,
        ],
        filters=[strip],
    )
    count_threshold = WholeNumberField(
        "Most that still count",
        [
            InputRequired("Say how many still count."),
            NumberRange(0, LARGEST_THRESHOLD, f"Choose from 0 to {LARGEST_THRESHOLD:,}."),
        ],
    )
    window = WholeNumberField(
        "Within",
        [InputRequired("Say within what time."), NumberRange(1, None, "Choose 1 or more.")],
    )
    unit = SelectField(
        "Unit of time",
        choices=choices_of({unit: unit for unit in reversed([*UNITS_MS])}),
        default="seconds",
    )
    group_events = RadioField(
        "Of a burst beyond that",
        choices=choices_of(
            {"1": "Only the first event counts", "0": "Events up to the limit count"}
        ),
        default="1",
    )
    enabled = BooleanField("Active", default=True)
    state = HiddenField()

    def validate_window(self, _field: WholeNumberField) -> None:
        if self.window_ms > LONGEST_WINDOW_MS:
            raise ValidationError("Choose a week at most: what takes longer is no burst.")

    @property
    def window_ms(self) -> int:
        return (self.window.data or 0) * UNITS_MS.get(self.unit.data, 1)

    def fields_of_filter(self) -> dict[str, Any]:
        return {
            "event_type": self.event_type.data,
            "count_threshold": self.count_threshold.data,
            "time_window_ms": self.window_ms,
            "group_events": self.group_events.data == "1",
            "enabled": self.enabled.data,
        }


class MetadataForm(MemberForm):
    name = StringField(
        "Name",
        [
            DataRequired("Name the filter."),
            Length(max=LONGEST_NAME, message="Use at most %(max)d characters."),
            printable,
        ],
        filters=[strip],
    )
    event_type = StringField(
        "Event type",
        [Length(max=LONGEST_TYPE, message="Use at most %(max)d characters."), printable],
        filters=[strip],
    )
    enabled = BooleanField("Active", default=True)
    state = HiddenField()
