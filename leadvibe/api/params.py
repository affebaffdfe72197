"""Reading what a request gives: path, query string and JSON body, each checked by its model.

Whatever is wrong becomes one InvalidError that names every field with its remedy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args, get_origin

from flask import request
from pydantic import BaseModel, ValidationError

from leadvibe.api.fields import Named
from leadvibe.http.bodies import BODY, problems_of, read_bytes, read_json
from leadvibe.lib.errors import (
    InvalidError,
    NotFoundError,
)

Model = TypeVar("Model", bound=BaseModel)

LARGEST_RECEIPT = 2**63 - 1
"""Of the column that numbers what comes in."""


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
    return _validated(model, read_json(raw) if raw else {})


def path_reader(annotation: Any) -> Callable[[str], Any]:
    """Return what turns a path's text into a view's argument.

    A text that cannot be the name of anything names nothing: it raises NotFoundError.
    """
    if get_origin(annotation) is None:
        return _plain_text
    kind, named = get_args(annotation)
    assert isinstance(named, Named)
    return _id_reader(_receipt if kind is int else kind, named)


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
