"""What views return besides plain values, and how all of it becomes a response."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from typing import Any, Generic, TypeVar

from flask import Response, g, stream_with_context
from pydantic import TypeAdapter
from werkzeug.http import quote_etag

from leadvibe.api.editing import Editable
from leadvibe.http import answers

Item = TypeVar("Item")

JSON = "application/json"
TOTAL_HEADER = "X-Total-Count"
_HEADERS = "answer_headers"
ROWS_AT_ONCE = 500
"""Rows serialised in one go: enough to be quick, little enough to hold in memory."""


@dataclass(frozen=True, slots=True)
class Counted(Generic[Item]):
    """A page of a bare list; how many there are in all goes into a header."""

    items: Sequence[Item]
    total: int


@dataclass(frozen=True, slots=True)
class Pending(Generic[Item]):
    """Something that takes longer than a request: how far it is, and where to follow it."""

    item: Item
    location: str


@dataclass(frozen=True, slots=True)
class JsonStream(Generic[Item]):
    """A list too long to hold. `read` is called once the headers are out, and reads lazily."""

    read: Callable[[], Iterable[Item]]


@dataclass(frozen=True, slots=True)
class Csv:
    """A CSV file, read lazily as JsonStream is."""

    filename: str
    read: Callable[[], Iterable[str]]


def answer(result: object, *, adapter: TypeAdapter[Any] | None, status: int) -> Response:
    """Return the response to what a view returned, which `adapter` serialises."""
    response = _response(result, adapter, status)
    response.headers.update(g.pop(_HEADERS, {}))
    return response


def set_header(name: str, value: str) -> None:
    """Put a header on the answer to this request, if it succeeds."""
    g.setdefault(_HEADERS, {})[name] = value


def set_etag(item: Editable) -> None:
    """Say in which state something is."""
    set_header("ETag", quote_etag(item.etag))


def _response(result: object, adapter: TypeAdapter[Any] | None, status: int) -> Response:
    if isinstance(result, Response):
        return result
    if isinstance(result, Csv):
        return _csv(result, status)
    if adapter is None:
        return answers.empty(status)
    if isinstance(result, JsonStream):
        pieces = _json_pieces(result.read, adapter)
        return Response(stream_with_context(pieces), status=status, mimetype=JSON)
    if isinstance(result, Counted):
        set_header(TOTAL_HEADER, str(result.total))
        result = result.items
    if isinstance(result, Pending):
        set_header("Location", result.location)
        result, status = result.item, HTTPStatus.ACCEPTED
    if isinstance(result, Editable):
        set_etag(result)
    return Response(adapter.dump_json(result), status=status, mimetype=JSON)


def _json_pieces(read: Callable[[], Iterable[Any]], adapter: TypeAdapter[Any]) -> Iterator[bytes]:
    """Yield one JSON array; the adapter serialises lists of its items."""
    rows = iter(read())
    separator = b"["
    while chunk := list(islice(rows, ROWS_AT_ONCE)):
        yield separator + adapter.dump_json(chunk)[1:-1]
        separator = b","
    yield b"[]" if separator == b"[" else b"]"


def _csv(file: Csv, status: int) -> Response:
    text = stream_with_context(piece for piece in file.read())
    response = Response(text, status=status, mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=file.filename)
    return response
