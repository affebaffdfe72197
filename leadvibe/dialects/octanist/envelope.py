"""What every answer is wrapped in, and how times and numbers are written."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import Response
from pydantic_core import to_json

from leadvibe.http import request_id
from leadvibe.lib.clock import utc_now
from leadvibe.lib.paging import Page

_REQUEST_ID = re.compile(r"req_[0-9a-f]{12}")
_REQUEST_ID_BYTES = 6


def name_request() -> None:
    """Give the request an id as Octanist writes them; answer, header and log all name it so."""
    if not _REQUEST_ID.fullmatch(request_id.current() or ""):
        request_id.rename(f"req_{secrets.token_hex(_REQUEST_ID_BYTES)}")


def answer_success(data: object, *, page: Page[Any] | None = None) -> Response:
    meta = _meta() if page is None else {"pagination": _pagination(page), **_meta()}
    return answer_bare({"success": True, "data": data, "meta": meta}, HTTPStatus.OK)


def answer_failure(status: int, code: str, message: str, details: Mapping[str, str]) -> Response:
    error = {"code": code, "message": message, "details": dict(details)}
    return answer_bare({"success": False, "error": error, "meta": _meta()}, status)


def answer_bare(body: object, status: int) -> Response:
    """Answer without an envelope. Keys stay in the order that the documentation has."""
    return Response(to_json(body), status, mimetype="application/json")


def write_time(at: datetime | None) -> str | None:
    """Write a time in UTC with milliseconds; what is finer is cut off."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_number(number: float | None) -> float | int | None:
    """Write whole numbers without a fraction, as JavaScript does."""
    if number is None or not float(number).is_integer():
        return None if number is None else float(number)
    return int(number)


def _meta() -> dict[str, object]:
    return {"requestId": request_id.current(), "timestamp": write_time(utc_now())}


def _pagination(page: Page[Any]) -> dict[str, object]:
    size, number, total = page.request.size, page.request.page, page.total.count
    pages = -(-total // size)
    return {
        "limit": size,
        "page": number,
        "totalPages": pages,
        "total": total,
        "hasMore": number < pages,
    }
