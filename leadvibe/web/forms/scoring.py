"""Forms of rulesets and rules. What makes sense together, scoring decides."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from wtforms import DateField, StringField
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    ValidationError,
)

from leadvibe.web.forms.member_form import MemberForm, WholeNumberField, printable, strip

LONGEST_NAME = 100
LONGEST_EVENT_TYPE = 200
MOST_POINTS = 10_000
"""Of one event, either way: enough for any weighting, and sums stay far from the column's end."""


def _points() -> WholeNumberField:
    return WholeNumberField(
        "Points",
        [
            InputRequired("Say how many points it is worth."),
            NumberRange(
                -MOST_POINTS,
                MOST_POINTS,
                f"Choose from -{MOST_POINTS:,} to {MOST_POINTS:,} points.",
            ),
        ],
    )


class RuleForm(MemberForm):
    event_type = StringField(
        "Event type",
        [
            DataRequired("Name the event type."),
            Length(max=LONGEST_EVENT_TYPE, message="Use at most %(max)d characters."),
            printable,
        ],
        filters=[strip],
    )
    weight = _points()


class WeightForm(MemberForm):
    weight = _points()


class RulesetForm(MemberForm):
    """A ruleset with the days it begins and ends on, both included and both in UTC."""

    name = StringField(
        "Name",
        [
            DataRequired("Name the ruleset."),
            Length(max=LONGEST_NAME, message="Use at most %(max)d characters."),
            printable,
        ],
        filters=[strip],
    )
    start_at = DateField("First day", [Optional()])
    end_at = DateField("Last day", [Optional()])

    def validate_end_at(self, field: DateField) -> None:
        first, last = self.start_at.data, field.data
        if first and last and last < first:
            raise ValidationError("The last day is before the first.")

    def fields_of_ruleset(self) -> dict[str, Any]:
        """Return the ruleset's fields; it ends at the midnight after its last day."""
        first, last = self.start_at.data, self.end_at.data
        return {
            "name": self.name.data,
            "start_at": datetime.combine(first, time(), UTC) if first else None,
            "end_at": datetime.combine(last, time(), UTC) + timedelta(days=1) if last else None,
        }
