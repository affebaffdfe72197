"""From the values of a CSV row to an event, or to the reason why it is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json

from leadvibe.imports.types import Layout
from leadvibe.leads.types import AliasKind
from leadvibe.pipeline.intake import IncomingEvent

_PLAIN = ("event_type", "lead_id", "message_id")
_SHOWN_VALUE = 60
_DIGITS_OF_SECONDS = 9
"""A shorter number is no time in seconds since 1970 that anybody means: 20251121 is a date."""

_REASONS = {
    "missing": "is empty",
    "no_identity": "the row names no lead: fill lead_id or one of its aliases",
    "string_unicode": "is not valid UTF-8",
    "dict_type": 'is not a JSON object, such as {"plan": "pro"}',
}


class BadRowError(Exception):
    """The row cannot be imported; the message says why and names the column."""


class RowReader:
    """Reads the rows of one file. What it returns is checked as any event that comes in."""

    def __init__(self, layout: Layout) -> None:
        columns = layout.columns
        self._width = len(layout.header)
        self._plain = [(name, columns[name]) for name in _PLAIN if name in columns]
        self._aliases = [(str(kind), columns[kind]) for kind in AliasKind if kind in columns]
        self._timestamp = columns.get("timestamp")
        self._metadata = columns.get("metadata")

    def read(self, values: Sequence[str]) -> IncomingEvent:
        """Return the event of a row. Raises BadRowError."""
        values = fit(values, self._width)
        fields: dict[str, Any] = {}
        for name, index in self._plain:
            if value := values[index].strip():
                fields[name] = value
        aliases = [
            {"alias_kind": kind, "raw_value": value}
            for kind, index in self._aliases
            if (value := values[index].strip())
        ]
        if aliases:
            fields["aliases"] = aliases
        if self._timestamp is not None and (value := values[self._timestamp].strip()):
            fields["timestamp"] = _checked_time(value)
        if self._metadata is not None and (value := values[self._metadata].strip()):
            fields["metadata"] = _parsed(value)
        try:
            return IncomingEvent.model_validate(fields)
        except ValidationError as error:
            raise BadRowError(_explain(error, fields)) from error


def fit(values: Sequence[str], width: int) -> Sequence[str]:
    """Cut off empty values beyond the last column, which some programs write.

    Raises BadRowError for a row that still has not as many values as the header has columns.
    """
    if len(values) == width:
        return values
    if len(values) > width and not any(values[width:]):
        return values[:width]
    hint = "is a comma or a quote missing?"
    if len(values) > width:
        hint = "put a value that contains the separator between quotes"
    raise BadRowError(
        f"the row has {_count(len(values), 'value')} but the header names"
        f" {_count(width, 'column')}: {hint}"
    )


def is_blank(values: Sequence[str]) -> bool:
    """Say whether a row is empty, as spreadsheets leave them at the end of a file."""
    return not any(value.strip() for value in values)


def _checked_time(value: str) -> str:
    if value.isdigit() and len(value) < _DIGITS_OF_SECONDS:
        raise BadRowError(_not_a_time(value))
    return value


def _parsed(value: str) -> object:
    try:
        return from_json(value, allow_inf_nan=False)
    except ValueError as error:
        raise BadRowError(f"metadata is not valid JSON: {error}") from error
    except TypeError as error:
        raise BadRowError("metadata is not valid UTF-8") from error


def _explain(error: ValidationError, fields: dict[str, Any]) -> str:
    """Say what is wrong with the first bad column in the words of somebody who filled it in."""
    problem = error.errors(include_url=False)[0]
    column = _column(problem, fields)
    kind = problem["type"]
    if column == "timestamp" and kind.startswith("datetime"):
        return _not_a_time(fields["timestamp"])
    reason = _REASONS.get(kind) or problem["msg"]
    if kind.endswith("too_long"):
        reason = f"is longer than {problem['ctx']['max_length']} characters"
    return f"{column} {reason}" if column else reason


def _column(problem: ErrorDetails, fields: dict[str, Any]) -> str:
    match problem["loc"]:
        case ("aliases", int(index), *_):
            return str(fields["aliases"][index]["alias_kind"])
        case (str(name), *_):
            return name
    return ""


def _not_a_time(value: str) -> str:
    return f"timestamp {quote(value)} is not a time: write it as 2025-11-21T14:03:00Z"


def quote(value: str) -> str:
    """Quote a value of a row in a message, cut short when it is long."""
    shown = value if len(value) <= _SHOWN_VALUE else f"{value[:_SHOWN_VALUE]}…"
    return f"'{shown}'"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
