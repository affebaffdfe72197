"""Conditions on what is recorded of leads, as the address of the lead list writes them.

`utm_source.eq.google~gclid.exists` are two that both hold. A form adds one by three fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from leadvibe.leadlist.types import Comparison
from leadvibe.leads.fields import BY_NAME, CLICK_IDS, FIELDS, FieldKind, RecordField, read_value
from leadvibe.leads.statuses import Status
from leadvibe.web.list_params import BadParameterError

BETWEEN, WITHIN = "~", "."
MOST_CONDITIONS = 10
NEW_FIELD, NEW_OPERATOR, NEW_VALUE = "rec_field", "rec_is", "rec_value"
"""Parameters with which a form adds a condition."""

OPERATORS: Mapping[str, str] = MappingProxyType(
    {
        "eq": "is",
        "gte": "is at least",
        "lte": "is at most",
        "exists": "is set",
        "missing": "is not set",
    }
)
_WITHOUT_VALUE = frozenset({"exists", "missing"})
STATUS_LABELS: Mapping[Status, str] = MappingProxyType(
    {
        Status.NOT_CONTACTED: "Not contacted",
        Status.CONTACTED: "Contacted",
        Status.QUALIFIED: "Qualified",
        Status.CONVERTED: "Won",
        Status.LOST: "Lost",
    }
)
_OWN: Mapping[str, tuple[str, FieldKind]] = MappingProxyType(
    {
        "status": ("Status", FieldKind.TEXT),
        "email": ("E-mail", FieldKind.TEXT),
        "phone": ("Phone", FieldKind.TEXT),
        "qualified_at": ("Qualified", FieldKind.TIME),
        "intake": ("Came in by", FieldKind.TEXT),
    }
)
"""What a record has beside the fields."""


def _label(field: RecordField) -> str:
    """Name a field; click ids also as the platforms spell them."""
    return f"{field.label} ({field.name})" if field.name in CLICK_IDS else field.label


LABELS: Mapping[str, str] = MappingProxyType(
    {
        **{name: label for name, (label, _) in _OWN.items()},
        **{field.name: _label(field) for field in FIELDS},
    }
)


class Condition(NamedTuple):
    """As it was written; `comparison` is what leads are asked."""

    text: str
    field: str
    operator: str
    value: str
    comparison: Comparison

    @property
    def label(self) -> str:
        return LABELS[self.field]

    @property
    def says(self) -> str:
        """What the chip says behind the label."""
        said = OPERATORS[self.operator]
        if self.operator in _WITHOUT_VALUE:
            return said
        is_status = self.field == "status"
        value = spell(self.field, self.comparison.value) if is_status else self.value
        return value if self.operator == "eq" else f"{said} {value}"


def spell(column: str, value: Any) -> str:
    """Say what is recorded in a column; nothing is said of nothing."""
    if value is None:
        return ""
    if column == "status":
        return STATUS_LABELS[Status(value)]
    if isinstance(value, bool):
        return "Granted" if value else "Denied"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return f"{value:,.2f}".removesuffix(".00") if isinstance(value, float) else str(value)


def read_conditions(text: str) -> tuple[Condition, ...]:
    """Read all conditions of an address. Raises BadParameterError."""
    conditions = tuple(_read(part) for part in text.split(BETWEEN) if part)
    if len(conditions) > MOST_CONDITIONS:
        raise BadParameterError(f"There are more than {MOST_CONDITIONS} conditions: remove some.")
    return conditions


def added(text: str, arguments: Mapping[str, str]) -> str:
    """Return the conditions of an address with the one that a form adds."""
    field, operator = arguments.get(NEW_FIELD, ""), arguments.get(NEW_OPERATOR, "eq")
    value = arguments.get(NEW_VALUE, "").strip().replace(BETWEEN, "")
    if not field:
        return text
    parts = [field, operator] if operator in _WITHOUT_VALUE else [field, operator, value]
    kept = [it for it in text.split(BETWEEN) if it]
    new = WITHIN.join(parts)
    return BETWEEN.join([*kept, new] if new not in kept else kept)


def without(conditions: tuple[Condition, ...], one: Condition) -> str:
    """Return the conditions as an address writes them, without one."""
    return BETWEEN.join(it.text for it in conditions if it is not one)


def _read(part: str) -> Condition:
    field, _, rest = part.partition(WITHIN)
    operator, _, value = rest.partition(WITHIN)
    if field not in LABELS:
        raise BadParameterError(f"Leads have no field “{field}”: choose one from the list.")
    if operator not in OPERATORS:
        raise BadParameterError(f"“{operator}” compares nothing: choose how from the list.")
    if operator in _WITHOUT_VALUE:
        asked = Comparison(field, "exists", operator == "exists")
        return Condition(part, field, operator, "", asked)
    return Condition(part, field, operator, value, _compare(field, operator, value))


def _compare(field: str, operator: str, value: str) -> Comparison:
    kind = _OWN[field][1] if field in _OWN else BY_NAME[field].kind
    label = LABELS[field]
    if field == "status":
        value = _status(value)
    read: Any = read_value(kind, value)
    if read is None:
        kinds = {
            FieldKind.NUMBER: "a number",
            FieldKind.TIME: "a day, such as 2026-01-31",
            FieldKind.FLAG: "granted or denied",
        }
        raise BadParameterError(f"{label}: enter {kinds.get(kind, 'what to look for')}.")
    if kind is FieldKind.TIME and operator == "lte" and _is_day(read, value):
        return Comparison(field, "lt", read + timedelta(days=1))
    return Comparison(field, operator, read)


def _is_day(read: datetime, value: str) -> bool:
    return read.astimezone(UTC).time() == time() and ":" not in value


def _status(value: str) -> str:
    """Return a status by its name or by what people call it."""
    for status, label in STATUS_LABELS.items():
        if value.lower() in {status, label.lower()}:
            return status
    names = ", ".join(STATUS_LABELS.values())
    raise BadParameterError(f"There is no status “{value}”: choose one of {names}.")
