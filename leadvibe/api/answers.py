"""What views return besides plain values, and how all of it becomes a response."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Generic, TypeVar

from flask import Response, after_this_request, stream_with_context
from pydantic import TypeAdapter

Item = TypeVar("Item")

JSON = "application/json"
TOTAL_HEADER = "X-Total-Count"
ROWS_AT_ONCE = 500
"""Rows serialised in one go: enough to be quick, little enough to hold in memory."""

# A spreadsheet would take a cell that begins with one of these for a formula and run it.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Counted(Generic[Item]):
    """A page of a bare list; how many there are in all goes into a header."""

    items: Sequence[Item]
    total: int


@dataclass(frozen=True, slots=True)
class JsonStream(Generic[Item]):
    """A list too long to hold. `read` is called once the headers are out, and reads lazily."""

    read: Callable[[], Iterable[Item]]


@dataclass(frozen=True, slots=True)
class Csv:
    """A file of rows under a header, read lazily as JsonStream is."""

    filename: str
    header: Sequence[str]
    read: Callable[[], Iterable[Sequence[object]]]


def answer(result: object, *, adapter: TypeAdapter[Any] | None, status: int) -> Response:
    """Return the response to what a view returned, which `adapter` serialises."""
    if isinstance(result, Response):
        return result
    if isinstance(result, Csv):
        return _csv(result, status)
    if adapter is None:
        return _empty(status)
    if isinstance(result, JsonStream):
        pieces = _json_pieces(result.read, adapter)
        return Response(stream_with_context(pieces), status=status, mimetype=JSON)
    if isinstance(result, Counted):
        set_header(TOTAL_HEADER, str(result.total))
        result = result.items
    return Response(adapter.dump_json(result), status=status, mimetype=JSON)


def set_header(name: str, value: str) -> None:
    """Put a header on the answer to this request."""

    @after_this_request
    def add(response: Response) -> Response:
        response.headers[name] = value
        return response


def _empty(status: int) -> Response:
    response = Response(status=status)
    del response.headers["Content-Type"]
    return response


def _json_pieces(
    read: Callable[[], Iterable[Any]], adapter: TypeAdapter[Any]
) -> Iterator[bytes]:
    """Yield one JSON array; the adapter serialises lists of its items."""
    rows = iter(read())
    separator = b"["
    while chunk := list(islice(rows, ROWS_AT_ONCE)):
        yield separator + adapter.dump_json(chunk)[1:-1]
        separator = b","
    yield b"[]" if separator == b"[" else b"]"


def _csv(result: Csv, status: int) -> Response:
    response = Response(
        stream_with_context(_csv_pieces(result)), status=status, mimetype="text/csv"
    )
    response.headers.set("Content-Disposition", "attachment", filename=result.filename)
    return response


def _csv_pieces(result: Csv) -> Iterator[str]:
    rows = chain([result.header], map(_disarmed, result.read()))
    while chunk := list(islice(rows, ROWS_AT_ONCE)):
        buffer = io.StringIO()
        csv.writer(buffer).writerows(chunk)
        yield buffer.getvalue()


def _disarmed(row: Sequence[object]) -> list[object]:
    return [
        f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell
        for cell in row
    ]
