"""Forms of rulesets, rules and drafts. What makes sense together, scoring decides."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from wtforms import BooleanField, DateField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.form import BaseForm
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    ValidationError,
)

from leadvibe.engine.conditions import Operator
from leadvibe.scoring.condition_words import OPERATOR_LABELS, misfit
from leadvibe.web.forms.member_form import MemberForm, WholeNumberField, printable, strip

LONGEST_NAME = 100
LONGEST_EVENT_TYPE = 200
LONGEST_NOTE = 500
LONGEST_PROPERTY = 1000
MOST_POINTS = 10_000
"""Of one event, either way: enough for any weighting, and sums stay far from the column's end."""

_TOO_LONG = "Use at most %(max)d characters."


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


def _name(label: str, missing: str) -> StringField:
    return StringField(
        label,
        [DataRequired(missing), Length(max=LONGEST_NAME, message=_TOO_LONG), printable],
        filters=[strip],
    )


def _check_days(form: BaseForm, field: DateField) -> None:
    first, last = form["start_at"].data, field.data
    if first and last and last < first:
        raise ValidationError("The last day is before the first.")


class WindowForm(MemberForm):
    """The days that something begins and ends on, both included and both in UTC."""

    start_at = DateField("First day", [Optional()])
    end_at = DateField("Last day", [Optional(), _check_days])

    def window(self) -> dict[str, Any]:
        """Return the window; it ends at the midnight after the last day."""
        first, last = self.start_at.data, self.end_at.data
        return {
            "start_at": datetime.combine(first, time(), UTC) if first else None,
            "end_at": datetime.combine(last, time(), UTC) + timedelta(days=1) if last else None,
        }


def days_of(start_at: datetime | None, end_at: datetime | None) -> dict[str, date | None]:
    """Return the days that a window begins and ends on, as the form has them."""
    last = end_at.astimezone(UTC) - timedelta(microseconds=1) if end_at else None
    first = start_at.astimezone(UTC) if start_at else None
    return {
        "start_at": first.date() if first else None,
        "end_at": last.date() if last else None,
    }


class RuleForm(WindowForm):
    event_type = StringField(
        "Event type",
        [
            DataRequired("Name the event type."),
            Length(max=LONGEST_EVENT_TYPE, message=_TOO_LONG),
            printable,
        ],
        filters=[strip],
    )
    weight = _points()


class AttributeRuleForm(MemberForm):
    key = StringField(
        "Property",
        [
            DataRequired("Name the property."),
            Length(max=LONGEST_PROPERTY, message=_TOO_LONG),
            printable,
        ],
        filters=[strip],
    )
    operator = SelectField(
        "Comparison",
        choices=[SelectChoice(it.value, OPERATOR_LABELS[it]) for it in Operator],
        default=Operator.EQUALS.value,
    )
    value = StringField(
        "Value", [Length(max=LONGEST_PROPERTY, message=_TOO_LONG), printable], filters=[strip]
    )
    weight = _points()

    def validate_value(self, field: StringField) -> None:
        operator = self.operator.data
        if operator in frozenset(Operator) and (problem := misfit(operator, field.data or "")):
            raise ValidationError(problem)


class WeightForm(MemberForm):
    weight = _points()


class RulesetForm(WindowForm):
    name = _name("Name", "Name the ruleset.")


class AttributeRulesetForm(MemberForm):
    name = _name("Name", "Name the ruleset.")


class DraftForm(MemberForm):
    name = _name("Name", "Name the draft.")


class PublishForm(MemberForm):
    note = TextAreaField(
        "Note",
        [Optional(), Length(max=LONGEST_NOTE, message=_TOO_LONG)],
        filters=[lambda text: " ".join((text or "").split())],
    )
    rescore = BooleanField("Score all leads again by the new rules", default=True)


AnyRuleForm = RuleForm | AttributeRuleForm
AnyRulesetForm = RulesetForm | AttributeRulesetForm
