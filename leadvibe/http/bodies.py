"""Reading the body of a request, and what is wrong with it in words, the same for all surfaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request
from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json
from werkzeug.exceptions import RequestEntityTooLarge

from leadvibe.lib.errors import InvalidError, TooLargeError, UnsupportedTypeError

BODY = "body"
"""What a problem is filed under that no single field is to blame for."""

_SENTENCES: Mapping[str, str] = {
    "missing": "is missing: it is required",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "is too large a number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "multiple_of": "must be a multiple of {multiple_of}",
    "extra_forbidden": "is not known here: remove it",
    "dict_type": "must be a JSON object",
    "model_type": "must be a JSON object",
    "model_attributes_type": "must be a JSON object",
    "list_type": "must be a list",
    "uuid_type": "must be an id as this API writes it",
    "uuid_parsing": "must be an id as this API writes it",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must not be empty: give at least {min_length} character(s)",
    "string_too_long": "is too long: give at most {max_length} characters",
    "too_short": "holds too few: give at least {min_length}",
    "too_long": "holds too many: give at most {max_length}",
    "enum": "must be one of: {expected}",
    "literal_error": "must be one of: {expected}",
}
_DATE_ERRORS = ("date", "timezone")
_DATE_SENTENCE = "must be a date and time such as 2025-08-15T12:00:00Z"


def read_bytes(*, max_bytes: int) -> bytes:
    """Return the body as it came, also a second time. Raises TooLargeError."""
    request.max_content_length = max_bytes
    try:
        return request.get_data()
    except RequestEntityTooLarge:
        raise TooLargeError(
            f"The body has more than {max_bytes:,} bytes: send less at a time."
        ) from None


def read_json(raw: bytes) -> Any:
    """Return what a body says. Raises InvalidError and UnsupportedTypeError."""
    if not request.is_json:
        raise UnsupportedTypeError(
            f"The body is {request.mimetype or 'of no stated type'}:"
            " send JSON with Content-Type: application/json."
        )
    try:
        return from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        problem = f"The body is not JSON: {error}."
        raise InvalidError(problem, fields={BODY: problem}) from None


def problems_of(error: ValidationError, *, prefix: str = "") -> dict[str, str]:
    """Return what is wrong with each field, the first problem of each."""
    problems: dict[str, str] = {}
    for detail in error.errors(include_url=False, include_input=False):
        problems.setdefault(_field(detail, prefix), _sentence(detail))
    return problems


def _field(detail: ErrorDetails, prefix: str) -> str:
    blamed = detail.get("ctx", {}).get("field", "")
    parts: Sequence[object] = [prefix, *detail["loc"], blamed]
    return ".".join(str(part) for part in parts if part != "") or BODY


def _sentence(detail: ErrorDetails) -> str:
    kind = detail["type"]
    if kind.startswith(_DATE_ERRORS):
        return _DATE_SENTENCE
    sentence = _SENTENCES.get(kind)
    if sentence is None:
        return detail["msg"]
    return sentence.format(**detail.get("ctx", {}))
