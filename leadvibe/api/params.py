"""Reading what a request gives: path, query string and JSON body, each checked by its model.

Whatever is wrong becomes one InvalidError that names every field with its remedy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, get_args, get_origin

from flask import request
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json
from werkzeug.exceptions import RequestEntityTooLarge

from leadvibe.api.fields import Named
from leadvibe.lib.errors import (
    InvalidError,
    NotFoundError,
    TooLargeError,
    UnsupportedTypeError,
)

Model = TypeVar("Model", bound=BaseModel)

BODY = "body"
"""What a problem is filed under that no single field is to blame for."""

LARGEST_RECEIPT = 2**63 - 1
"""Of the column that numbers what comes in."""

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


def read_query(model: type[Model]) -> Model:
    """Return the query string as the model says. Raises InvalidError."""
    lists = _list_fields(model)
    given: dict[str, Any] = {
        name: request.args.getlist(name) if name in lists else request.args[name]
        for name in request.args
    }
    return _validated(model, given)


def read_body(model: type[Model], *, max_bytes: int) -> Model:
    """Return the JSON body as the model says; none at all counts as an empty object.

    Raises InvalidError, UnsupportedTypeError and TooLargeError.
    """
    raw = read_bytes(max_bytes=max_bytes)
    return _validated(model, _parsed(raw) if raw else {})


def read_bytes(*, max_bytes: int) -> bytes:
    """Return the body as it came, also a second time. Raises TooLargeError."""
    request.max_content_length = max_bytes
    try:
        return request.get_data()
    except RequestEntityTooLarge:
        raise TooLargeError(
            f"The body has more than {max_bytes:,} bytes: send less at a time."
        ) from None


def path_reader(annotation: Any) -> Callable[[str], Any]:
    """Return what turns a path's text into a view's argument.

    A text that cannot be the name of anything names nothing: it raises NotFoundError.
    """
    if get_origin(annotation) is None:
        return _plain_text
    kind, named = get_args(annotation)
    assert isinstance(named, Named)
    return _id_reader(_receipt if kind is int else kind, named)


def problems_of(error: ValidationError, *, prefix: str = "") -> dict[str, str]:
    """Return what is wrong with each field, the first problem of each."""
    problems: dict[str, str] = {}
    for detail in error.errors(include_url=False, include_input=False):
        problems.setdefault(_field(detail, prefix), _sentence(detail))
    return problems


def invalid(problems: Mapping[str, str]) -> InvalidError:
    """Return the error that names the first problem in words and all of them by field."""
    (field, problem), *others = problems.items()
    more = f" ({len(others)} more in fields)" if others else ""
    named = problem if field == BODY else f"{field} {problem}"
    return InvalidError(f"{named}.{more}", fields=problems)


def _validated(model: type[Model], given: Any) -> Model:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise invalid(problems_of(error)) from None


def _parsed(raw: bytes) -> Any:
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


def _list_fields(model: type[BaseModel]) -> frozenset[str]:
    fields = model.model_fields.items()
    return frozenset(name for name, field in fields if get_origin(field.annotation) is list)


def _plain_text(text: str) -> str:
    if "\x00" in text:
        raise NotFoundError("The address holds a NUL character, which no id has.")
    return text


def _receipt(text: str) -> int:
    number = int(text)
    if not 0 < number <= LARGEST_RECEIPT:
        raise ValueError(text)
    return number


def _id_reader(read: Callable[[str], Any], named: Named) -> Callable[[str], Any]:
    def read_id(text: str) -> Any:
        try:
            return read(text)
        except ValueError:
            named.refuse(text)

    return read_id


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
