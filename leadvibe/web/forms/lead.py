"""Forms of the lead's page: notes, aliases, and what is known about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import DataRequired, Length, ValidationError

from leadvibe.leads.notes import LONGEST_NOTE
from leadvibe.leads.types import AliasKind
from leadvibe.web.forms.member_form import MemberForm, printable, strip

LONGEST_NAME = 200
TEXT, NUMBER, FLAG, JSON = "text", "number", "flag", "json"
TYPES = {TEXT: "Text", NUMBER: "Number", FLAG: "Yes or no", JSON: "JSON"}
ALIAS_LABELS = {
    "email": "E-mail",
    "phone": "Phone",
    "external_id": "External ID",
    "cookie": "Cookie",
    "social": "Social profile",
}
_FLAGS = {"yes": True, "true": True, "no": False, "false": False}


def choices_of(labels: Mapping[str, str]) -> list[SelectChoice]:
    """Return the choices of a field, by value and label."""
    return [SelectChoice(str(value), label) for value, label in labels.items()]


def storable(_form: object, field: StringField) -> None:
    if "\0" in (field.data or ""):
        raise ValidationError("Leave out the NUL character.")


class NoteForm(MemberForm):
    text = TextAreaField(
        "Note",
        [
            DataRequired("Write something first."),
            Length(max=LONGEST_NOTE, message="Use at most %(max)d characters."),
            storable,
        ],
        filters=[strip],
        id="note-text",
    )
    state = HiddenField()
    """When the note that is edited was changed last."""


class AliasForm(MemberForm):
    kind = SelectField(
        "Kind", choices=choices_of({it: ALIAS_LABELS[it] for it in AliasKind}), id="alias-kind"
    )
    value = StringField(
        "Value",
        [DataRequired("Type what the lead is known by."), Length(max=512), printable],
        filters=[strip],
        id="alias-value",
    )


class PropertyForm(MemberForm):
    """One property; `state` names what it was when the form was opened."""

    name = StringField(
        "Property",
        [
            DataRequired("Name the property."),
            Length(max=LONGEST_NAME, message="Use at most %(max)d characters."),
            printable,
        ],
        filters=[strip],
        id="property-name",
    )
    kind = SelectField("Type", choices=choices_of(TYPES), id="property-kind")
    value = TextAreaField("Value", [storable], id="property-value")
    state = HiddenField()

    @classmethod
    def of(cls, name: str, value: Any, state: str) -> PropertyForm:
        kind = kind_of(value)
        text = value if isinstance(value, str) else spell(value)
        return cls(data={"name": name, "kind": kind, "value": text, "state": state})

    def validate_value(self, field: TextAreaField) -> None:
        parse = _PARSERS.get(self.kind.data or "")
        if parse is None:
            raise ValidationError("Choose a type.")
        self.parsed = parse(field.data or "")


class DocumentForm(MemberForm):
    """All properties as one JSON object."""

    document = TextAreaField("Properties as JSON", [storable])
    state = HiddenField()

    @classmethod
    def of(cls, metadata: Mapping[str, Any], state: str) -> DocumentForm:
        return cls(data={"document": spell(metadata, indent=2), "state": state})

    def validate_document(self, field: TextAreaField) -> None:
        self.parsed = _read_json(field.data or "")
        if not isinstance(self.parsed, dict):
            raise ValidationError('Write an object, such as {"company": "Acme"}.')


def kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return FLAG
    if isinstance(value, int | float):
        return NUMBER
    return TEXT if isinstance(value, str) or value is None else JSON


def spell(value: Any, *, indent: int | None = None) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return "" if value is None else json.dumps(value, ensure_ascii=False, indent=indent)


def _read_text(text: str) -> str:
    if not text.strip():
        raise ValidationError("Type a value, or remove the property.")
    return text.strip()


def _read_number(text: str) -> int | float:
    try:
        number = float(text.strip())
    except ValueError:
        raise ValidationError("Type a number, such as 12 or 3.5.") from None
    if not abs(number) < float("inf"):
        raise ValidationError("Type a number, such as 12 or 3.5.")
    try:
        return int(text.strip())
    except ValueError:
        return number


def _read_flag(text: str) -> bool:
    flag = _FLAGS.get(text.strip().lower())
    if flag is None:
        raise ValidationError("Type yes or no.")
    return flag


def _read_json(text: str) -> Any:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        place = f" in line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ValidationError(
            f"This is no JSON: look for a missing quote or comma{place}."
        ) from None
    if value is None:
        raise ValidationError("null is no value: remove the property instead.")
    return value


def _refuse_constant(text: str) -> None:
    raise ValueError(text)


_PARSERS = {TEXT: _read_text, NUMBER: _read_number, FLAG: _read_flag, JSON: _read_json}
