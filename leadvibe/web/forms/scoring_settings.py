"""The form of the scoring settings."""

from __future__ import annotations

from wtforms import BooleanField, HiddenField
from wtforms.validators import InputRequired, NumberRange

from leadvibe.web.forms.member_form import MemberForm, WholeNumberField

LONGEST_TIMEOUT_MINUTES = 24 * 60


class SettingsForm(MemberForm):
    session_timeout_minutes = WholeNumberField(
        "Session time-out in minutes",
        [
            InputRequired("Say after how many minutes."),
            NumberRange(
                1, LONGEST_TIMEOUT_MINUTES, f"Choose from 1 to {LONGEST_TIMEOUT_MINUTES:,} minutes."
            ),
        ],
    )
    allow_negative_scores = BooleanField("Scores may go below 0")
    abm_enabled = BooleanField("Score accounts, too")
    state = HiddenField()
