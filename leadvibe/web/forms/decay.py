"""The form of a decay rule, with the score that its preview begins at."""

from __future__ import annotations

from typing import Any

from wtforms import HiddenField, SelectField
from wtforms.validators import InputRequired, NumberRange

from leadvibe.engine.policies import DecayUnit
from leadvibe.web.forms.member_form import MemberForm, WholeNumberField
from leadvibe.web.forms.triggers import choices_of

LONGEST_INACTIVITY = 100_000
MOST_POINTS = 10_000
UNITS = {unit.value: unit.value for unit in (DecayUnit.DAYS, DecayUnit.WEEKS, DecayUnit.HOURS)}


class DecayForm(MemberForm):
    inactive_for = WholeNumberField(
        "After",
        [
            InputRequired("Say after how long."),
            NumberRange(1, LONGEST_INACTIVITY, f"Choose from 1 to {LONGEST_INACTIVITY:,}."),
        ],
    )
    unit = SelectField("Unit", choices=choices_of(UNITS), default=DecayUnit.DAYS.value)
    decrease = WholeNumberField(
        "Points to take",
        [
            InputRequired("Say how many points go."),
            NumberRange(1, MOST_POINTS, f"Choose from 1 to {MOST_POINTS:,} points."),
        ],
    )
    state = HiddenField()

    def fields_of_decay(self) -> dict[str, Any]:
        return {
            "inactive_for": self.inactive_for.data,
            "unit": self.unit.data,
            "decrease": self.decrease.data,
        }
